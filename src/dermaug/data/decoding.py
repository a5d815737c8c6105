"""One image file to one square of RGB pixels: the centred one, or the lesion's box."""

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from dermaug.data.image_files import (
    MAX_PIXELS,
    decode_whole,
    load_rgb,
    naming,
    open_header,
    read_content,
)

Crop = Literal["centre", "lesion"]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True, eq=False)
class Square:
    """What becomes of one image file.

    Args:
        pixels: RGB, uint8 (size, size, 3).
        digest: SHA-256 of the file's bytes, hex.
        cropped: Whether the square is the lesion's box rather than the centred one.
    """

    pixels: UInt8[np.ndarray, "size size 3"]
    digest: str
    cropped: bool


def decode_square(
    path: Path | str,
    size: int,
    *,
    crop: Crop = "centre",
    margin: float = 0.25,
    mask_path: Path | str = "",
    max_pixels: int = MAX_PIXELS,
) -> UInt8[np.ndarray, "size size 3"]:
    """Decode a file to a square of RGB pixels; `read_square` says more about it.

    Args:
        path: Image file of any kind that Pillow reads.
        size: Side of the square, in pixels.
        crop: `centre`: the centred square of the short side. `lesion`: the box of the segmentation
            with its margin, or the centred square where there is no segmentation.
        margin: Skin kept on each side of the lesion's box, as a fraction of its longer side.
        mask_path: Segmentation of the lesion; "" when there is none.
        max_pixels: Larger images are refused by their header.

    Raises:
        BadImageError: The file is missing, damaged, no image, animated or too large.
    """
    square = read_square(
        path, size, crop=crop, margin=margin, mask_path=mask_path, max_pixels=max_pixels
    )
    return square.pixels


def read_square(
    path: Path | str,
    size: int,
    *,
    crop: Crop = "centre",
    margin: float = 0.25,
    mask_path: Path | str = "",
    max_pixels: int = MAX_PIXELS,
) -> Square:
    """Decode a file to its square, with the file's digest; arguments as for `decode_square`."""
    content = read_content(path, max_pixels)
    lesion = lesion_box(mask_path, max_pixels) if crop == "lesion" and mask_path else None
    with naming(path, content):
        image = open_header(content, max_pixels)
        _draft(image, size, lesion, margin)
        pixels = _resize(load_rgb(image, content), size, lesion, margin)
    return Square(pixels, hashlib.sha256(content).hexdigest(), lesion is not None)


def resize_square(
    pixels: UInt8[np.ndarray, "h w 3"], size: int
) -> UInt8[np.ndarray, "size size 3"]:
    """The centred square of pixels that are decoded already, resized like a file's."""
    return _resize(Image.fromarray(np.ascontiguousarray(pixels)), size)


def lesion_box(mask_path: Path | str, max_pixels: int = MAX_PIXELS) -> Box | None:
    """Box of a segmentation, as fractions (left, top, right, bottom) of its width and height.

    Returns:
        None when the file is missing or nothing in it is at or above 128.

    Raises:
        BadImageError: The file is there and damaged.
    """
    if not Path(mask_path).exists():
        return None
    mask = np.asarray(decode_whole(mask_path, max_pixels).convert("L")) >= 128
    if not mask.any():
        return None
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    height, width = mask.shape
    return (
        float(columns[0] / width),
        float(rows[0] / height),
        float((columns[-1] + 1) / width),
        float((rows[-1] + 1) / height),
    )


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


def _resize(
    image: Image.Image, size: int, lesion: Box | None = None, margin: float = 0.0
) -> UInt8[np.ndarray, "size size 3"]:
    box = square_box(image.size, lesion, margin)
    # BOX is the mean over the area that becomes one pixel; it has nothing to say when enlarging.
    shrinks = box[2] - box[0] >= size
    resampling = Image.Resampling.BOX if shrinks else Image.Resampling.BICUBIC
    return np.asarray(image.resize((size, size), resampling, box=box))


def _draft(image: Image.Image, size: int, lesion: Box | None, margin: float) -> None:
    """Let the JPEG decoder itself halve large images while twice the wanted size remains."""
    upright = image.size
    if lesion is not None and image.getexif().get(0x0112, 1) >= 5:  # orientation: lies on its side
        upright = upright[::-1]
    box = square_box(upright, lesion, margin)
    fraction = 2 * size / (box[2] - box[0])
    if fraction <= 0.5:
        width, height = (math.ceil(length * fraction) for length in image.size)
        image.draft(None, (width, height))
