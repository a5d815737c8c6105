"""Losses against their formulas."""

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import Tensor

from dermaug.classifiers.criterion import Criterion
from dermaug.training.order import class_weights

LABELS = np.array([0] * 6 + [1] * 3 + [2] * 1)


ROWS = torch.arange(len(LABELS))


def criterion(
    loss: str, shown: np.ndarray | None = None, classes: int = 3, dosed: int = 0
) -> Criterion:
    return Criterion(loss, LABELS, classes, shown, 0.0, torch.device("cpu"), dosed)


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
    found = criterion("adjusted", class_weights(LABELS, sampling))(logits, targets, ROWS[:5])
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_weights_give_each_class_the_same_pull() -> None:
    pull = _pull(criterion("weighted"))
    assert pull == pytest.approx([pull[0]] * 3, rel=1e-5)
    plain = _pull(criterion("plain"))
    assert plain == pytest.approx([plain[0], plain[0] / 2, plain[0] / 6], rel=1e-5)


def test_logits_are_raised_by_the_shares_within_the_source_of_each_image() -> None:
    logits, targets = torch.randn(3, 3), torch.eye(3)[[0, 2, 1]]
    # Rows 0 to 6 are real (six of class 0, one of class 1); 7 to 9 are the dose (1, 1, 2).
    shares = np.array([[6 / 7, 1 / 7, 1e-6], [6 / 7, 1 / 7, 1e-6], [1e-6, 2 / 3, 1 / 3]])
    raised = np.exp(logits.numpy()) * shares
    expected = -(np.log(raised / raised.sum(1, keepdims=True)) * targets.numpy()).sum(1).mean()
    found = criterion("adjusted_by_source", dosed=3)(logits, targets, torch.tensor([0, 6, 8]))
    assert found.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("loss", "shift"), [("adjusted", np.log(2.0)), ("adjusted_by_source", 0.0)]
)
def test_images_of_one_class_alone_move_no_threshold_of_real_ones_if_adjusted_by_source(
    loss: str, shift: float
) -> None:
    # 900 real images of class 0, 100 of class 1 and as many generated ones of class 1, which a
    # network can tell from real ones. Real ones of class 1 are thus one in ten, of all one in 5.5.
    numbers = {(0, 0): 900, (1, 0): 100, (1, 1): 100}  # class and source
    signal, labels, sources = [], [], []
    for (label, source), number in numbers.items():
        signal += norm.ppf((np.arange(number) + 0.5) / number, 2.0 * label - 1.0).tolist()
        labels += [label] * number
        sources += [source] * number
    inputs = torch.tensor([signal, sources]).T.float()
    network, targets = torch.nn.Linear(2, 2), torch.eye(2)[labels]
    measure = Criterion(loss, np.array(labels), 2, None, 0.0, torch.device("cpu"), dosed=100)
    optimizer = torch.optim.LBFGS(network.parameters(), max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = measure(network(inputs), targets, torch.arange(len(labels)))
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(closure)  # type: ignore[arg-type]
    with torch.no_grad():
        middle = network(torch.zeros(1, 2))[0]
    assert float(middle[0] - middle[1]) == pytest.approx(shift, abs=0.1)


@pytest.mark.parametrize("loss", ["weighted", "adjusted"])
def test_a_class_without_images_is_no_accident(loss: str) -> None:
    found = criterion(loss, classes=4)(torch.zeros(4, 4), torch.eye(4), ROWS[:4])
    assert torch.isfinite(found)


def _pull(loss: Criterion) -> list[float]:
    """Gradient on the own logit of all images of each class, at logits of zero."""
    labels = torch.from_numpy(LABELS)
    logits = torch.zeros(len(LABELS), 3, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(logits, torch.eye(3)[labels], ROWS), logits)
    return [_sum(gradient[labels == place, place]) for place in range(3)]


def _sum(values: Tensor) -> float:
    return float(values.sum())
