"""Hierarchical paired bootstrap: lesions within folds, and trainings within folds.

A difference between two arms would come out otherwise with other test lesions, and with networks
trained anew. Lesions are many and are resampled; trainings are few (2 to 5 seeds), where resampling
is known to be too sure of itself, so their part is drawn from a t distribution. The equations, and
the simulations that chose them, are in docs/statistics.md.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

from dermaug.errors import DermaugError
from dermaug.stats.bootstrap import stratified_totals
from dermaug.stats.tally import rate_weights, rates
from dermaug.stats.trainings import FoldSample, levels_of, training_means, training_variance

Comparison = Mapping[int, FoldSample]  # fold -> sample


@dataclass(frozen=True, eq=False)
class Estimate:
    """What a comparison found, with resampled values in the order of `metric_names`.

    Args:
        value: The metrics, or their differences.
        draws: The same of each resample; NaN where a resample leaves a metric undefined.
        standard_error: Square root of lesion and training variance.
        freedom: Degrees of freedom of the training variance; 0 when it cannot be seen.
        levels: What was varied, as `levels_of` names it.
    """

    value: Float[np.ndarray, " m"]
    draws: Float[np.ndarray, "r m"]
    standard_error: Float[np.ndarray, " m"]
    freedom: int
    levels: str


def estimate_all(
    comparisons: Sequence[Comparison], resamples: int = 10_000, seed: int = 0
) -> tuple[Estimate, ...]:
    """Estimate several comparisons on the same lesions drawn, so that they stay paired by lesion.

    Their training parts are drawn independently: a difference of two estimates is not paired by
    seed. For that, estimate the difference itself.

    Args:
        comparisons: Fold -> sample, one mapping a comparison; a fold may be missing from some.
        resamples: Number of draws.
        seed: The same seed and lesions give the same draws.

    Raises:
        DermaugError: A comparison has no fold, or two differ in the lesions of a fold.
    """
    asked = _asked(comparisons)
    if not comparisons:
        return ()
    levels = [levels_of(list(folds.values())) for folds in comparisons]
    means = [
        {fold: training_means(sample, level) for fold, sample in folds.items()}
        for folds, level in zip(comparisons, levels, strict=True)
    ]
    # Comparisons of the same folds ask the same: one set of columns serves them all.
    extents = list(dict.fromkeys(frozenset(folds) for folds in comparisons))
    strata = [
        np.stack(
            [mean[fold].mean(axis=0) if fold in mean else 0 * each for mean in means]
            + [each if fold in extent else 0 * each for extent in extents],
            axis=1,
        )
        for fold, each in sorted(asked.items())
    ]  # of each fold: (lesions, comparisons and then extents, 2, k)
    totals = stratified_totals(strata, resamples, seed)
    observed = np.sum([stratum.sum(axis=0) for stratum in strata], axis=0)
    estimates = []
    for place, (mean, level) in enumerate(zip(means, levels, strict=True)):
        columns = [place, len(means) + extents.index(frozenset(mean))]
        estimates.append(
            _estimate(observed[columns], totals[:, columns], list(mean.values()), level, seed)
        )
    return tuple(estimates)


def _estimate(
    observed: Float[np.ndarray, "2 2 k"],
    totals: Float[np.ndarray, "r 2 2 k"],
    means: Sequence[Float[np.ndarray, "t g 2 k"]],
    levels: str,
    seed: int,
) -> Estimate:
    """Lesion draws, less what trainings show as well, plus a t-distributed training part."""
    value = rates(observed[0], observed[1])
    draws: np.ndarray = rates(totals[:, 0], totals[:, 1]) - value
    lesion_variance = _variance(draws)
    training = training_variance(means, rate_weights(observed[1]))
    if training.freedom:
        # The interaction of lesions and trainings is in both variances: count it once (eq. 3).
        kept = np.maximum(lesion_variance - training.interaction, 0.0)
        draws *= np.sqrt(_ratio(kept, lesion_variance))
        # Trainings of two comparisons are unrelated unless all answers agree: each its own order.
        order = [seed, zlib.crc32(np.ascontiguousarray(observed).tobytes())]
        draws += np.sqrt(training.total) * _shuffled_t(training.freedom, len(draws), order)[:, None]
        lesion_variance = kept
    error = np.sqrt(lesion_variance + training.total)
    return Estimate(value, value + draws, error, training.freedom, levels)


def _shuffled_t(freedom: int, number: int, seed: Sequence[int]) -> Float[np.ndarray, " r"]:
    """Evenly spread quantiles of Student's t in random order: less noise than draws at random."""
    quantiles = stats.t.ppf((np.arange(number) + 0.5) / number, freedom)
    shuffled: np.ndarray = np.random.default_rng(seed).permutation(quantiles)
    return shuffled


def _variance(values: Float[np.ndarray, "r m"]) -> Float[np.ndarray, " m"]:
    """Variance of the values that are defined; 0 when there are none."""
    defined = ~np.isnan(values)
    number = np.maximum(defined.sum(axis=0), 1)
    known = np.where(defined, values, 0.0)
    mean = known.sum(axis=0) / number
    return np.asarray((np.where(defined, values - mean, 0.0) ** 2).sum(axis=0) / number)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Divide; 0 / 0 is 0."""
    return np.asarray(np.divide(above, below, out=np.zeros_like(above), where=below > 0))


def _asked(comparisons: Sequence[Comparison]) -> dict[int, Float[np.ndarray, "g 2 k"]]:
    """What each fold's lesions were asked, the same in every comparison."""
    asked: dict[int, np.ndarray] = {}
    for folds in comparisons:
        if not folds:
            raise DermaugError("a comparison has no fold in which both arms were trained")
        for fold, sample in folds.items():
            expected, found = asked.setdefault(fold, sample.asked), sample.right.shape[1:]
            if found != expected.shape or not np.array_equal(expected, sample.asked):
                raise DermaugError(
                    f"fold {fold}: expected the same lesions and classes in every comparison, "
                    f"found {expected.shape} and {sample.asked.shape}, answers {found}"
                )
    return asked
