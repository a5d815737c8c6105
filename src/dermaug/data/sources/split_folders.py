"""Folders whose names are no classes: those of given splits, and those that hold all images."""

import re
from collections.abc import Mapping
from pathlib import Path

from dermaug.data.sources.images import sub_folders

SPLITS = frozenset(
    {"train", "training", "val", "valid", "validation", "dev", "test", "testing", "holdout"}
)
CONTAINER = re.compile(
    r"(images?|imgs?|pictures|photos|jpe?gs?|pngs?|data|dataset|masks?|segmentations?|"
    r".*[-_](input|images?|jpe?g|groundtruth)|imgs_part_\d+|ham10000_images.*|isic_?20\d\d.*)",
    re.IGNORECASE,
)
"""Names of folders that hold the images of all classes."""


def is_split(folder: Path) -> bool:
    """Whether a folder bears the name of a split."""
    return folder.name.lower() in SPLITS


def is_container(folder: Path) -> bool:
    """Whether a folder bears the name of one that holds the images of all classes."""
    return CONTAINER.fullmatch(folder.name) is not None


def split_folders(path: Path) -> list[Path]:
    """Sub-folders that bear the name of a split."""
    return [folder for folder in sub_folders(path) if is_split(folder)]


def pooled_note(images: Mapping[str, int]) -> str:
    """What a reader must know about given splits; `images` of each are counted."""
    counted = ", ".join(f"{name} ({number:,} images)" for name, number in images.items())
    return f"The given splits are pooled, and a run splits the images anew: {counted}."
