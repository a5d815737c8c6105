"""Decode an image file to a square of RGB pixels: the central square or the lesion's box."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import UInt8

from dermaug.data import containers
from dermaug.data.image_files import MAX_PIXELS, decode, decode_whole, read_content
from dermaug.data.signature import Signature, sign
from dermaug.data.squares import Box, resized

Crop = Literal["centre", "lesion"]


@dataclass(frozen=True, eq=False)
class Square:
    """One decoded image file.

    Args:
        pixels: RGB, uint8 (size, size, 3).
        signature: Signature of the whole image.
        cropped: Whether the square is the lesion's box rather than the central square.
    """

    pixels: UInt8[np.ndarray, "size size 3"]
    signature: Signature
    cropped: bool


def read_square(
    path: Path | str,
    size: int,
    *,
    crop: Crop = "centre",
    margin: float = 0.25,
    mask_path: Path | str = "",
    max_pixels: int = MAX_PIXELS,
) -> Square:
    """Decode a file to a square of RGB pixels, with its signature.

    Args:
        path: Image file of any kind that Pillow reads.
        size: Side of the square, in pixels.
        crop: `centre`: the centred square of the short side. `lesion`: the box of the segmentation
            with its margin, or the centred square where there is no segmentation.
        margin: Margin on each side of the lesion's box, as a fraction of its longer side.
        mask_path: Segmentation of the lesion; "" when there is none.
        max_pixels: Images with more pixels in their header are refused.

    Raises:
        BadImageError: The file is missing, damaged, no image, animated or too large.
    """
    content = read_content(path, max_pixels)
    image = decode(path, content, max_pixels)
    lesion, mask = None, ""
    if crop == "lesion" and mask_path and containers.exists(Path(mask_path)):
        lesion = lesion_box(mask_path, max_pixels)
        mask = hashlib.sha256(read_content(mask_path, max_pixels)).hexdigest()
    square = resized(image, size, lesion, margin)
    return Square(square, sign(image, content, mask), lesion is not None)


def lesion_box(mask_path: Path | str, max_pixels: int = MAX_PIXELS) -> Box | None:
    """Box of a segmentation, as fractions (left, top, right, bottom) of its width and height.

    Returns:
        None when the file is missing or nothing in it is at or above 128.

    Raises:
        BadImageError: The file is there and damaged.
    """
    if not containers.exists(Path(mask_path)):
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
