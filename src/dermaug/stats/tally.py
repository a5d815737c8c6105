"""Contribution of each group to sensitivity and specificity: correct images and all images.

For class c against the rest, an image of c that is predicted as c is a hit, and an image of another
class that is not predicted as c is a rejection. Sensitivity is the fraction of hits among images of
c, specificity the fraction of rejections among the others. The denominators do not depend on the
network.
"""

import numpy as np
from jaxtyping import Float, Int


def asked_of(
    labels: Int[np.ndarray, " n"], groups: Int[np.ndarray, " n"], shape: tuple[int, int]
) -> Float[np.ndarray, "g 2 k"]:
    """Count the images of each class, and of all other classes, per group."""
    own = _count(groups, labels, shape)
    return np.stack([own, own.sum(axis=1, keepdims=True) - own], axis=1)


def right_of(
    labels: Int[np.ndarray, " n"],
    called: Int[np.ndarray, " n"],
    groups: Int[np.ndarray, " n"],
    shape: tuple[int, int],
) -> Float[np.ndarray, "g 2 k"]:
    """Count the hits and rejections of each class, per group."""
    right = labels == called
    hits = _count(groups[right], labels[right], shape)
    alarms = _count(groups[~right], called[~right], shape)
    return np.stack([hits, asked_of(labels, groups, shape)[:, 1] - alarms], axis=1)


def _count(
    rows: Int[np.ndarray, " n"], columns: Int[np.ndarray, " n"], shape: tuple[int, int]
) -> Float[np.ndarray, "g k"]:
    flat = np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1])
    return flat.reshape(shape).astype(np.float64)
