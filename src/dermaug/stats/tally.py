"""What each lesion contributes to sensitivity and specificity: right answers, of how many asked.

A one-vs-rest test of class c asks two things: is an image of c called c (a hit), and is an image of
another class not called c (a rejection). Sensitivity and specificity are right / asked of the two,
and balanced accuracy, mean specificity and accuracy follow. What is asked doesn't depend on the
network, so differences of networks are linear in the right answers.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

OVERALL = ("balanced_accuracy", "mean_specificity", "accuracy")
BY_CLASS = ("sensitivity", "specificity")  # in the order of the axis of length 2
ALL = "all"


def metric_names(classes: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """(scope, metric) in the order of the last axis of `rates`; the scope is `all` or a class.

    Example:
        >>> metric_names(["mel"])[2:]
        (('all', 'accuracy'), ('mel', 'sensitivity'), ('mel', 'specificity'))
    """
    by_class = [(label, metric) for metric in BY_CLASS for label in classes]
    return (*((ALL, metric) for metric in OVERALL), *by_class)


def asked_of(
    labels: Int[np.ndarray, " n"], lesions: Int[np.ndarray, " n"], shape: tuple[int, int]
) -> Float[np.ndarray, "g 2 k"]:
    """Images of each class, and of all others, by lesion.

    Args:
        labels: True class of each image.
        lesions: Lesion of each image.
        shape: Number of lesions and of classes.
    """
    own = _count(lesions, labels, shape)
    return np.stack([own, own.sum(axis=1, keepdims=True) - own], axis=1)


def right_of(
    labels: Int[np.ndarray, " n"],
    called: Int[np.ndarray, " n"],
    lesions: Int[np.ndarray, " n"],
    shape: tuple[int, int],
) -> Float[np.ndarray, "g 2 k"]:
    """Hits and rejections of each class, by lesion.

    Args:
        labels: True class of each image.
        called: Predicted class of each image.
        lesions: Lesion of each image.
        shape: Number of lesions and of classes.
    """
    right = labels == called
    hits = _count(lesions[right], labels[right], shape)
    alarms = _count(lesions[~right], called[~right], shape)
    return np.stack([hits, asked_of(labels, lesions, shape)[:, 1] - alarms], axis=1)


def rates(
    right: Float[np.ndarray, "... 2 k"], asked: Float[np.ndarray, "... 2 k"]
) -> Float[np.ndarray, "... m"]:
    """The metrics of `metric_names`; differences of them when `right` is a difference.

    Returns:
        balanced accuracy and mean specificity over the classes present, accuracy, sensitivities,
        specificities; NaN where nothing was asked.
    """
    weights = rate_weights(asked)
    values = np.einsum("...tk,...mtk->...m", right, np.nan_to_num(weights))
    return np.where(np.isnan(weights).any(axis=(-2, -1)), np.nan, values)


def rate_weights(asked: Float[np.ndarray, "... 2 k"]) -> Float[np.ndarray, "... m 2 k"]:
    """By how much one right answer raises each metric; NaN for a metric that is undefined."""
    num_classes = asked.shape[-1]
    present: np.ndarray = (asked > 0) & (asked[..., :1, :] > 0)
    with np.errstate(divide="ignore"):
        each = np.where(asked > 0, 1.0 / asked, np.nan)  # (..., 2, k)
        share = 1.0 / present.sum(axis=-1, keepdims=True)
        total = 1.0 / asked[..., 0, :].sum(axis=-1)
    weights = np.zeros((*asked.shape[:-2], len(OVERALL) + 2 * num_classes, 2, num_classes))
    for place in range(2):
        mean = np.where(present[..., place, :], each[..., place, :] * share[..., place, :], 0.0)
        nothing = ~np.any(present[..., place, :], axis=-1, keepdims=True)
        weights[..., place, place, :] = np.where(nothing, np.nan, mean)
        rows = len(OVERALL) + place * num_classes + np.arange(num_classes)
        weights[..., rows, place, np.arange(num_classes)] = each[..., place, :]
    weights[..., 2, 0, :] = np.where(np.isfinite(total), total, np.nan)[..., None]
    return weights


def _count(
    rows: Int[np.ndarray, " n"], columns: Int[np.ndarray, " n"], shape: tuple[int, int]
) -> Float[np.ndarray, "g k"]:
    flat = np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1])
    return flat.reshape(shape).astype(np.float64)
