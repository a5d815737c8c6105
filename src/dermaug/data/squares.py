"""Which square is cut out of an image, and how it is brought to its size."""

import numpy as np
from jaxtyping import UInt8
from PIL import Image

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def square_box(extent: tuple[int, int], lesion: Box | None = None, margin: float = 0.0) -> Box:
    """The square to cut out, in pixels (left, top, right, bottom), never outside the image.

    Args:
        extent: Width and height of the image.
        lesion: Box of the lesion in fractions, or None for the centred square of the short side.
        margin: Skin on each side of the lesion, as a fraction of its longer side.

    Example:
        >>> square_box((200, 150))
        (25.0, 0.0, 175.0, 150.0)
        >>> square_box((200, 100), (0.0, 0.4, 0.1, 0.6), margin=0.5)
        (0.0, 30.0, 40.0, 70.0)
    """
    width, height = extent
    short = float(min(width, height))
    if lesion is None:
        centre, side = (width / 2, height / 2), short
    else:
        left, top, right, bottom = (a * b for a, b in zip(lesion, (width, height) * 2, strict=True))
        centre = ((left + right) / 2, (top + bottom) / 2)
        side = min(max(right - left, bottom - top, 1.0) * (1 + 2 * margin), short)
    left = min(max(centre[0] - side / 2, 0.0), width - side)
    top = min(max(centre[1] - side / 2, 0.0), height - side)
    return left, top, left + side, top + side


def resized(
    image: Image.Image, size: int, lesion: Box | None = None, margin: float = 0.0
) -> UInt8[np.ndarray, "size size 3"]:
    """The square of an image, averaged down or enlarged to `size`; see `square_box`."""
    box = square_box(image.size, lesion, margin)
    # BOX is the mean over the area that becomes one pixel; it has nothing to say when enlarging.
    shrinks = box[2] - box[0] >= size
    resampling = Image.Resampling.BOX if shrinks else Image.Resampling.BICUBIC
    return np.asarray(image.resize((size, size), resampling, box=box))


def resize_square(
    pixels: UInt8[np.ndarray, "h w 3"], size: int
) -> UInt8[np.ndarray, "size size 3"]:
    """The centred square of pixels that are decoded already, resized like a file's."""
    return resized(Image.fromarray(np.ascontiguousarray(pixels)), size)
