"""What metrics rest on: the test groups and images behind them."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from dermaug.evaluation.discrimination import ratio
from dermaug.stats.metrics import ALL, EVERYONE, Metric, MetricSet
from dermaug.stats.trainings import FoldSample


def groups_of(samples: Sequence[FoldSample], metrics: Sequence[Metric]) -> Float[np.ndarray, " m"]:
    """Test groups that each metric rests on: those of its class, or all."""
    tested, everyone = _tested(samples), sum(len(each.asked) for each in samples)
    places: dict[str, int] = {}
    found = []
    for metric in metrics:
        if metric.scope == ALL:
            found.append(everyone)
            continue
        place = places.setdefault(metric.scope, len(places))
        found.append(tested[int(metric.metric == "specificity"), place])
    return np.array(found, dtype=float)


def rests_on_one(
    samples: Sequence[FoldSample], metrics: MetricSet, weights: Float[np.ndarray, "m r k"]
) -> Bool[np.ndarray, " m"]:
    """Whether a metric needs a class of which one group is tested.

    How another group of it would be answered is unknown, however many groups other classes have.
    """
    tested = _tested(samples)
    needed = [
        tested[side] if row < metrics.num_rates else tested.min(axis=0)
        for row, side in enumerate(metrics.sides)
        if side != EVERYONE
    ]
    used = np.nan_to_num(weights[:, np.array(metrics.sides) != EVERYONE]) != 0.0
    return np.asarray((used & (np.stack(needed) == 1)).any(axis=(1, 2)))


def share_of(
    totals: Float[np.ndarray, "2 k"], support: Float[np.ndarray, "2 k"], sides: Sequence[int]
) -> Float[np.ndarray, "r k"]:
    """Weight of a fold in each row: its share of the images that the row rests on."""
    shares = {side: ratio(totals[side], support[side]) for side in (0, 1)}
    shares[EVERYONE] = ratio(totals.sum(axis=0), support.sum(axis=0))
    return np.stack([np.nan_to_num(shares[side]) for side in sides])


def _tested(samples: Sequence[FoldSample]) -> Float[np.ndarray, "2 k"]:
    """Groups with an image of each class, and of any other."""
    return np.asarray(np.sum([(each.asked > 0).sum(axis=0) for each in samples], axis=0))
