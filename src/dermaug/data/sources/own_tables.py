"""Which table of one's own a path means, and by which columns it is read."""

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

from dermaug.config.data import NOT_READ
from dermaug.data import workbook
from dermaug.data.containers import is_folder
from dermaug.data.image_folders import file_names
from dermaug.data.json_objects import LINES, LIST
from dermaug.data.metadata import read_header
from dermaug.data.sources import stylegan_labels
from dermaug.data.sources.named_columns import (
    certain_columns,
    is_list,
    likely_columns,
    named_tables,
)
from dermaug.data.sources.split_folders import split_folders
from dermaug.data.table_text import looks_like_table
from dermaug.errors import DermaugError

LOOKS_FOR = (
    "metadata.csv (or .jsonl, or StyleGAN's dataset.json) with the columns file_name,label"
    "[,lesion_id,patient_id,age,sex,localization,skin_tone], or one in each of train, validation "
    "and test"
)
REQUIRED = ("file_name", "label")
"""Columns that are read of every table."""
TABLE_NAMES = ("metadata.csv", "metadata.jsonl", stylegan_labels.NAME)
HEADED = (".csv", ".tsv", LINES, LIST, *workbook.ENDINGS)
"""Endings of tables that are known by their columns, whatever they are called."""
NO_NAMES: Mapping[str, str] = {}


def recognises(path: Path) -> bool:
    """Whether `path` is such a table, a folder with one, or one of splits with one each."""
    return bool(find_tables(path)[0])


def why(path: Path, names: Mapping[str, str] = NO_NAMES) -> str:
    """What a path was recognised as and by which tables, as a sentence."""
    tables, names = find_tables(path, names)
    several = len({table.parent for table in tables}) > 1
    splits = f" in each of {', '.join(table.parent.name for table in tables)}"
    where = splits if several or tables[0].parent not in (path, path.parent) else ""
    asked = [f"{name} ({column})" for column, name in names.items() if name != NOT_READ]
    known = [column for column in REQUIRED if column not in names]
    columns = (
        f"columns {', '.join([*known, *asked])}" if asked else f"columns {' and '.join(known)}"
    )
    if tables[0].name == stylegan_labels.NAME:
        columns = "labels"
    told = tables[0].name if where else ", ".join(table.name for table in tables)
    return f"Read by the {columns} of {told}{where}."


def find_tables(
    path: Path, names: Mapping[str, str] = NO_NAMES
) -> tuple[list[Path], Mapping[str, str]]:
    """The table that a path means, or those of the splits in it, and the names of its columns.

    A table without the columns `file_name` and `label` is meant if it is the only one in which one
    column names the images that are there, and one says in its name that it holds diagnoses.

    Args:
        path: A folder, or a table.
        names: Column that is read -> its name in the table, if the user has named some.

    Raises:
        DermaugError: No table has the columns that the user has named, or several have.
    """
    if not set(REQUIRED) & set(names):
        tables = _headed(path)
        if not tables or not all(map(_is_read, tables)):
            certain, columns = _certain(path)
            tables, names = certain or tables, {**columns, **names}
        if tables or all(name == NOT_READ for name in names.values()):
            return tables, names
    return named_tables(path, [names.get(column, column) for column in REQUIRED]), names


def likely_table(path: Path) -> tuple[dict[str, str], list[str]]:
    """As `likely_columns`, of the only table in a folder that seems to name images and labels."""
    root, tables = _possible(path)
    found = [likely for likely in (likely_columns(each, root) for each in tables) if likely[0]]
    return found[0] if len(found) == 1 else ({}, [])


def _possible(path: Path) -> tuple[Path, list[Path]]:
    """The folder of a table or the folder itself, and the files that may be tables."""
    root = path if is_folder(path) else path.parent
    files = [root / name for name in file_names(root)] if is_folder(path) else [path]
    return root, [each for each in files if each.suffix.lower() in HEADED or looks_like_table(each)]


def _headed(path: Path) -> list[Path]:
    """The table with the columns of such a table, or those of the splits."""
    if not is_folder(path):
        return [path] if path.name.lower() in TABLE_NAMES or _has_columns(path) else []
    tables = _tables_in(path)
    if tables:
        return tables
    splits = split_folders(path)
    of_splits = [_tables_in(split) for split in splits]
    return list(chain(*of_splits)) if all(of_splits) else []


def _tables_in(folder: Path) -> list[Path]:
    names = file_names(folder)
    found = [folder / name for name in names if name.lower() in TABLE_NAMES]
    return found or [folder / name for name in names if _has_columns(folder / name)]


def refuse_several(path: Path, tables: Sequence[Path], names: Mapping[str, str]) -> None:
    """Raise if several tables with other columns name images and labels, and none is asked for."""
    named = any(name != NOT_READ for name in names.values())
    others = [] if named else _rivals(path, tables)
    apart = len({table.parent for table in tables}) < len(tables) and not are_parts(tables)
    if others or apart:
        raise DermaugError(
            f"{path}: expected one table, or several of the same columns, found "
            f"{len(tables) + len(others)} with images and labels; pass the one you want",
            list(map(str, [*tables, *others])),
        )


def _rivals(path: Path, tables: Sequence[Path]) -> list[Path]:
    """Other lists of images and labels beside the tables that are read.

    None beside `TABLE_NAMES`, which a user writes beside lists, or if a table itself is the path.
    """
    if not is_folder(path) or all(table.name.lower() in TABLE_NAMES for table in tables):
        return []
    folder = tables[0].parent
    others = [folder / name for name in file_names(folder) if name.lower().endswith(HEADED)]
    return [other for other in others if other not in tables and is_list(other, path)]


def are_parts(tables: Sequence[Path]) -> bool:
    """Whether some tables have the same columns, as those of several years."""
    return len({read_header(table) for table in tables}) == 1


def _has_columns(table: Path) -> bool:
    """Whether a table of another name has the columns that such a table needs."""
    return table.suffix.lower() in HEADED and _is_read(table)


def _is_read(table: Path) -> bool:
    """Whether a table, if it has a header, has the columns that such a table needs."""
    known = table.suffix.lower() not in HEADED or table.name.lower() == stylegan_labels.NAME
    return known or set(REQUIRED) <= set(read_header(table))


def _certain(path: Path) -> tuple[list[Path], Mapping[str, str]]:
    """The table whose columns are certain, or several of equal columns, and their names.

    None if there are others.
    """
    root, tables = _possible(path)
    found = [(table, names) for table in tables if (names := certain_columns(table, root))]
    if not found or not are_parts([table for table, _ in found]):
        return [], {}
    (first, names), header = found[0], read_header(found[0][0])
    return [table for table in tables if table == first or read_header(table) == header], names
