"""Rates and areas of one network on one fold's test split, and each group's influence on them.

A group is what was kept whole when the folds were made: a lesion, or a patient. The influence of a
group is the first-order change of a metric when the group is counted once more (the infinitesimal
jackknife; Efron and Tibshirani 1993, chapter 22). Influences of a fold add up to zero, and those of
a difference of two networks are the differences of theirs.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.stats import rankdata

from dermaug.evaluation.discrimination import ratio
from dermaug.evaluation.readouts import AUC
from dermaug.stats.tally import asked_of, right_of

SENSITIVITY, SPECIFICITY = 0, 1


@dataclass(frozen=True, eq=False)
class Asked:
    """The test images of a fold.

    Args:
        labels: True class of each image.
        groups: Group of each image, 0 to `num_groups` - 1.
        num_groups: Number of groups.
        num_classes: Number of classes.
    """

    labels: Int[np.ndarray, " n"]
    groups: Int[np.ndarray, " n"]
    num_groups: int
    num_classes: int

    @property
    def counts(self) -> Float[np.ndarray, "g 2 k"]:
        """Images of each class, and of all others, per group."""
        return asked_of(self.labels, self.groups, (self.num_groups, self.num_classes))


@dataclass(frozen=True, eq=False)
class Answer:
    """Metrics of one network on one fold; NaN where a class has no image on one side.

    Args:
        values: One row per kind of metric, one column per class.
        influence: Influence of each group on each value; 0 where the metric is undefined.
    """

    values: Float[np.ndarray, "r k"]
    influence: Float[np.ndarray, "g r k"]


def rates_of(asked: Asked, called: Int[np.ndarray, " n"]) -> Answer:
    """Sensitivity and specificity of each class, one against the rest."""
    shape, counts = (asked.num_groups, asked.num_classes), asked.counts
    right, totals = right_of(asked.labels, called, asked.groups, shape), counts.sum(axis=0)
    values = ratio(right.sum(axis=0), totals)
    return Answer(values, np.nan_to_num(ratio(right - np.nan_to_num(values) * counts, totals)))


def areas_of(asked: Asked, scores: Float[np.ndarray, "n k"]) -> Answer:
    """Area under the ROC curve of each class, one against the rest, ties one half.

    The area is the mean placement value of the positive images among the negative ones, and also
    that of the negative among the positive ones (DeLong et al. 1988); groups contribute the sum of
    both (Obuchowski 1997, Biometrics 53:567-578).

    Args:
        asked: The test images.
        scores: One column per class; a higher score speaks for the class.
    """
    values = np.full((1, asked.num_classes), np.nan)
    influence = np.zeros((asked.num_groups, 1, asked.num_classes))
    for label in range(asked.num_classes):
        positive = asked.labels == label
        if positive.all() or not positive.any():
            continue
        placed = placements(positive, scores[:, label])
        values[0, label] = area = placed[positive].mean()
        share = np.where(positive, positive.sum(), (~positive).sum())
        influence[:, 0, label] = np.bincount(
            asked.groups, (placed - area) / share, minlength=asked.num_groups
        )
    return Answer(values, influence)


SCORED: dict[str, Callable[[Asked, Float[np.ndarray, "n k"]], Answer]] = {
    AUC: areas_of,
}
"""Metric of single classes, from 0 to 1 -> function of the probabilities at the uniform prior. Its
mean over classes is macro_NAME; both have intervals, and a place in the report."""


def mean_of(
    amounts: Float[np.ndarray, " n"],
    kept: Bool[np.ndarray, " n"],
    groups: Int[np.ndarray, " n"],
    num_groups: int,
) -> tuple[float, Float[np.ndarray, " g"]]:
    """Mean over some of the images, and the influence of each group on it.

    Args:
        amounts: What each image adds: a loss, or whether it is right.
        kept: Mask of the images to use.
        groups: Group of each image, 0 to `num_groups` - 1.
        num_groups: Number of groups.

    Returns:
        The mean and the influences; NaN and zeros if no image is kept, or an amount is NaN.
    """
    own = amounts[kept]
    if not len(own) or np.isnan(own).any():
        return float("nan"), np.zeros(num_groups)
    mean = float(own.mean())
    return mean, np.bincount(groups[kept], (own - mean) / len(own), minlength=num_groups)


def placements(positive: np.ndarray, scores: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Share of the images of the other side against which each image is ranked correctly.

    Args:
        positive: Whether each image is of the class; both sides occur.
        scores: A higher score speaks for the class; a tie counts one half.

    Example:
        >>> placements(np.array([True, True, False, False]), np.array([0.9, 0.2, 0.2, 0.1]))
        array([1.  , 0.75, 0.75, 1.  ])
    """
    among_all = rankdata(scores)
    placed = np.empty(len(scores))
    for side, others in ((positive, (~positive).sum()), (~positive, positive.sum())):
        below = (among_all[side] - rankdata(scores[side])) / others
        placed[side] = below
    placed[~positive] = 1.0 - placed[~positive]
    return placed
