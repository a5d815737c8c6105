"""The metrics by which arms are compared, as weighted sums over folds and classes.

The rates and the area of each class are computed in each fold and averaged over folds, weighted by
the images behind them: for rates, this is the rate of the pooled test splits; areas are never
pooled. Means over classes are unweighted. Every metric is therefore linear in the values of folds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from dermaug.data import class_names
from dermaug.evaluation.readouts import ADJUSTED, ARGMAX
from dermaug.stats.influence import SCORED

ALL = class_names.ALL
RATES = (ARGMAX, ADJUSTED)
ROWS = (*((readout, side) for readout in RATES for side in (0, 1)), *((name, 0) for name in SCORED))
"""What a fold gives per class: sensitivity and specificity of two readouts, and what is `SCORED`;
with it, whether the images of the class (0) or all others (1) are its weight."""
EVERYONE = 2
"""Side of a row that rests on all images."""
OVERALL = ("balanced_accuracy", "mean_specificity", "accuracy")
BY_CLASS = ("sensitivity", "specificity")


class Metric(NamedTuple):
    """A metric by which arms are compared.

    Args:
        readout: argmax, prior-adjusted or, of what is `SCORED`, its name; of other sets the rule of
            a decision, or calibration.
        scope: `all`, or a class against the rest.
        metric: balanced_accuracy (mean sensitivity), mean_specificity, accuracy or macro_NAME for
            `all`; sensitivity, specificity or NAME for a class.
    """

    readout: str
    scope: str
    metric: str


@dataclass(frozen=True, eq=False)
class MetricSet:
    """Metrics that are estimated together, and their weights on the rows of each fold.

    Args:
        metrics: The metrics; scopes other than `all` first occur in the order of the columns.
        sides: What each row rests on: images of the column's class (0), others (1), `EVERYONE`.
        num_rates: Leading rows that are sensitivities and specificities, in turns: proportions,
            whose variance has a floor.
        weights: Images of each column's class and of all others, all folds together (2 k) -> by
            how much each row and column enters each metric (m r k); NaN where undefined.
        gradients: None where every metric has its own expected spread. Otherwise the leading
            metrics have one, and the others are functions of them: values (m) -> derivatives of
            all metrics with respect to the leading ones (m b).
    """

    metrics: tuple[Metric, ...]
    sides: tuple[int, ...]
    num_rates: int
    weights: Callable[[Float[np.ndarray, "2 k"]], Float[np.ndarray, "m r k"]]
    gradients: Callable[[Float[np.ndarray, " m"]], Float[np.ndarray, "m b"]] | None = None


def readout_metrics(classes: Sequence[str]) -> MetricSet:
    """The metrics of the three read-outs, which verdicts are about; rows as `ROWS`."""
    sides = tuple(side for _, side in ROWS)
    return MetricSet(metrics_of(classes), sides, 2 * len(RATES), metric_weights)


def metrics_of(classes: Sequence[str]) -> tuple[Metric, ...]:
    """All metrics, in the order of the first axis of `metric_weights`."""
    rates = [
        metric
        for readout in RATES
        for metric in (
            *(Metric(readout, ALL, name) for name in OVERALL),
            *(Metric(readout, label, name) for name in BY_CLASS for label in classes),
        )
    ]
    scored = [
        metric
        for name in SCORED
        for metric in (
            Metric(name, ALL, f"macro_{name}"),
            *(Metric(name, label, name) for label in classes),
        )
    ]
    return (*rates, *scored)


def metric_weights(support: Float[np.ndarray, "2 k"]) -> Float[np.ndarray, "m r k"]:
    """By how much each class's value (rows as `ROWS`) enters each metric; NaN where undefined.

    `support` has the images of each class and of all others, all folds together.
    """
    k = support.shape[1]
    # Where all images are of one class, its sensitivity is known, and nothing else.
    asked, present = support[0] > 0, np.asarray((support > 0).all(axis=0))
    share = support[0] / max(support[0].sum(), 1.0)
    mean, each = _mean(present), _each(present)
    overall = [_placed(_mean(asked), 0), _placed(mean, 1), _placed(share, 0)]
    single = [*(_placed(row, 0) for row in _each(asked)), *(_placed(row, 1) for row in each)]
    rates = np.stack([*overall, *single])
    scored = np.vstack([mean, each])[:, None]
    parts = [rates, rates, *([scored] * len(SCORED))]
    weights = np.zeros((sum(map(len, parts)), len(ROWS), k))
    start = row = 0
    for part in parts:
        weights[start : start + len(part), row : row + part.shape[1]] = part
        start, row = start + len(part), row + part.shape[1]
    return weights


def _mean(known: Bool[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
    """Weights of an unweighted mean over some classes; NaN where there is none."""
    return np.where(known, 1.0, 0.0) / known.sum() if known.any() else np.full(len(known), np.nan)


def _each(known: Bool[np.ndarray, " k"]) -> Float[np.ndarray, "k k"]:
    """Weights of each class alone; NaN for those that are not known."""
    return np.where(np.eye(len(known), dtype=bool), np.where(known, 1.0, np.nan), 0.0)


def _placed(row: Float[np.ndarray, " k"], side: int) -> Float[np.ndarray, "2 k"]:
    """Weights of sensitivities (side 0) or specificities (side 1) alone."""
    both = np.zeros((2, len(row)))
    both[side] = row
    return both
