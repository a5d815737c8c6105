"""Variance of an estimate over trainings (Searle et al. 1992, chapter 4).

Seeds are nested in folds: seed 0 of fold 0 and seed 0 of fold 1 are unrelated networks. Within a
fold, groups and trainings are crossed: every network is tested on every group.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

GROUPS_ONLY = "test groups"
CLASSIFIERS = "test groups and classifier seeds"
GENERATORS = "test groups, generator seeds and classifier seeds"
TRAINING_SETS = "training sets, trainings and test groups (folds)"
FEWEST_FOLDS = 3
"""Smallest number of folds with which a comparison of single trainings can be judged."""


@dataclass(frozen=True, eq=False)
class FoldSample:
    """Results of one network per seed, or of pairs of networks, on the test groups of one fold.

    Args:
        asked: Number of images of each class and of all other classes, per group.
        values: The metrics of `ROWS` for each network; for a pair, arm minus reference.
        influence: Influence of each group on the values.
        level: The values of the reference, mean over seeds (for single networks, their own).
        generator: Number of the generator whose images each network (or pair) uses, equal for the
            same generator; all equal without generators.
        trained_on: Number of groups in the training split.
        is_alone: Whether the values are those of single networks, not of pairs.
    """

    asked: Float[np.ndarray, "g 2 k"]
    values: Float[np.ndarray, "s r k"]
    influence: Float[np.ndarray, "s g r k"]
    level: Float[np.ndarray, "r k"]
    generator: Int[np.ndarray, " s"]
    trained_on: int
    is_alone: bool = False

    @property
    def strata(self) -> Int[np.ndarray, " g"]:
        """Stratum of each group: the number of the set of classes of its images.

        The sets are numbered by their first groups, so that draws do not depend on the order of the
        classes.
        """
        _, first, found = np.unique(
            self.asked[:, 0] > 0, axis=0, return_index=True, return_inverse=True
        )
        return np.asarray(first.argsort().argsort()[found.reshape(-1)])


@dataclass(frozen=True, eq=False)
class TrainingVariance:
    """Variance over trainings of the contribution of one training of one fold to an estimate.

    Args:
        each: s^2 of equation 1, pooled over folds; 0 if it cannot be estimated.
        interaction: V_I of equation 2: the part due to groups that are correct in one training and
            wrong in another, which the resampling of groups already contains.
        freedom: Degrees of freedom of `each`; 0 if no fold was trained twice.
        share: Sum over folds of 1 / trainings; the variance of the estimate is `each` times this.
    """

    each: Float[np.ndarray, " m"]
    interaction: Float[np.ndarray, " m"]
    freedom: int
    share: float


def within_strata(
    influence: Float[np.ndarray, "t g m"], strata: Int[np.ndarray, " g"]
) -> Float[np.ndarray, "t g m"]:
    """Subtract the mean influence within each stratum, and scale for unbiased squares.

    Groups are resampled within their set of classes; a stratum of one group has no variance.
    """
    centred = np.empty_like(influence)
    for stratum in np.unique(strata):
        own = influence[:, strata == stratum]
        number = own.shape[1]
        scale = np.sqrt(number / (number - 1)) if number > 1 else 0.0
        centred[:, strata == stratum] = scale * (own - own.mean(axis=1, keepdims=True))
    return centred


def levels_of(samples: Sequence[FoldSample]) -> str:
    """The sources of variation, which the interval therefore covers."""
    if any(len(np.unique(sample.generator)) > 1 for sample in samples):
        return GENERATORS
    if any(len(sample.values) > 1 for sample in samples):
        return CLASSIFIERS
    return TRAINING_SETS if len(samples) >= FEWEST_FOLDS else GROUPS_ONLY


def training_means(
    each: Float[np.ndarray, "s ..."], generator: Int[np.ndarray, " s"], levels: str
) -> Float[np.ndarray, "t ..."]:
    """Results of each independent training.

    With several generators, a training is a generator, averaged over the classifiers that use its
    images; the spread of these means includes that of the classifiers. Otherwise a training is a
    classifier.
    """
    if levels != GENERATORS:
        return each
    return np.stack([each[generator == one].mean(axis=0) for one in np.unique(generator)])


def training_variance(
    values: Sequence[Float[np.ndarray, "t m"]], influence: Sequence[Float[np.ndarray, "t g m"]]
) -> TrainingVariance:
    """Variance components of the contributions of trainings to an estimate, pooled over folds.

    The influence of each group on the contributions is that returned by `within_strata`.
    """
    between, crossed = np.zeros(values[0].shape[1]), np.zeros(values[0].shape[1])
    for given, of_groups in zip(values, influence, strict=True):
        between += ((given - given.mean(axis=0)) ** 2).sum(axis=0)
        crossed += ((of_groups - of_groups.mean(axis=0)) ** 2).sum(axis=(0, 1))
    freedom = sum(len(given) - 1 for given in values)
    # The variance is shared by all folds, so that it also applies to folds trained only once.
    share = sum(1.0 / len(given) for given in values)
    scale = max(freedom, 1)
    return TrainingVariance(between / scale, crossed / scale * share, freedom, share)
