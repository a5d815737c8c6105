"""The nearest images of different lesions, one for each lesion."""

import numpy as np
from jaxtyping import Float, Int, UInt8

from dermaug.evaluation.memorisation import Extract, Neighbours, nearest


def nearest_groups(
    distances: Float[np.ndarray, " n"], groups: np.ndarray, number: int
) -> Int[np.ndarray, " k"]:
    """Rows of the smallest distances, the nearest first, at most one of each group.

    Example:
        >>> nearest_groups(np.array([3.0, 1.0, 2.0]), np.array(["a", "b", "b"]), 2)
        array([1, 0])
    """
    order = np.argsort(distances, kind="stable")
    _, first = np.unique(groups[order], return_index=True)
    return order[np.sort(first)[:number]]


def nearest_lesions(
    image: UInt8[np.ndarray, "s s 3"],
    training: UInt8[np.ndarray, "m s s 3"],
    groups: np.ndarray,
    extract: Extract,
    number: int,
) -> list[Neighbours]:
    """The nearest image of each of the nearest lesions, by `nearest`.

    Args:
        image: The query.
        training: Real images of the same side.
        groups: Lesion of each of them.
        extract: Computes the features.
        number: How many lesions.

    Returns:
        One result for each, whose `indices` are rows of `training`, the nearest first.
    """
    left = np.arange(len(training))
    found: list[Neighbours] = []
    while len(left) and len(found) < number:
        near = nearest(image[None], training[left], extract)
        row = left[near.indices]
        found.append(Neighbours(row, near.orientations, near.pixels, near.features))
        left = left[groups[left] != groups[row[0]]]
    return found
