"""Adjustment of p-values for multiple comparisons (Holm 1979, Scand. J. Statist. 6:65-70)."""

import numpy as np
from jaxtyping import Float


def holm(p_values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Adjust p-values by Holm's step-down rule, which controls the family-wise error rate.

    Args:
        p_values: Values in [0, 1]; NaN (a comparison that could not be made) stays NaN and is not
            counted.

    Example:
        >>> holm(np.array([0.01, 0.04, 0.03])).round(2)
        array([0.03, 0.06, 0.06])
    """
    adjusted = np.full(len(p_values), np.nan)
    made = np.flatnonzero(~np.isnan(p_values))
    order = made[np.argsort(p_values[made], kind="stable")]
    scaled = p_values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted
