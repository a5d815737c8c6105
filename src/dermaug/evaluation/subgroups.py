"""Groups of patients by age."""

from itertools import pairwise

import numpy as np
from jaxtyping import Float

AGE_STARTS = (0, 30, 45, 60, 75)
UNKNOWN = "unknown"


def age_bands(years: Float[np.ndarray, " n"]) -> list[str]:
    """Name the age band of each patient.

    Args:
        years: NaN where it is not known.

    Example:
        >>> age_bands(np.array([25.0, 30.0, 80.0, np.nan]))
        ['under 30', '30–44', '75 and over', 'unknown']
    """
    names = age_band_names()
    places = np.searchsorted(AGE_STARTS, np.nan_to_num(years, nan=0.0), side="right") - 1
    return [
        UNKNOWN if np.isnan(age) else names[max(place, 0)]
        for age, place in zip(years, places, strict=True)
    ]


def age_band_names() -> list[str]:
    """The bands, youngest first."""
    between = [f"{start}–{end - 1}" for start, end in pairwise(AGE_STARTS[1:])]
    return [f"under {AGE_STARTS[1]}", *between, f"{AGE_STARTS[-1]} and over"]
