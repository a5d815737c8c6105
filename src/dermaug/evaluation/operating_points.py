"""Operating points: thresholds for a target specificity or sensitivity, chosen on validation.

A threshold chosen on the ROC curve of the test split would be optimistic. The specificity attained
on test is reported next to the target.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from dermaug.errors import DermaugError
from dermaug.evaluation.malignancy import sensitivity_specificity

SPECIFICITIES = (0.80, 0.90, 0.95)
SENSITIVITIES = (0.90, 0.95)


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores of images for a binary question, such as melanoma or not.

    Args:
        positive: Whether each image is of the target.
        scores: Higher is more suspicious.

    Raises:
        DermaugError: The lengths differ, or a score is not a number.
    """

    positive: Bool[np.ndarray, " n"]
    scores: Float[np.ndarray, " n"]

    def __post_init__(self) -> None:
        if self.positive.shape != self.scores.shape or self.positive.ndim != 1:
            raise DermaugError(
                f"expected n flags and n scores, found {self.positive.shape} and "
                f"{self.scores.shape}"
            )
        if not np.isfinite(self.scores).all():
            raise DermaugError("expected finite scores, found NaN or infinity")


def threshold_for(part: Scored, specificity: float) -> float:
    """The lowest threshold that leaves at least this share of the negatives at or below it.

    An image is called positive when its score lies above the threshold.

    Args:
        part: Scores on the validation split, on which the threshold is chosen.
        specificity: In (0, 1].

    Returns:
        A score of a negative image; NaN without negatives.

    Raises:
        DermaugError: `specificity` is outside (0, 1].

    Example:
        >>> part = Scored(np.array([False] * 4 + [True]), np.array([0.1, 0.2, 0.3, 0.4, 0.35]))
        >>> threshold_for(part, 0.75)
        0.3
    """
    if not 0.0 < specificity <= 1.0:
        raise DermaugError(f"expected a specificity above 0 and up to 1, found {specificity}")
    negatives = np.sort(part.scores[~part.positive])
    if not len(negatives):
        return float("nan")
    return float(negatives[_kept(specificity, len(negatives)) - 1])


def threshold_finding(part: Scored, sensitivity: float) -> float:
    """The highest threshold that leaves at least this share of the positives above it.

    Args:
        part: Scores on the validation split, on which the threshold is chosen.
        sensitivity: In (0, 1].

    Returns:
        Just below the score of a positive image; NaN without positives.

    Raises:
        DermaugError: `sensitivity` is outside (0, 1].

    Example:
        >>> part = Scored(np.array([True] * 4 + [False]), np.array([0.1, 0.2, 0.3, 0.4, 0.35]))
        >>> 0.1 < threshold_finding(part, 0.75) < 0.2
        True
    """
    if not 0.0 < sensitivity <= 1.0:
        raise DermaugError(f"expected a sensitivity above 0 and up to 1, found {sensitivity}")
    positives = np.sort(part.scores[part.positive])[::-1]
    if not len(positives):
        return float("nan")
    return float(np.nextafter(positives[_kept(sensitivity, len(positives)) - 1], -np.inf))


def _kept(share: float, number: int) -> int:
    """Number of images that a share requires, robust to rounding: 0.95 x 20 is 19."""
    return max(math.ceil(share * number - 1e-9), 1)


def at_threshold(part: Scored, threshold: float) -> tuple[float, float]:
    """Sensitivity and specificity when scores above the threshold are called positive.

    Returns:
        Each in [0, 1]; NaN where there is no such image, or the threshold is NaN.
    """
    if math.isnan(threshold):
        return float("nan"), float("nan")
    return sensitivity_specificity(part.positive, part.scores > threshold)


def operating_points(validation: Scored, test: Scored) -> pd.DataFrame:
    """Sensitivity and specificity on the test split at thresholds chosen on validation.

    Returns:
        One row per entry of `SPECIFICITIES`: wanted_specificity, threshold, validation_sensitivity,
        validation_specificity, sensitivity and specificity (both on the test split).
    """
    rows = []
    for wanted in SPECIFICITIES:
        threshold = threshold_for(validation, wanted)
        rates = (rate for part in (validation, test) for rate in at_threshold(part, threshold))
        rows.append((wanted, threshold, *rates))
    columns = ["wanted_specificity", "threshold", "validation_sensitivity"]
    columns += ["validation_specificity", "sensitivity", "specificity"]
    return pd.DataFrame(rows, columns=columns)
