"""Folders whose names say that a data set comes parted into training, validation and test."""

from collections.abc import Mapping
from pathlib import Path

from dermaug.data.sources.images import sub_folders

SPLITS = frozenset(
    {"train", "training", "val", "valid", "validation", "dev", "test", "testing", "holdout"}
)


def is_split(folder: Path) -> bool:
    """Whether a folder bears the name of a split."""
    return folder.name.lower() in SPLITS


def split_folders(path: Path) -> list[Path]:
    """Sub-folders that bear the name of a split."""
    return [folder for folder in sub_folders(path) if is_split(folder)]


def pooled_note(images: Mapping[str, int]) -> str:
    """What a reader must know about given splits; `images` of each are counted."""
    counted = ", ".join(f"{name} ({number:,} images)" for name, number in images.items())
    return f"The given splits are pooled, and a run splits the images anew: {counted}."
