"""Contact sheets: many small images in one picture."""

from pathlib import Path

import numpy as np
from einops import rearrange
from jaxtyping import UInt8
from PIL import Image

from dermaug.aside import written_aside


def contact_sheet(images: UInt8[np.ndarray, "n h w 3"], columns: int) -> UInt8[np.ndarray, "H W 3"]:
    """Images row by row, with a white gap of two pixels; the last row is filled with white.

    Example:
        >>> contact_sheet(np.zeros((5, 8, 8, 3), np.uint8), columns=3).shape
        (18, 28, 3)
    """
    rows = -(-len(images) // columns)
    gap = rows * columns - len(images)
    images = np.pad(images, ((0, gap), (0, 2), (0, 2), (0, 0)), constant_values=255)
    if gap:
        images[-gap:] = 255
    sheet = rearrange(images, "(r c) h w k -> (r h) (c w) k", r=rows)
    return sheet[:-2, :-2]


def save_contact_sheet(
    path: Path, images: UInt8[np.ndarray, "n h w 3"], columns: int = 8, side: int | None = None
) -> None:
    """Write a contact sheet as PNG.

    Args:
        path: Path of the file.
        images: Images of one size.
        columns: Number of images per row.
        side: Larger images are reduced to this width; None keeps all sizes.
    """
    sheet = Image.fromarray(contact_sheet(images, columns))
    if side is not None and images.shape[2] > side:
        scale = side / images.shape[2]
        sheet = sheet.resize((round(scale * sheet.width), round(scale * sheet.height)))
    with written_aside(path) as aside:
        sheet.save(aside, format="PNG")
