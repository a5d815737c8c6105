"""From resampled differences to a verdict, and to what the study could have seen."""

import numpy as np
from jaxtyping import Float
from scipy.stats import norm

from dermaug.stats.bootstrap import percentile_interval

HELPS, NO_EVIDENCE, HURTS = "helps", "no evidence", "hurts"
EXPLORATORY = "exploratory"
"""Looked at, not judged, and no member of the family that Holm's rule adjusts."""
ALPHA = 0.05
POWER = 0.8


def verdict(difference: float, p_adjusted: float) -> str:
    """`helps`, `hurts`, or `no evidence` when the adjusted p-value is above 0.05 or unknown.

    Example:
        >>> verdict(0.02, 0.01), verdict(-0.02, 0.01), verdict(0.02, float("nan"))
        ('helps', 'hurts', 'no evidence')
    """
    if not p_adjusted <= ALPHA:
        return NO_EVIDENCE
    return HELPS if difference > 0 else HURTS


def smallest_detectable(
    draws: Float[np.ndarray, " r"], standard_error: float, num_comparisons: int = 1
) -> float:
    """The true difference that four of five studies like this one would have found.

    The distance at which the test becomes significant, plus the distance by which an estimate
    falls short of the truth in one study of five (Cohen 1988, chapter 2).

    Args:
        draws: Resampled differences; NaN values are left out.
        standard_error: Of the difference.
        num_comparisons: Comparisons that Holm's rule adjusts for; its strictest step is taken.

    Returns:
        In the metric's units, above 0; NaN without draws, or where no two trainings differ: what
        varies is then not known.
    """
    if standard_error == 0.0:
        return float("nan")
    low, high = percentile_interval(draws, 1 - ALPHA / max(num_comparisons, 1))
    return (high - low) / 2 + float(norm.ppf(POWER)) * standard_error
