"""Hierarchical paired comparison: test groups within folds, and trainings within folds.

A difference between two arms varies with the choice of test groups, and from training to training.
Groups are many and are resampled; trainings are few (2 to 5 seeds), so that their part is a t
distribution whose variance is moderated by an expected one. Studies with one training in each of
three or more folds are judged by the spread over folds. The equations, and the simulations that
chose them, are in docs/statistics.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import stdtrit

from dermaug.errors import DermaugError
from dermaug.evaluation.discrimination import ratio
from dermaug.evaluation.readouts import ADJUSTED, ARGMAX
from dermaug.stats.bootstrap import stratified_totals
from dermaug.stats.estimate import Estimate
from dermaug.stats.floors import paired_floor
from dermaug.stats.metrics import MetricSet
from dermaug.stats.mixture import blurred, nodes_of
from dermaug.stats.spread import expected_spread, moderated
from dermaug.stats.support import groups_of, rests_on_one, share_of
from dermaug.stats.trainings import (
    TRAINING_SETS,
    FoldSample,
    levels_of,
    training_means,
    training_variance,
    within_strata,
)

Comparison = Mapping[int, FoldSample]  # fold -> sample
RESAMPLES = 4_000
NOTHING = 1e-12
"""A standard error that is as good as 0."""
_MANY = 1e6  # degrees of freedom of a part that does not vary


def estimate_all(
    comparisons: Sequence[Comparison], metrics: MetricSet, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[Estimate, ...]:
    """Estimate several comparisons on the same draws of groups, so that they stay paired by group.

    Args:
        comparisons: Fold -> sample, one mapping per comparison; a fold may be missing from some.
        metrics: The metrics, as weights on the rows and columns of the samples.
        resamples: Number of draws.
        seed: The same seed and groups give the same draws.

    Raises:
        DermaugError: A comparison has no fold, or two differ in the groups of a fold.
    """
    _require_shared(comparisons)
    parts = [_Contributions.of(folds, metrics) for folds in comparisons]
    strata = []
    for fold, sample in sorted({k: v for folds in comparisons for k, v in folds.items()}.items()):
        nothing = np.zeros((len(sample.asked), len(metrics.metrics)))
        own = [
            part.centred[fold].mean(axis=0) if fold in part.centred else nothing for part in parts
        ]
        columns = np.concatenate(own, axis=1)  # groups, comparisons x metrics
        strata += [columns[sample.strata == stratum] for stratum in np.unique(sample.strata)]
    drawn = stratified_totals(strata, resamples, seed) if comparisons else np.empty((0, 0))
    width = len(metrics.metrics)
    return tuple(
        _estimate(part, drawn[:, place * width : (place + 1) * width])
        for place, part in enumerate(parts)
    )


@dataclass(frozen=True, eq=False)
class _Contributions:
    """Contribution of each training of each fold to each metric of a comparison."""

    folds: Comparison
    metrics: MetricSet
    levels: str
    weights: Float[np.ndarray, "m r k"]
    values: dict[int, Float[np.ndarray, "t m"]]
    centred: dict[int, Float[np.ndarray, "t g m"]]
    level: Float[np.ndarray, " m"]
    undefined: Bool[np.ndarray, " m"]

    @classmethod
    def of(cls, folds: Comparison, metrics: MetricSet) -> "_Contributions":
        levels = levels_of(list(folds.values()))
        totals = {fold: sample.asked.sum(axis=0) for fold, sample in folds.items()}
        support = np.sum(list(totals.values()), axis=0)  # 2 k
        weights = metrics.weights(support)
        undefined = np.isnan(weights).any(axis=(1, 2))
        values, centred, level = {}, {}, np.zeros(len(weights))
        for fold, sample in folds.items():
            share = share_of(totals[fold], support, metrics.sides)  # r k
            own = np.nan_to_num(weights) * share
            given, seen = (
                training_means(each, sample.generator, levels)
                for each in (np.nan_to_num(sample.values), sample.influence)
            )
            values[fold] = np.einsum("trk,mrk->tm", given, own)
            centred[fold] = within_strata(np.einsum("tgrk,mrk->tgm", seen, own), sample.strata)
            level += np.einsum("rk,mrk->m", np.nan_to_num(sample.level), own)
            undefined |= ((own != 0) & np.isnan(sample.values).any(axis=0)).any(axis=(1, 2))
        return cls(folds, metrics, levels, weights, values, centred, level, undefined)

    def middle(self, value: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
        """Metrics half way between the two arms; of a single arm, its own."""
        is_alone = any(sample.is_alone for sample in self.folds.values())
        return self.level if is_alone else self.level + value / 2


def _estimate(part: _Contributions, drawn: Float[np.ndarray, "r m"]) -> Estimate:
    value = np.sum([each.mean(axis=0) for each in part.values.values()], axis=0)
    groups = groups_of(list(part.folds.values()), part.metrics.metrics)
    floor = _floors(part, value)
    if part.levels == TRAINING_SETS:
        nodes, scale, freedom = _over_folds(part, value, floor)
    else:
        nodes, scale, freedom = _over_trainings(part, value, floor, drawn, groups)
    nan = np.where(part.undefined, np.nan, 0.0)
    error = np.sqrt(nodes.var(axis=0) + scale**2) + nan
    lone = rests_on_one(list(part.folds.values()), part.metrics, part.weights)
    # Where nothing varies and nothing sets a floor, as for two AUCs of 1, no interval is known.
    unknown = np.where((error > NOTHING) & ~lone, 0.0, np.nan)
    trainings = stdtrit(freedom, _spread(len(drawn)))[:, None] * scale
    # The draws of groups get the spread of the nodes that were made of them.
    of_groups = drawn * np.sqrt(np.nan_to_num(ratio(nodes.var(axis=0), drawn.var(axis=0))))
    return Estimate(
        value=value + nan,
        level=part.level + nan,
        groups=groups,
        draws=value + unknown + of_groups + trainings,
        nodes=nodes + unknown,
        scale=scale + unknown,
        freedom=freedom,
        standard_error=error + unknown,
        levels=part.levels,
    )


def _over_trainings(
    part: _Contributions,
    value: Float[np.ndarray, " m"],
    floor: Float[np.ndarray, " m"],
    drawn: Float[np.ndarray, "r m"],
    groups: Float[np.ndarray, " m"],
) -> tuple[np.ndarray, np.ndarray, float]:
    """Equations 1 to 5: groups resampled, trainings by a moderated t."""
    seen = drawn.var(axis=0)
    of_groups = np.maximum(seen, floor)
    # Where too few groups disagree for the draws to vary as they must, they are widened.
    wide = blurred(nodes_of(drawn), np.sqrt(of_groups - seen))
    given = training_variance(list(part.values.values()), list(part.centred.values()))
    # The interaction of groups and trainings is in both variances: count it once (equation 3).
    kept = np.maximum(of_groups - given.interaction, of_groups / 2) if given.freedom else of_groups
    nodes = wide * np.sqrt(np.nan_to_num(ratio(kept, of_groups)))
    if not given.freedom:
        return value + nodes, np.zeros_like(value), _MANY
    spread = _expected(part, part.middle(value), groups) / len(part.folds)
    # What single groups add to the spread of trainings, the study's many groups tell themselves.
    expected = spread**2 + given.interaction / given.share
    each, freedom = moderated(given.each, given.freedom, expected)
    return value + nodes, np.sqrt(each * given.share), freedom


def _over_folds(
    part: _Contributions, value: Float[np.ndarray, " m"], floor: Float[np.ndarray, " m"]
) -> tuple[np.ndarray, np.ndarray, float]:
    """One training per fold: the corrected spread over folds (Nadeau and Bengio 2003, section 3).

    The training sets of folds overlap; (1/J + n_test/n_train) S^2 allows for it.
    """
    weights = np.nan_to_num(part.weights)
    used = weights != 0.0
    own = np.stack(
        [
            # A metric is unknown in a fold that lacks one of its classes.
            np.where(used, weights * sample.values[0], 0.0).sum(axis=(1, 2))
            for sample in part.folds.values()
        ]
    )
    number = len(own)
    tested = np.mean([len(sample.asked) for sample in part.folds.values()])
    trained = np.mean([sample.trained_on for sample in part.folds.values()])
    variance = (1 / number + tested / trained) * own.var(axis=0, ddof=1)
    return value[None], np.sqrt(np.maximum(variance, floor)), number - 1.0


def _expected(
    part: _Contributions, middle: Float[np.ndarray, " m"], groups: Float[np.ndarray, " m"]
) -> Float[np.ndarray, " m"]:
    """s0 of each metric; of a function of others, by its derivatives."""
    if part.metrics.gradients is None:
        return _shared(part, expected_spread(part.metrics.metrics, middle, groups))
    steepness = np.nan_to_num(part.metrics.gradients(middle))
    own = range(steepness.shape[1])
    leading = [part.metrics.metrics[place] for place in own]
    expected = _shared(part, expected_spread(leading, middle[own], groups[own]))
    return np.asarray(np.sqrt(steepness**2 @ expected**2))


def _shared(part: _Contributions, expected: Float[np.ndarray, " b"]) -> Float[np.ndarray, " b"]:
    """One expectation, the prior-adjusted one, where argmax decides the same of every group.

    It does so for a uniform prior: equal decisions then have equal intervals.
    """
    places = {metric: place for place, metric in enumerate(part.metrics.metrics[: len(expected)])}
    shared = expected.copy()
    for metric, place in places.items():
        other = places.get(metric._replace(readout=ADJUSTED), place)
        if metric.readout == ARGMAX and all(
            np.allclose(each[..., place], each[..., other], atol=1e-12, equal_nan=True)
            for each in (*part.values.values(), *part.centred.values())
        ):
            shared[place] = expected[other]
    return shared


def _floors(part: _Contributions, value: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """Smallest group variance of each metric; 0 unless it is made of proportions."""
    rates, num_columns = part.metrics.num_rates, part.weights.shape[2]
    sides = list(part.metrics.sides[:rates])
    gains, asked = [], []
    for sample in part.folds.values():
        totals = sample.asked.sum(axis=0)
        seen = training_means(sample.influence, sample.generator, part.levels).mean(axis=0)
        mean = training_means(np.nan_to_num(sample.values), sample.generator, part.levels).mean(0)
        counts = sample.asked[:, sides]
        gains.append(seen[:, :rates] * totals[sides] + mean[:rates] * counts)
        asked.append(counts)
    together = [np.concatenate(each) for each in (gains, asked)]
    flat = [each.reshape(len(each), rates * num_columns) for each in together]
    least = paired_floor(*flat).reshape(rates, num_columns)
    weights = np.nan_to_num(part.weights)[:, :rates]
    least = np.where(np.isfinite(least), least, 0.0)
    # Sensitivities rest on different groups, specificities on the same ones: these move together.
    apart = (weights[:, ::2] ** 2 * least[::2]).sum(axis=(1, 2))
    alike = (weights[:, 1::2] * np.sqrt(least[1::2])).sum(axis=(1, 2)) ** 2
    floors = np.asarray(apart + alike)
    if part.metrics.gradients is None:
        return floors
    steepness = np.nan_to_num(part.metrics.gradients(part.middle(value)))
    return np.asarray(steepness**2 @ floors[: steepness.shape[1]])


def _spread(number: int) -> Float[np.ndarray, " n"]:
    """Evenly spread probabilities in a fixed random order: less noise than draws at random."""
    spread = (np.arange(number) + 0.5) / number
    shuffled: np.ndarray = np.random.default_rng(0).permutation(spread)
    return shuffled


def _require_shared(comparisons: Sequence[Comparison]) -> None:
    """Raise unless the test groups of each fold are the same in every comparison."""
    asked: dict[int, np.ndarray] = {}
    for folds in comparisons:
        if not folds:
            raise DermaugError("a comparison has no fold in which both arms were trained")
        for fold, sample in folds.items():
            expected = asked.setdefault(fold, sample.asked)
            if expected.shape != sample.asked.shape or not np.array_equal(expected, sample.asked):
                raise DermaugError(
                    f"fold {fold}: expected the same test groups and classes in every comparison, "
                    f"found {expected.shape} and {sample.asked.shape}"
                )
