"""Scores of groups of patients: counts that add up over images, lesions and bootstrap draws."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int

from dermaug.evaluation.discrimination import mean_defined, ratio, require_arrays

AGE_STARTS = (0, 30, 45, 60, 75)
UNKNOWN = "unknown"
METRICS = ("balanced_accuracy", "malignant_sensitivity", "malignant_specificity")


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


def image_tallies(
    labels: Int[np.ndarray, " n"],
    probabilities: Float[np.ndarray, "n k"],
    malignant: Bool[np.ndarray, " k"] | None,
) -> Float[np.ndarray, "n 2 c"]:
    """What each image adds to the counts that `tally_rates` divides.

    Args:
        labels: Index of the true class.
        probabilities: One row an image, one column a class.
        malignant: Which classes are malignant or pre-malignant; None leaves that question out.

    Returns:
        Along the second axis: right (0 or 1) and present (0 or 1). Along the third: each class,
        then malignant or pre-malignant ones together, and benign ones.

    Raises:
        DermaugError: The shapes disagree, a label has no column, or a value is not a number.
    """
    require_arrays(labels, probabilities)
    called, num_classes = probabilities.argmax(axis=1), probabilities.shape[1]
    present = np.zeros((len(labels), num_classes + 2))
    present[np.arange(len(labels)), labels] = 1.0
    right = present * (called == labels)[:, None]
    if malignant is not None:
        sides = np.stack([malignant, ~malignant], axis=1)  # (k, 2)
        present[:, num_classes:] = sides[labels]
        right[:, num_classes:] = sides[labels] & sides[called]
    return np.stack([right, present], axis=1)


def tally_rates(counts: Float[np.ndarray, "... 2 c"]) -> dict[str, Float[np.ndarray, "..."]]:
    """The metrics of `METRICS` from sums of `image_tallies`.

    Returns:
        balanced_accuracy (mean sensitivity over the classes present), malignant_sensitivity and
        malignant_specificity at the class of highest probability; NaN without such images.
    """
    shares = ratio(counts[..., 0, :], counts[..., 1, :])
    classes = shares[..., :-2]
    return {
        "balanced_accuracy": mean_defined(classes, ~np.isnan(classes)),
        "malignant_sensitivity": shares[..., -2],
        "malignant_specificity": shares[..., -1],
    }


def supports(counts: Float[np.ndarray, "2 c"]) -> dict[str, int]:
    """Images that each metric of `METRICS` rests on."""
    present = counts[1]
    malignant, benign = int(present[-2]), int(present[-1])
    numbers: Sequence[int] = (int(present[:-2].sum()), malignant, benign)
    return dict(zip(METRICS, numbers, strict=True))
