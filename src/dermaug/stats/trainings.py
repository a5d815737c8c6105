"""How much an estimate varies from one training to the next (Searle et al. 1992, chapter 4).

Seeds are nested in folds: seed 0 of fold 0 and seed 0 of fold 1 are unrelated networks. Within a
fold, lesions and trainings are crossed: every network answers every lesion.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

LESIONS_ONLY = "lesions"
CLASSIFIERS = "lesions and classifier seeds"
GENERATORS = "lesions, generator seeds and classifier seeds"


@dataclass(frozen=True, eq=False)
class FoldSample:
    """One fold's test lesions, answered by one network a seed, or by a pair of them.

    Args:
        asked: Images of each class and of all others, by lesion.
        right: Hits and rejections of each network; of a pair, the arm's minus the reference's.
        generator: Which generator each network (or pair) was given images of: any numbers, equal
            ones for the same generator; all equal when there is none.
    """

    asked: Float[np.ndarray, "g 2 k"]
    right: Float[np.ndarray, "s g 2 k"]
    generator: Int[np.ndarray, " s"]


@dataclass(frozen=True, eq=False)
class TrainingVariance:
    """Variance of an estimate over trainings, and the part of it that lesions show as well.

    Args:
        total: Of the mean over trainings, including the interaction; 0 when it cannot be seen.
        interaction: The part owed to single lesions that one training gets right and another
            wrong, which the resampling of lesions already holds.
        freedom: Degrees of freedom of `total`; 0 when no fold was trained twice.
    """

    total: Float[np.ndarray, " m"]
    interaction: Float[np.ndarray, " m"]
    freedom: int


def levels_of(samples: Sequence[FoldSample]) -> str:
    """Which seeds vary within a fold: `LESIONS_ONLY`, `CLASSIFIERS` or `GENERATORS`."""
    if any(len(np.unique(sample.generator)) > 1 for sample in samples):
        return GENERATORS
    return CLASSIFIERS if any(len(sample.right) > 1 for sample in samples) else LESIONS_ONLY


def training_means(sample: FoldSample, levels: str) -> Float[np.ndarray, "t g 2 k"]:
    """Right answers of each independent training, by lesion.

    With several generators a training is a generator, averaged over the classifiers that learnt
    from it: their spread includes that of the classifiers, whatever their number. Otherwise a
    training is a classifier.
    """
    if levels != GENERATORS:
        return sample.right
    members = (sample.generator == each for each in np.unique(sample.generator))
    return np.stack([sample.right[member].mean(axis=0) for member in members])


def training_variance(
    folds: Sequence[Float[np.ndarray, "t g 2 k"]], weights: Float[np.ndarray, "m 2 k"]
) -> TrainingVariance:
    """Variance components of the mean over trainings, pooled over folds.

    Args:
        folds: What `training_means` gives for each fold.
        weights: By how much one right answer raises each metric.
    """
    between, crossed = np.zeros(len(weights)), np.zeros(len(weights))
    for right in folds:
        gains = np.einsum("sgtk,mtk->sgm", right, weights)
        sums = gains.sum(axis=1) - gains.sum(axis=1).mean(axis=0)
        between += (sums**2).sum(axis=0)
        num_lesions = gains.shape[1]
        if num_lesions > 1:
            left = gains - gains.mean(axis=0) - sums[:, None] / num_lesions
            crossed += (left**2).sum(axis=(0, 1)) * num_lesions / (num_lesions - 1)
    freedom = sum(len(right) - 1 for right in folds)
    # One variance for all folds: a fold that was trained once borrows that of the others.
    share = sum(1 / len(right) for right in folds) / max(freedom, 1)
    return TrainingVariance(between * share, crossed * share, freedom)
