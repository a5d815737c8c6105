"""The approximate area of a lesion, without a segmentation.

To see whether a lesion grew, a number that increases with its size is enough. The ranks agree with
those of drawn outlines: see docs/explore.md.
"""

import numpy as np
from jaxtyping import Float, Int, UInt8

BLUE = 2
"""Melanin and blood absorb blue light most: the lesion stands out from any skin."""


def lesion_area(images: UInt8[np.ndarray, "n s s 3"]) -> Float[np.ndarray, " n"]:
    """Share of the inscribed disc that is dark in blue light, 0 to 1.

    The disc leaves out the corners, which a round lens darkens.
    """
    side = images.shape[1]
    across = np.arange(side) - (side - 1) / 2.0
    disc = np.hypot(across[:, None], across[None, :]) <= side / 2.0
    levels = np.asarray(images[..., BLUE][:, disc], dtype=np.int64)  # n p
    return np.asarray((levels <= otsu_thresholds(levels)[:, None]).mean(axis=1))


def otsu_thresholds(levels: Int[np.ndarray, "n p"]) -> Int[np.ndarray, " n"]:
    """The grey level up to which each row is dark, by the largest variance between two classes.

    Otsu 1979, IEEE Transactions on Systems, Man, and Cybernetics 9:62, equation 18.

    Args:
        levels: 0 to 255, one row per image.

    Example:
        >>> otsu_thresholds(np.array([[10, 12, 200, 210], [5, 5, 5, 90]]))
        array([12,  5])
    """
    counts = np.stack([np.bincount(row, minlength=256) for row in levels])
    below, moments = counts.cumsum(axis=1), (counts * np.arange(256)).cumsum(axis=1)
    total, mean = below[:, -1:], moments[:, -1:] / below[:, -1:]
    between = np.square(mean * below - moments) / np.maximum(below * (total - below), 1)
    return np.asarray(between.argmax(axis=1))
