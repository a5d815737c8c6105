"""Losses against their formulas."""

import numpy as np
import pytest
import torch
from torch import Tensor

from dermaug.classifiers.criterion import Criterion
from dermaug.training.order import class_weights

LABELS = np.array([0] * 6 + [1] * 3 + [2] * 1)


def criterion(loss: str, shown: np.ndarray | None = None, classes: int = 3) -> Criterion:
    return Criterion(loss, LABELS, classes, shown, 0.0, torch.device("cpu"))


@pytest.mark.parametrize(
    ("sampling", "shares"),
    [
        ("natural", [0.6, 0.3, 0.1]),
        ("sqrt", np.sqrt([6, 3, 1]) / np.sqrt([6, 3, 1]).sum()),
        ("balanced", [1 / 3, 1 / 3, 1 / 3]),
    ],
)
def test_adjusted_logits_are_raised_by_the_shares_of_what_is_shown(
    sampling: str, shares: list[float]
) -> None:
    logits, targets = torch.randn(5, 3), torch.eye(3)[[0, 1, 2, 0, 1]]
    raised = np.exp(logits.numpy()) * np.asarray(shares)
    expected = -(np.log(raised / raised.sum(1, keepdims=True)) * targets.numpy()).sum(1).mean()
    found = criterion("adjusted", class_weights(LABELS, sampling))(logits, targets)
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_weights_give_each_class_the_same_pull() -> None:
    pull = _pull(criterion("weighted"))
    assert pull == pytest.approx([pull[0]] * 3, rel=1e-5)
    plain = _pull(criterion("plain"))
    assert plain == pytest.approx([plain[0], plain[0] / 2, plain[0] / 6], rel=1e-5)


@pytest.mark.parametrize("loss", ["weighted", "adjusted"])
def test_a_class_without_images_is_no_accident(loss: str) -> None:
    found = criterion(loss, classes=4)(torch.zeros(4, 4), torch.eye(4))
    assert torch.isfinite(found)


def _pull(loss: Criterion) -> list[float]:
    """Gradient on the own logit of all images of each class, at logits of zero."""
    labels = torch.from_numpy(LABELS)
    logits = torch.zeros(len(LABELS), 3, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(logits, torch.eye(3)[labels]), logits)
    return [_sum(gradient[labels == place, place]) for place in range(3)]


def _sum(values: Tensor) -> float:
    return float(values.sum())
