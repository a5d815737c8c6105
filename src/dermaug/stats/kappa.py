"""Agreement of two readers beyond chance (Cohen 1960), with a bootstrap interval over cases."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dermaug.evaluation.discrimination import kappa
from dermaug.stats.bootstrap import percentile_interval, stratified_totals


@dataclass(frozen=True)
class Agreement:
    """Agreement of two readers on the same cases.

    Args:
        number: Number of cases.
        agreed: Number of cases with equal answers.
        kappa: Cohen's kappa: 0 at chance, 1 if all answers are equal; NaN if both readers gave one
            and the same answer throughout.
        low: Lower end of its 95 % interval; NaN where no resample differs from the others.
        high: Upper end.
    """

    number: int
    agreed: int
    kappa: float
    low: float
    high: float


def cohen_kappa(first: Sequence[str], second: Sequence[str]) -> Agreement:
    """Compare the answers of two readers.

    Example:
        >>> found = cohen_kappa(["nv", "nv", "mel", "mel"], ["nv", "nv", "mel", "nv"])
        >>> found.agreed, found.kappa
        (3, 0.5)
    """
    names = sorted({*first, *second})
    places = {name: place for place, name in enumerate(names)}
    pairs = np.zeros((len(first), len(names), len(names)))
    for case, (one, other) in enumerate(zip(first, second, strict=True)):
        pairs[case, places[one], places[other]] = 1
    total = pairs.sum(axis=0)
    low = high = float("nan")
    if len(pairs):
        low, high = percentile_interval(kappa(stratified_totals([pairs])))
    if low == high:
        low = high = float("nan")
    return Agreement(len(pairs), int(np.trace(total)), float(kappa(total)), low, high)
