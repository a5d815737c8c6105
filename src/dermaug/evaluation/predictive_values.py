"""Predictive values at an assumed prevalence, by Bayes' rule from sensitivity and specificity.

The predictive values on a test split depend on the prevalence in the data set, in which malignant
lesions are more frequent than in a clinic (Altman and Bland 1994, doi:10.1136/bmj.309.6947.102).
"""

from typing import NamedTuple


class PredictiveValue(NamedTuple):
    """A predictive value and its derivatives.

    Args:
        value: 0 to 1; NaN without any positive (negative) prediction.
        by_sensitivity: Derivative with respect to sensitivity.
        by_specificity: Derivative with respect to specificity.
    """

    value: float
    by_sensitivity: float
    by_specificity: float


def ppv(sensitivity: float, specificity: float, prevalence: float) -> PredictiveValue:
    """Positive predictive value: share of positive predictions that are correct.

    Args:
        sensitivity: 0 to 1.
        specificity: 0 to 1.
        prevalence: Share of positives where the classifier is used, 0 to 1.

    Example:
        >>> round(ppv(0.8, 0.9, 0.02).value, 3)
        0.14
    """
    return PredictiveValue(*_share(sensitivity, 1 - specificity, prevalence))


def npv(sensitivity: float, specificity: float, prevalence: float) -> PredictiveValue:
    """Negative predictive value: share of negative predictions that are correct.

    Example:
        >>> round(npv(0.8, 0.9, 0.02).value, 4)
        0.9955
    """
    value, by_specificity, by_sensitivity = _share(specificity, 1 - sensitivity, 1 - prevalence)
    return PredictiveValue(value, by_sensitivity, by_specificity)


def _share(right: float, wrong: float, weight: float) -> tuple[float, float, float]:
    """W r / (w r + (1 - w) q), its derivative by r, and by 1 - q."""
    asked = weight * right + (1 - weight) * wrong
    if not asked > 0:
        return float("nan"), float("nan"), float("nan")
    scale = weight * (1 - weight) / asked**2
    return weight * right / asked, scale * wrong, scale * right
