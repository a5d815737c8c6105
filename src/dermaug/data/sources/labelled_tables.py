"""Which table tells the labels of a public data set: found by its header, not by its name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dermaug.data import workbook
from dermaug.data.containers import is_folder
from dermaug.data.image_folders import MASK_FOLDER, archives, file_names, sub_folders
from dermaug.data.image_names import is_image
from dermaug.data.json_objects import LINES, LIST
from dermaug.data.metadata import read_header
from dermaug.data.sources.descriptors import Layout, layout_of
from dermaug.data.sources.split_folders import is_container

OWN_READER = "ham10000_metadata"
"""Beginning of the table's name that `dermaug.data.sources.ham10000` reads."""
TABLES = (".csv", ".tsv", ".tab", ".txt", LINES, LIST, *workbook.ENDINGS)
KIND = re.compile(r"[_-]?(ground_?truth|metadata|lesiongroupings|supplement).*$", re.IGNORECASE)


@dataclass(frozen=True)
class Labelled:
    """A table with labels: where it lies, and whose layout it has."""

    path: Path
    columns: tuple[str, ...]
    layout: Layout

    @property
    def part(self) -> str:
        """What names of its images' folder and of tables beside it begin with, in lower case."""
        return part_of(self.path)


def part_of(table: Path) -> str:
    """Beginning of a table's name that tells the part of the data set; may be empty.

    Example:
        >>> part_of(Path("ISIC_2019_Training_GroundTruth.csv"))
        'isic_2019_training'
        >>> part_of(Path("metadata.csv"))
        ''
    """
    return KIND.sub("", table.stem).lower()


def tables_around(path: Path) -> dict[Path, tuple[str, ...]]:
    """Header of each table that is `path`, lies in it or in its sub-folders."""
    if not is_folder(path):
        return {path: read_header(path)} if _is_table(path.name) else {}
    packed = archives(path)
    inside = [*sub_folders(path), *packed, *(each for pack in packed for each in sub_folders(pack))]
    folders = [path, *(folder for folder in inside if folder.name != MASK_FOLDER)]
    tables = [folder / name for folder in folders for name in file_names(folder) if _is_table(name)]
    return {table: read_header(table) for table in tables}


def tables_beside(table: Labelled) -> dict[Path, tuple[str, ...]]:
    """Header of each table of the same part: around a table, or around its folder."""
    own = tables_around(table.path.parent)
    if table.part:
        above = table.path.parent.parent
        inside = [
            folder
            for folder in (*sub_folders(above), *archives(above))
            if folder.name.lower().startswith(table.part)
        ]
        names = [
            folder / name
            for folder in (above, *inside, *(each for one in inside for each in sub_folders(one)))
            for name in file_names(folder)
            if _is_table(name)
        ]
        own |= {name: read_header(name) for name in names}
    return {path: columns for path, columns in own.items() if belongs(path, table)}


def belongs(path: Path, table: Labelled) -> bool:
    """Whether a table is of the same part of a data set, by its name or that of its folder."""
    own = part_of(path)
    inside = bool(table.part) and not own and path.parent.name.lower().startswith(table.part)
    return own == table.part or inside


def labelled_tables(path: Path) -> list[Labelled]:
    """Tables that a path means: in it; or beside it, when it is a folder of images."""
    found = _labelled(tables_around(path))
    if found or not is_folder(path) or not is_folder(path.parent):
        return found
    above = [path.parent / name for name in file_names(path.parent) if _is_table(name)]
    others = [folder for folder in sub_folders(path.parent) if folder != path]
    inside = [folder / name for folder in others for name in file_names(folder) if _is_table(name)]
    of_path = [table for table in (*above, *inside) if _is_part_of(path, table)]
    own = _labelled({table: read_header(table) for table in of_path})
    beside = _labelled({table: read_header(table) for table in above})
    directly = any(map(is_image, file_names(path))) and path.name != MASK_FOLDER
    inner = [folder for folder in sub_folders(path) if any(map(is_image, file_names(folder)))]
    own_lists = [name for name in file_names(path) if name.lower().endswith((".csv", LINES))]
    if own_lists or (len(inner) > 1 and not any(map(is_container, (path, *inner)))):
        return []  # a data set of its own
    return own or (beside if directly or is_container(path) else [])


def _is_part_of(folder: Path, table: Path) -> bool:
    """Whether a folder of images bears the name of a table's part, alone or as its first words."""
    part, name = part_of(table), folder.name.lower()
    return bool(part) and name.startswith(part) and not name[len(part) :][:1].isalnum()


def _is_table(name: str) -> bool:
    return name.lower().endswith(TABLES) or name.lower() == OWN_READER


def _labelled(headers: Mapping[Path, tuple[str, ...]]) -> list[Labelled]:
    return [
        Labelled(path, columns, layout)
        for path, columns in headers.items()
        if (layout := layout_of(columns)) is not None
    ]
