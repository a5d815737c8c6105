"""Sensitivity, specificity, AUC and related metrics of a multi-class classifier.

Metrics are one-vs-rest at the class of highest probability. Undefined values (a class without test
images, a class that is never predicted) are NaN, not 0, and give no warning.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from dermaug.errors import DermaugError

OVERALL = (
    "balanced_accuracy",
    "mean_specificity",
    "accuracy",
    "macro_auc",
    "kappa",
    "weighted_sensitivity",
)


@dataclass(frozen=True, eq=False)
class RocCurve:
    """One class against the rest, at every threshold; both axes run from 0 to 1.

    Args:
        false_positive_rate: 1 - specificity, rising.
        sensitivity: At the same thresholds, rising.
        thresholds: Probability from which an image counts as the class; the first is infinite.
    """

    false_positive_rate: Float[np.ndarray, " t"]
    sensitivity: Float[np.ndarray, " t"]
    thresholds: Float[np.ndarray, " t"]


def confusion(
    labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"]
) -> Int[np.ndarray, "k k"]:
    """Count images by true class (row) and class of highest probability (column).

    Raises:
        DermaugError: The shapes disagree, a label has no column, or a value is not a number.
    """
    require_arrays(labels, probabilities)
    num_classes = probabilities.shape[1]
    cells = labels * num_classes + probabilities.argmax(axis=1)
    return np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


def sensitivities(counts: Float[np.ndarray, "... k k"]) -> Float[np.ndarray, "... k"]:
    """TP / (TP + FN) of each class; NaN for a class without images."""
    return ratio(_diagonal(counts), counts.sum(axis=-1))


def specificities(counts: Float[np.ndarray, "... k k"]) -> Float[np.ndarray, "... k"]:
    """TN / (TN + FP) of each class; NaN when all images are of the class."""
    others = counts.sum(axis=(-1, -2))[..., None] - counts.sum(axis=-1)
    false_positives = counts.sum(axis=-2) - _diagonal(counts)
    return ratio(others - false_positives, others)


def rates(counts: Float[np.ndarray, "... k k"]) -> dict[str, Float[np.ndarray, "..."]]:
    """Rates of a confusion matrix, or of a stack of them.

    Args:
        counts: Confusion matrices, true class by rows.

    Returns:
        balanced_accuracy (mean sensitivity over the classes present), mean_specificity (over the
        same classes) and accuracy, each in [0, 1], NaN without images.
    """
    present = counts.sum(axis=-1) > 0
    return {
        "balanced_accuracy": mean_defined(sensitivities(counts)),
        "mean_specificity": mean_defined(np.where(present, specificities(counts), np.nan)),
        "accuracy": ratio(_diagonal(counts).sum(axis=-1), counts.sum(axis=(-1, -2))),
    }


def kappa(counts: Float[np.ndarray, "... k k"]) -> Float[np.ndarray, "..."]:
    """Cohen's kappa of one confusion matrix or of a stack of them (Cohen 1960).

    Returns:
        Agreement beyond chance, -1 to 1; NaN if chance alone would agree always.
    """
    total = counts.sum(axis=(-1, -2))
    observed = ratio(_diagonal(counts).sum(axis=-1), total)
    by_chance = (counts.sum(axis=-1) * counts.sum(axis=-2)).sum(axis=-1)
    expected = ratio(by_chance, total * total)
    return ratio(observed - expected, 1.0 - expected)


def roc(
    labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"], index: int
) -> RocCurve | None:
    """ROC curve of class `index` against the rest; None if either side has no image."""
    require_arrays(labels, probabilities)
    positive = labels == index
    if positive.all() or not positive.any():
        return None
    return RocCurve(*roc_curve(positive, probabilities[:, index], drop_intermediate=True))


def per_class(
    labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"], classes: Sequence[str]
) -> pd.DataFrame:
    """One row per class, each against the rest.

    Returns:
        label, support (images), sensitivity, specificity, ppv, npv, f1, auc, average_precision;
        all but the first two in [0, 1] or NaN when undefined.
    """
    counts = confusion(labels, probabilities)
    true, called = counts.sum(axis=1), counts.sum(axis=0)
    hits = counts.diagonal()
    true_negatives = counts.sum() - true - called + hits
    return pd.DataFrame(
        {
            "label": list(classes),
            "support": true,
            "sensitivity": sensitivities(counts),
            "specificity": specificities(counts),
            "ppv": ratio(hits, called),
            "npv": ratio(true_negatives, counts.sum() - called),
            # Without images of the class, F1 would only measure false positives.
            "f1": np.where(true > 0, ratio(2 * hits, true + called), np.nan),
            "auc": aucs(labels, probabilities),
            "average_precision": _average_precisions(labels, probabilities),
        }
    )


def overall(
    labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"]
) -> dict[str, float]:
    """Score a whole set of predictions by the metrics of `OVERALL`.

    Returns:
        The metrics of `rates`; macro_auc, the mean one-vs-rest AUC of the classes that have one;
        kappa (Cohen, unweighted); weighted_sensitivity, weighted by support, which is accuracy
        under the name that some papers give it.
    """
    counts = confusion(labels, probabilities)
    support = counts.sum(axis=1)
    numbers = {name: float(value) for name, value in rates(counts).items()}
    numbers["macro_auc"] = float(mean_defined(aucs(labels, probabilities)))
    numbers["kappa"] = float(kappa(counts))
    weighted = np.nansum(sensitivities(counts) * support)
    numbers["weighted_sensitivity"] = float(ratio(weighted, support.sum()))
    return numbers


def aucs(
    labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"]
) -> Float[np.ndarray, " k"]:
    """Area under the ROC curve of each class against the rest; NaN when either side is empty."""
    return np.array(
        [
            np.nan if positive.all() or not positive.any() else roc_auc_score(positive, scores)
            for positive, scores in _one_vs_rest(labels, probabilities)
        ]
    )


def require_arrays(labels: np.ndarray, probabilities: np.ndarray) -> None:
    """Raise unless there are n labels for n x k finite probabilities.

    Raises:
        DermaugError: The shapes disagree, a label has no column, or a value is not a number.
    """
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1]:
        raise DermaugError(
            f"expected n labels and n x k probabilities, found {labels.shape} and "
            f"{probabilities.shape}"
        )
    if not np.isfinite(probabilities).all():
        raise DermaugError("expected finite probabilities, found NaN or infinity")
    if labels.size and not 0 <= labels.min() <= labels.max() < probabilities.shape[1]:
        raise DermaugError(
            f"expected labels 0 to {probabilities.shape[1] - 1}, "
            f"found {labels.min()} to {labels.max()}"
        )


def ratio(above: object, below: object) -> np.ndarray:
    """Divide numbers or arrays that broadcast; the result is NaN where the denominator is 0."""
    above, below = np.asarray(above, dtype=float), np.asarray(below, dtype=float)
    empty = np.full(np.broadcast_shapes(above.shape, below.shape), np.nan)
    np.divide(above, below, out=empty, where=below > 0)
    return empty


def mean_defined(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis of the values that are defined; NaN when none is."""
    kept = ~np.isnan(values)
    return ratio(np.where(kept, np.nan_to_num(values), 0.0).sum(axis=-1), kept.sum(axis=-1))


def _average_precisions(
    labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"]
) -> Float[np.ndarray, " k"]:
    return np.array(
        [
            average_precision_score(positive, scores) if positive.any() else np.nan
            for positive, scores in _one_vs_rest(labels, probabilities)
        ]
    )


def _one_vs_rest(
    labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"]
) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(labels == index, column) for index, column in enumerate(probabilities.T)]


def _diagonal(counts: np.ndarray) -> np.ndarray:
    return np.asarray(np.diagonal(counts, axis1=-2, axis2=-1))
