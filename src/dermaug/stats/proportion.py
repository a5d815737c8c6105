"""A proportion and its interval (Wilson 1927), which lies within 0 and 1 and is never empty."""

from scipy.stats import binomtest


def wilson(count: int, number: int) -> tuple[float, float]:
    """Ends of Wilson's 95 % score interval; NaN if nothing was counted.

    Example:
        >>> [round(end, 3) for end in wilson(15, 20)]
        [0.531, 0.888]
    """
    if not number:
        return float("nan"), float("nan")
    found = binomtest(count, number).proportion_ci(0.95, method="wilson")
    return float(found.low), float(found.high)
