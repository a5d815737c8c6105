"""Malignant or pre-malignant against benign, from the names of the diagnoses."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int
from sklearn.metrics import roc_auc_score, roc_curve

from dermaug.data.diagnoses import OTHER_NAMES, meaning
from dermaug.evaluation.discrimination import ratio, require_arrays

MALIGNANT = (
    "melanoma",
    "basal cell carcinoma",
    "squamous cell carcinoma",
    "Bowen's disease",
    "actinic keratosis",
    "malignant",
)
"""Malignant or pre-malignant diagnoses of `OTHER_NAMES`; of actinic keratosis, with intraepithelial
carcinoma, a part becomes invasive."""
MELANOMA = "melanoma"


def unknown_classes(classes: Sequence[str]) -> list[str]:
    """Classes whose names are no diagnoses of `OTHER_NAMES`, in any of its spellings.

    Example:
        >>> unknown_classes(["Melanoma", "Naevus", "other"])
        ['other']
    """
    return [label for label in classes if meaning(label) not in OTHER_NAMES]


def malignant_classes(classes: Sequence[str]) -> Bool[np.ndarray, " k"] | None:
    """Mask of the classes that are malignant or pre-malignant.

    Returns:
        None where a class is no known diagnosis, or when all or none are malignant.

    Example:
        >>> malignant_classes(["bkl", "Melanoma", "nv"])
        array([False,  True, False])
        >>> malignant_classes(["bkl", "nv"]) is None
        True
    """
    chosen = np.array([meaning(label) in MALIGNANT for label in classes])
    known = not unknown_classes(classes)
    return chosen if known and chosen.any() and not chosen.all() else None


def melanoma_classes(classes: Sequence[str]) -> Bool[np.ndarray, " k"]:
    """Mask of the classes that are melanoma.

    Example:
        >>> melanoma_classes(["mel", "Naevus"])
        array([ True, False])
    """
    return np.array([meaning(label) == MELANOMA for label in classes])


def one_against_rest(
    labels: Int[np.ndarray, " n"],
    probabilities: Float[np.ndarray, "n k"],
    chosen: Bool[np.ndarray, " k"],
) -> tuple[Bool[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Whether each image is of a chosen class, and the sum of those classes' probabilities."""
    require_arrays(labels, probabilities)
    return chosen[labels], probabilities[:, chosen].sum(axis=1)


def called_by_top_class(
    probabilities: Float[np.ndarray, "n k"], chosen: Bool[np.ndarray, " k"]
) -> Bool[np.ndarray, " n"]:
    """Whether the class of highest probability is a chosen one."""
    return np.asarray(chosen[probabilities.argmax(axis=1)])


def sensitivity_specificity(
    positive: Bool[np.ndarray, " n"], called: Bool[np.ndarray, " n"]
) -> tuple[float, float]:
    """TP / (TP + FN) and TN / (TN + FP); NaN where there is no such image.

    Example:
        >>> sensitivity_specificity(np.array([True, True, False]), np.array([True, False, False]))
        (0.5, 1.0)
    """
    sensitivity = ratio((positive & called).sum(), positive.sum())
    specificity = ratio((~positive & ~called).sum(), (~positive).sum())
    return float(sensitivity), float(specificity)


def auc(positive: Bool[np.ndarray, " n"], scores: Float[np.ndarray, " n"]) -> float:
    """Area under the ROC curve; NaN if all images are positive or none is."""
    if positive.all() or not positive.any():
        return float("nan")
    return float(roc_auc_score(positive, scores))


def partial_auc(
    positive: Bool[np.ndarray, " n"], scores: Float[np.ndarray, " n"], sensitivity: float = 0.8
) -> float:
    """Area under the ROC curve above a sensitivity, by which the ISIC 2024 challenge ranks.

    Args:
        positive: Whether each image is of the target.
        scores: Higher is more suspicious.
        sensitivity: Only the part of the curve above it counts.

    Returns:
        From 0 to 1 - sensitivity, which a perfect ranking reaches; (1 - sensitivity)^2 / 2 by
        chance; NaN when all images are on one side.

    Example:
        >>> round(partial_auc(np.array([True, False]), np.array([0.9, 0.1])), 3)
        0.2
    """
    if positive.all() or not positive.any():
        return float("nan")
    # The curve of the negatives, whose false-positive rate is the share of positives missed.
    missed, kept = roc_curve(~positive, -scores)[:2]
    most = 1.0 - sensitivity
    inside = missed < most
    x = np.append(missed[inside], most)
    y = np.append(kept[inside], np.interp(most, missed, kept))
    return float(np.trapezoid(y, x))
