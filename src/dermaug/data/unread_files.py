"""Files of a data set that were not read, in a sentence."""

import os
from collections.abc import Sequence
from pathlib import Path

from dermaug.data.catalog import Catalog
from dermaug.data.containers import is_folder, locate
from dermaug.data.image_folders import files_below
from dermaug.data.image_names import MASK_ENDING, is_image

MOST_FILES = 8
"""Files that are named."""


def unread_sentence(catalog: Catalog, said: Sequence[str]) -> str:
    """Files of the data set that are no images and of which nothing is said; "" without any."""
    if catalog.embedded is not None or not is_folder(catalog.root):
        return ""
    below = files_below(catalog.root, lambda name: not is_image(name))
    names = [os.path.relpath(path, catalog.root) for path in below]
    paths, text = [*catalog.table["path"], *catalog.table["mask_path"]], " ".join(said)
    read = {parts[0] for path in paths if (parts := locate(path or "."))}
    lost = [
        name
        for name, path in zip(names, below, strict=True)
        if path not in read and not _is_told(Path(name), text) and not _is_open(path, below)
    ]
    if not lost:
        return ""
    more = f" and {len(lost) - MOST_FILES:,} more" if len(lost) > MOST_FILES else ""
    return f"Files that were not read: {', '.join(lost[:MOST_FILES])}{more}."


def _is_open(path: str, files: Sequence[str]) -> bool:
    """Whether a file is an archive whose content is among some files."""
    return any(file.startswith(path + os.sep) for file in files)


def _is_told(file: Path, text: str) -> bool:
    """Whether a file is named in a text, or counted by its ending, or a mask."""
    ending = file.suffix.lower()
    counted_there = bool(ending) and f"{ending} (" in text
    return file.name in text or counted_there or file.name.endswith(MASK_ENDING)
