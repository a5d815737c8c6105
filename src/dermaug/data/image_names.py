"""Which files are images, by their names."""

from pathlib import PurePosixPath

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".avif", ".bmp", ".tif", ".tiff"})
MASK_ENDING = "_segmentation.png"


def is_image(name: str) -> bool:
    """Whether a file's name is an image's: not a mask's, nor hidden (`._one.jpg` of macOS)."""
    is_other = name.startswith(".") or name.lower().endswith(MASK_ENDING)
    return PurePosixPath(name).suffix.lower() in SUFFIXES and not is_other
