"""The loss of classifiers: cross-entropy, with three options for imbalanced classes."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

ABSENT = 1e-6
"""Share assumed by logit adjustment for a class that is never shown."""


class Criterion:
    """Mean cross-entropy of a batch with soft targets.

    Args:
        loss: plain; weighted: each class by the inverse of its share of the training set, with mean
            1, a class without images by 0; adjusted: each logit raised by the logarithm of its
            class's share of what is shown (Menon et al. 2021, arXiv:2007.07314, equation 10 with
            tau = 1), so that the network learns what class frequency does not explain;
            adjusted_by_source: the same with the shares among the real images for a real image, and
            among the dose for an image of the dose, so that a network that can tell generated
            images from real ones does not learn which classes are generated.
        labels: Class of each image of the training set.
        shown: Sampling weight of each image; None means equal weights.
        smoothing: Label smoothing, 0 to below 1.
        dosed: Number of images of the dose, which are the last ones.
    """

    def __init__(
        self,
        loss: str,
        labels: Int[np.ndarray, " n"],
        num_classes: int,
        shown: Float[np.ndarray, " n"] | None,
        smoothing: float,
        device: torch.device,
        dosed: int = 0,
    ) -> None:
        self.smoothing = smoothing
        self.weights: Tensor | None = None
        self.offsets: Tensor | None = None
        self._by_row: Tensor | None = None
        if loss == "weighted":
            counts = np.bincount(labels, minlength=num_classes)
            inverse = counts.sum() / (np.maximum(counts, 1) * (counts > 0).sum())
            self.weights = _float(np.where(counts > 0, inverse, 0.0), device)
        if loss == "adjusted":
            self.offsets = _float(_log_shares(labels, shown, num_classes), device)
        if loss == "adjusted_by_source":
            real = np.arange(len(labels)) < len(labels) - dosed
            by_source = np.stack(
                [
                    _log_shares(labels[part], None if shown is None else shown[part], num_classes)
                    for part in (real, ~real)
                ]
            )
            self.offsets = _float(by_source[0], device)  # what is classified later is real
            self._by_row = _float(by_source, device)[torch.from_numpy(~real).long().to(device)]

    def __call__(
        self,
        logits: Float[Tensor, "b classes"],
        targets: Float[Tensor, "b classes"],
        rows: Int[Tensor, " b"],
    ) -> Float[Tensor, ""]:
        """The loss in float32; `targets` are probabilities, `rows` those of the training set."""
        if self._by_row is not None:
            logits = logits + self._by_row[rows]
        elif self.offsets is not None:
            logits = logits + self.offsets
        return cross_entropy(logits, targets, self.weights, label_smoothing=self.smoothing)

    def prior(self, shown: Float[np.ndarray, " classes"]) -> Float[np.ndarray, " classes"]:
        """The prior q seen by the loss, with which probabilities are adjusted afterwards.

        The probabilities of a network that minimises this loss reflect the share of each class
        among the targets shown, times its weight, divided by the factor that its offset removes.

        Args:
            shown: Share of each class among the targets of the images shown, before smoothing; of
                the real ones for adjustment by source. Sums to 1.

        Returns:
            Sums to 1.
        """
        smoothed = (1.0 - self.smoothing) * shown + self.smoothing / len(shown)
        if self.weights is not None:
            smoothed = smoothed * self.weights.cpu().double().numpy()
        if self.offsets is not None:
            smoothed = smoothed / self.offsets.cpu().double().exp().numpy()
        return np.asarray(smoothed / smoothed.sum())


def _log_shares(
    labels: Int[np.ndarray, " n"], shown: Float[np.ndarray, " n"] | None, num_classes: int
) -> Float[np.ndarray, " classes"]:
    shares = np.bincount(labels, shown, minlength=num_classes).astype(np.float64)
    return np.asarray(np.log(np.maximum(shares / max(shares.sum(), ABSENT), ABSENT)))


def shown_shares(
    targets: Float[np.ndarray, "n classes"], weights: Float[np.ndarray, " n"] | None
) -> Float[np.ndarray, " classes"]:
    """Share of each class among the targets of the images shown; sums to 1.

    Blends (mixup, cutmix) of images drawn in the same way have these shares in expectation.

    Args:
        targets: Target probabilities of each image of the training set.
        weights: Sampling weight of each image; None means equal weights.
    """
    shares = np.average(targets, axis=0, weights=weights)
    return np.asarray(shares / shares.sum(), dtype=np.float64)


def _float(values: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(values).float().to(device)
