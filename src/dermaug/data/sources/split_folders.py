"""Folders whose names are no classes: those of given splits, and those that hold all images."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from dermaug.data.findings import Findings
from dermaug.data.image_folders import plain_name, sub_folders

SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "holdout"), "test"),
}
"""Name of a given split, in lower case -> split of a fold."""
CONTAINER = re.compile(
    r"(images?|imgs?|pictures|photos?|photographs|jpe?gs?|pngs?|data|dataset|masks?|segmentations?|"
    r"bilder|fotos?|aufnahmen|photographies|immagini|foto|fotografie|im[aá]genes|imagens|fotograf[ií]as|"
    r"dcim|camera|[1-9]\d\d[a-z0-9_]{5}|"  # as cameras name folders: 100CANON
    r".*[-_](input|images?|jpe?g|groundtruth)|imgs_part_\d+|ham10000_images.*|isic_?20\d\d.*)",
    re.IGNORECASE,
)
"""Names of folders that hold the images of all classes."""


NAMED = 5
"""Words that a sentence shows."""
NONE = "none"
"""How images are counted that are in no given split."""


def is_split(folder: Path) -> bool:
    """Whether a folder bears the name of a split."""
    return plain_name(folder).lower() in SPLITS


def split_name(text: str) -> str:
    """The split of a fold that a text names; "" if it names none.

    Example:
        >>> split_name("Valid")
        'validation'
    """
    return SPLITS.get(text.strip().lower(), "")


def split_of(cell: str) -> str:
    """The split in a cell of a table; an image of several splits has all of them, joined by +."""
    names = [split_name(part) for part in cell.split("+")]
    return "+".join(names) if all(names) else ""


def add_unknown_splits(
    cells: Iterable[tuple[str, str]], splits: Sequence[str], findings: Findings
) -> None:
    """Report words in a column of splits that name none; nothing if no splits are given.

    Args:
        cells: Place and text of each cell; an empty one names no split, and may.
        splits: The splits that the cells name.
        findings: Gets one line for each cell.
    """
    if not _are_given(splits):
        return
    for (where, text), split in zip(cells, splits, strict=True):
        if text and not split:
            findings.add(f"{where}: split {text[:40]!r}: expected train, validation or test")


def _are_given(splits: Collection[str]) -> bool:
    return {"train", "test"} <= set(splits)


def with_splits(table: pd.DataFrame, splits: Sequence[str]) -> pd.DataFrame:
    """A catalog's table with the split of each image, if training and test splits are given."""
    return table.assign(split=list(splits)) if _are_given(splits) else table


def unread_splits(cells: Iterable[str], table: pd.DataFrame) -> list[str]:
    """What is said of a column `split` that names no splits, as a list of one sentence or none.

    Args:
        cells: Texts of the column.
        table: What `with_splits` returned.
    """
    words = list(dict.fromkeys(filter(None, cells)))
    if not words or "split" in table:
        return []
    found = ", ".join(word[:40] for word in words[:NAMED]) + ", ..." * (len(words) > NAMED)
    return [f"The column split was not read: expected train and test in it, found {found}."]


def is_container(folder: Path) -> bool:
    """Whether a folder bears the name of one that holds the images of all classes."""
    return CONTAINER.fullmatch(plain_name(folder)) is not None


def split_folders(path: Path) -> list[Path]:
    """Sub-folders that bear the name of a split."""
    return [folder for folder in sub_folders(path) if is_split(folder)]


def pooled_note(images: Mapping[str, int]) -> str:
    """What a reader must know about given splits; `images` of each are counted."""
    counted = ", ".join(f"{name or NONE} ({number:,} images)" for name, number in images.items())
    return (
        'The given splits are pooled, and a run splits the images anew (splits.use = "given" keeps '
        f"them): {counted}."
    )
