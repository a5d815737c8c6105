"""What can be measured on an image of a lesion without knowing where the lesion is.

Rough on purpose: whoever asks whether a lesion grew needs a number that follows its size, not an
outline. Ranks of the area agree with those of drawn outlines, see docs/explore.md.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

BLUE = 2
"""Melanin and blood absorb blue light most: the lesion stands out from any skin."""


def otsu_thresholds(levels: Int[np.ndarray, "n p"]) -> Int[np.ndarray, " n"]:
    """The grey level up to which each row is dark, by the largest variance between two classes.

    Otsu 1979, IEEE Transactions on Systems, Man, and Cybernetics 9:62, equation 18.

    Args:
        levels: 0 to 255, one row an image.

    Example:
        >>> otsu_thresholds(np.array([[10, 12, 200, 210], [5, 5, 5, 90]]))
        array([12,  5])
    """
    number = len(levels)
    places = 256 * np.arange(number)[:, None] + levels
    counts = np.bincount(places.ravel(), minlength=256 * number).reshape(number, 256)
    below, moments = counts.cumsum(axis=1), (counts * np.arange(256)).cumsum(axis=1)
    total, mean = below[:, -1:], moments[:, -1:] / below[:, -1:]
    between = np.square(mean * below - moments) / np.maximum(below * (total - below), 1)
    return np.asarray(between.argmax(axis=1))


def lesion_area(images: UInt8[np.ndarray, "n s s 3"]) -> Float[np.ndarray, " n"]:
    """Share of the inscribed disc that is dark in blue light, 0 to 1.

    The disc leaves out the corners, which a round lens darkens.

    Args:
        images: Square, at least one.
    """
    levels, dark = _dark(images)
    return np.asarray(dark.sum(axis=1) / levels.shape[1])


def lesion_contrast(images: UInt8[np.ndarray, "n s s 3"]) -> Float[np.ndarray, " n"]:
    """How much darker the dark part of the disc is than the rest, in blue grey levels, 0 to 255.

    Args:
        images: Square, at least one; an image of one colour has a contrast of 0.
    """
    levels, dark = _dark(images)
    inside, outside = (
        (levels * part).sum(axis=1) / np.maximum(part.sum(axis=1), 1) for part in (dark, ~dark)
    )
    both = dark.any(axis=1) & ~dark.all(axis=1)
    return np.asarray(np.where(both, outside - inside, 0.0))


TRAITS: dict[str, Callable[[UInt8[np.ndarray, "n s s 3"]], Float[np.ndarray, " n"]]] = {
    "area": lesion_area,
    "contrast": lesion_contrast,
}
"""Name -> measure of images."""


def _dark(
    images: UInt8[np.ndarray, "n s s 3"],
) -> tuple[Int[np.ndarray, "n p"], Bool[np.ndarray, "n p"]]:
    """Blue levels within the disc, and which of them are dark."""
    side = images.shape[1]
    across = np.arange(side) - (side - 1) / 2.0
    disc = np.hypot(across[:, None], across[None, :]) <= side / 2.0
    levels = np.asarray(images[..., BLUE][:, disc], dtype=np.int64)  # n p
    return levels, levels <= otsu_thresholds(levels)[:, None]
