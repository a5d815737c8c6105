"""From an estimate to one of five outcomes, and to the minimum detectable difference."""

import numpy as np
from jaxtyping import Float
from scipy.special import stdtrit

from dermaug.stats.estimate import Estimate
from dermaug.stats.trainings import GROUPS_ONLY

HELPS, HURTS, EQUIVALENT = "helps", "hurts", "equivalent"
INCONCLUSIVE, NOT_JUDGED = "inconclusive", "not judged"
EXPLORATORY = "exploratory"
"""Reported with an interval, but not a member of a family that Holm's rule adjusts."""
ALPHA = 0.05
POWER = 0.8
UNATTAINABLE = "not even the largest possible gain would pass Holm's strictest step"
"""What is said of a comparison whose estimate is not attainable."""
FEWEST_GROUPS = 10
"""Smallest number of test groups, over all folds, for a verdict: of a class, or in all."""


def why_not_judged(difference: float, low: float, num_groups: float, levels: str) -> str:
    """Why a difference gets no verdict; "" where it gets one.

    Args:
        difference: Arm minus reference; NaN where it is not defined.
        low: Lower end of its interval; NaN where no interval is known.
        num_groups: Test groups that it rests on.
        levels: Sources of variation that the interval covers.

    Example:
        >>> [why_not_judged(0.1, 0.0, number, "seeds") for number in (9, 10)]
        ['9 test groups, too few to be judged', '']
    """
    if np.isnan(difference):
        return "a class has no test image, in one of the folds or in all"
    if num_groups < FEWEST_GROUPS:
        return f"{num_groups:.0f} test group{'s' * (num_groups != 1)}, too few to be judged"
    if np.isnan(low):
        return "all groups agree, or a class has only one, which tells no uncertainty: not judged"
    return "one training per arm, not judged" if levels == GROUPS_ONLY else ""


def outcome(difference: float, p_holm: float, p_equivalence: float) -> str:
    """The verdict on a difference that is judged.

    Args:
        difference: Arm minus reference; larger is better.
        p_holm: Two-sided p, adjusted within its family.
        p_equivalence: p of two one-sided tests against the margin, adjusted within its family; NaN
            without a margin.

    Example:
        >>> outcome(0.05, 0.01, 0.9), outcome(0.001, 0.6, 0.02), outcome(0.01, 0.6, 0.4)
        ('helps', 'equivalent', 'inconclusive')
    """
    if p_holm <= ALPHA:
        return HELPS if difference > 0 else HURTS
    return EQUIVALENT if p_equivalence <= ALPHA else INCONCLUSIVE


def detectable(estimate: Estimate, num_comparisons: int = 1) -> Float[np.ndarray, " m"]:
    """Minimum detectable difference: the difference that this design detects with 80 % power.

    It is the difference at which the test becomes significant at the strictest step of Holm's rule,
    plus the amount by which an estimate falls short of the truth in one of five studies (Cohen
    1988, chapter 2).

    Returns:
        Differences in the units of the metrics; NaN for metrics that are not judged.
    """
    if not estimate.is_judged:
        return np.full(len(estimate.value), np.nan)
    freedom = min(estimate.freedom, 1e6)
    short = float(stdtrit(freedom, POWER)) * estimate.standard_error
    return needed(estimate, num_comparisons) + short


def needed(estimate: Estimate, num_comparisons: int = 1) -> Float[np.ndarray, " m"]:
    """The smallest difference that is significant at the strictest step of Holm's rule."""
    low, high = estimate.interval(1 - ALPHA / max(num_comparisons, 1))
    return np.asarray((high - low) / 2)
