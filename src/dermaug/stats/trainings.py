"""How much an estimate varies from one training to the next (Searle et al. 1992, chapter 4).

Seeds are nested in folds: seed 0 of fold 0 and seed 0 of fold 1 are unrelated networks. Within a
fold, groups and trainings are crossed: every network answers every group.
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
"""Folds that make a comparison of single trainings one that can be judged."""


@dataclass(frozen=True, eq=False)
class FoldSample:
    """One fold's test groups, answered by one network per seed, or by a pair of them.

    Args:
        asked: Images of each class and of all others, per group.
        values: What `ROWS` names, of each network; of a pair, the arm's minus the reference's.
        influence: Of each group on these.
        level: The values of the reference, mean over seeds (of single networks, their own).
        generator: Which generator each network (or pair) was given images of: any numbers, equal
            ones for the same generator; all equal when there is none.
        trained_on: Groups in the training split.
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
        """Number of the set of classes that each group has images of."""
        _, found = np.unique(self.asked[:, 0] > 0, axis=0, return_inverse=True)
        return np.asarray(found).reshape(-1)


@dataclass(frozen=True, eq=False)
class TrainingVariance:
    """Variance over trainings of what one training of one fold contributes to an estimate.

    Args:
        each: s^2 of equation 1, pooled over folds; 0 when it cannot be seen.
        interaction: V_I of equation 2: the part owed to single groups that one training gets right
            and another wrong, which the resampling of groups already holds.
        freedom: Degrees of freedom of `each`; 0 when no fold was trained twice.
        share: Sum over folds of 1 / trainings: `each` times it is the variance of the estimate.
    """

    each: Float[np.ndarray, " m"]
    interaction: Float[np.ndarray, " m"]
    freedom: int
    share: float


def within_strata(
    influence: Float[np.ndarray, "t g m"], strata: Int[np.ndarray, " g"]
) -> Float[np.ndarray, "t g m"]:
    """Influence less its mean within each stratum, scaled so that its squares are unbiased.

    Groups are resampled within their set of classes; a stratum of one group varies with nothing.
    """
    centred = np.empty_like(influence)
    for stratum in np.unique(strata):
        own = influence[:, strata == stratum]
        number = own.shape[1]
        scale = np.sqrt(number / (number - 1)) if number > 1 else 0.0
        centred[:, strata == stratum] = scale * (own - own.mean(axis=1, keepdims=True))
    return centred


def levels_of(samples: Sequence[FoldSample]) -> str:
    """What varies, and is therefore in the interval."""
    if any(len(np.unique(sample.generator)) > 1 for sample in samples):
        return GENERATORS
    if any(len(sample.values) > 1 for sample in samples):
        return CLASSIFIERS
    return TRAINING_SETS if len(samples) >= FEWEST_FOLDS else GROUPS_ONLY


def training_means(
    each: Float[np.ndarray, "s ..."], generator: Int[np.ndarray, " s"], levels: str
) -> Float[np.ndarray, "t ..."]:
    """What each independent training gives.

    With several generators a training is a generator, averaged over the classifiers that learnt
    from it: their spread includes that of the classifiers, whatever their number. Otherwise a
    training is a classifier.
    """
    if levels != GENERATORS:
        return each
    return np.stack([each[generator == one].mean(axis=0) for one in np.unique(generator)])


def training_variance(
    values: Sequence[Float[np.ndarray, "t m"]], influence: Sequence[Float[np.ndarray, "t g m"]]
) -> TrainingVariance:
    """Variance components of the contributions of trainings, pooled over folds.

    Args:
        values: What each training of each fold adds to the estimate.
        influence: Of each group on it, as returned by `within_strata`.
    """
    between, crossed = np.zeros(values[0].shape[1]), np.zeros(values[0].shape[1])
    for given, of_groups in zip(values, influence, strict=True):
        between += ((given - given.mean(axis=0)) ** 2).sum(axis=0)
        crossed += ((of_groups - of_groups.mean(axis=0)) ** 2).sum(axis=(0, 1))
    freedom = sum(len(given) - 1 for given in values)
    # One variance for all folds: a fold that was trained once borrows that of the others.
    share = sum(1.0 / len(given) for given in values)
    scale = max(freedom, 1)
    return TrainingVariance(between / scale, crossed / scale * share, freedom, share)
