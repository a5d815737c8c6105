"""Tables whose columns the user names, or could name: unknown columns, and what they seem to be."""

import difflib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from dermaug.config.data import NOT_READ
from dermaug.data.containers import is_folder
from dermaug.data.diagnoses import OTHER_NAMES, meaning
from dermaug.data.findings import Findings
from dermaug.data.image_folders import file_names, files_below
from dermaug.data.image_names import is_image
from dermaug.data.metadata import Sheet, read_header
from dermaug.data.sources import one_hot
from dermaug.data.sources.camera_numbers import numbered_files, range_in
from dermaug.data.sources.column_names import known_columns, numberless
from dermaug.data.sources.label_words import (
    is_of_diagnosis,
    names_label,
    names_photograph,
    names_proof,
)
from dermaug.data.sources.labelled_tables import TABLES, tables_around
from dermaug.data.sources.named_files import looks_like_names
from dermaug.data.sources.own_sheet import own_sheet
from dermaug.data.sources.split_folders import is_split
from dermaug.errors import DermaugError

MOST_LABELS = 30
"""Most different values of a column that may hold labels."""
UNNAMED = (
    "--image-column COLUMN --label-column COLUMN (--lesion-column COLUMN --patient-column COLUMN)"
)
LOOKED_AT = 200
"""Rows of a table that are looked at."""


def named_tables(path: Path, needed: Sequence[str]) -> list[Path]:
    """The table with some columns: `path` itself, in it, in its sub-folders, or beside it.

    Args:
        path: A folder, or the table.
        needed: Names of the columns; `NOT_READ` is none, and `one_hot.CLASS` stands in no header.

    Returns:
        One table, or several of one folder and of the same columns, or one in each of some folders
        named as splits.

    Raises:
        DermaugError: There is no such table, or there are several.
    """
    needed = [name for name in needed if name not in (NOT_READ, one_hot.CLASS)]
    headers = dict(tables_around(path))
    if is_folder(path) and not headers and is_folder(path.parent):
        beside = [path.parent / name for name in file_names(path.parent)]
        headers = {each: read_header(each) for each in beside if each.suffix.lower() in TABLES}
    found = [table for table, columns in headers.items() if set(needed) <= set(columns)]
    wanted = " and ".join(map(repr, needed))
    if not found:
        raise DermaugError(
            f"{path}: expected a table with the columns {wanted}, found "
            f"{'none' if headers else 'no table'}",
            [_header_line(table, columns, needed) for table, columns in headers.items()],
        )
    parts = len({(table.parent, headers[table]) for table in found}) == 1
    if len(found) > 1 and not parts and not all(is_split(table.parent) for table in found):
        raise DermaugError(
            f"{path}: expected one table with the columns {wanted}, found {len(found)}; pass the "
            "one you want",
            [str(table) for table in found],
        )
    return found


def names_there(path: Path, names: Mapping[str, str], needed: Sequence[str]) -> dict[str, str]:
    """Those of the columns that the user has named which another data set has, too.

    Args:
        path: The other data set.
        names: Column that is read -> its name in the table of the first.
        needed: Columns without which the other has a layout of its own, and none is the user's.
    """
    for columns in tables_around(path).values():
        there = {column: name for column, name in names.items() if name in columns}
        if there or set(needed) <= set(columns):
            there |= {column: name for column, name in names.items() if name == NOT_READ}
        if there and all(column in there for column in needed if column in names):
            return there
    return {}


def suggestion(table: Path, root: Path) -> str:
    """The options that name the columns of an unknown table, as far as its cells tell.

    Raises:
        DermaugError: The table cannot be read, or names ranges of images.
    """
    sheet = _beginning(table)
    images, labels = _image_and_label_columns(sheet, root)
    if not images:
        _refuse_ranges(sheet)
        return UNNAMED
    found = {"image": images[0], "label": labels[0] if labels else "COLUMN"}
    return " ".join(f"--{kind}-column {shlex.quote(column)}" for kind, column in found.items())


def certain_columns(table: Path, root: Path) -> dict[str, str]:
    """Names of the columns `file_name` and `label` in a table where they are beyond doubt.

    Returns:
        Column that is read -> its name, if one column alone names the images that are there, and
        one alone says in its name that it holds diagnoses; else nothing. Never raises.
    """
    try:
        sheet = _beginning(table)
    except DermaugError:
        return {}
    images, labels = _image_and_label_columns(sheet, root)
    told = [column for column in sheet.columns if names_label(column)]
    certain = (
        len(images) == 1 and len(told) == 1 and told == labels[:1] and not is_of_diagnosis(told[0])
    )
    return {"file_name": images[0], "label": told[0]} if certain else {}


def likely_columns(table: Path, root: Path) -> tuple[dict[str, str], list[str]]:
    """Columns of a table that may be `file_name` and `label`, where this is not certain.

    Returns:
        Column that is read -> the likeliest name, and further columns that may hold the labels;
        nothing where none is likely. Never raises.
    """
    try:
        images, labels = _image_and_label_columns(_beginning(table), root)
    except DermaugError:
        return {}, []
    if len(images) != 1 or not labels:
        return {}, []
    return {"file_name": images[0], "label": labels[0]}, labels[1:]


def is_list(table: Path, root: Path) -> bool:
    """Whether a table seems to hold names of images that are there, and their labels."""
    try:
        return all(_image_and_label_columns(_beginning(table), root))
    except DermaugError:
        return False


def _beginning(table: Path) -> Sheet:
    """The first rows of a table.

    Raises:
        DermaugError: The table cannot be read.
    """
    sheet = own_sheet(table, (), Findings())
    return replace(sheet, rows=sheet.rows[:LOOKED_AT])


def _cells(sheet: Sheet) -> dict[str, list[str]]:
    return {column: [row[column] for row in sheet.rows] for column in sheet.columns if column}


def _refuse_ranges(sheet: Sheet) -> None:
    for column, values in _cells(sheet).items():
        if names_photograph(column) and (found := range_in(values)):
            raise DermaugError(
                f"{sheet.path}: expected one row per image, found ranges of images ({found}) in "
                f"the column {column}; write one row per image, with the name of its file"
            )


def _image_and_label_columns(sheet: Sheet, root: Path) -> tuple[list[str], list[str]]:
    """Columns that may name the images, and those that may hold labels, the likeliest first."""
    rows, cells = sheet.rows, _cells(sheet)
    images = _image_columns(cells, root)
    known = {numberless(column) for column in images}
    known |= {numberless(column) for column in known_columns(sheet.columns, rows).values()}
    labels = [
        column
        for column, values in cells.items()
        if numberless(column) not in known
        and (names_label(column) or _are_diagnoses(values))
        and 1 < len(set(values)) <= min(MOST_LABELS, len(values) // 2)
    ]
    most = {column for column in labels if 2 * sum(map(bool, cells[column])) > len(rows)}
    labels.sort(
        key=lambda column: (
            is_of_diagnosis(column),
            not names_label(column),
            not (names_proof(column) and column in most),
        )
    )
    return images, labels


def _are_diagnoses(values: Sequence[str]) -> bool:
    """Whether a third of the different cells of a column name diagnoses that are known."""
    found = set(filter(None, values))
    return 3 * sum(meaning(value) in OTHER_NAMES for value in found) >= len(found) > 0


def _image_columns(cells: Mapping[str, Sequence[str]], root: Path) -> list[str]:
    """Columns that name images, the first of those whose names differ in a number."""
    files = files_below(root)
    found = [column for column in cells if looks_like_names(cells[column], root, files)]
    # Files of equal names in several folders are none of some files each.
    found = found or [
        column for column, values in cells.items() if 2 * sum(map(is_image, values)) > len(values)
    ]
    # Other numbers, as those of the rows, may be the numbers of files by chance.
    found = found or [
        column
        for column, values in cells.items()
        if names_photograph(column) and numbered_files(values, files)
    ]
    found = list({numberless(column): column for column in reversed(found)}.values())[::-1]
    # Of a path and its last part, the path.
    found.sort(key=lambda column: sum(map(len, cells[column])), reverse=True)
    return list({_stems(cells[column]): column for column in reversed(found)}.values())[::-1]


def _stems(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(PurePosixPath(name.replace("\\", "/")).stem.casefold() for name in names)


def _header_line(table: Path, columns: Sequence[str], needed: Sequence[str]) -> str:
    if not columns:
        return _unread_line(table)
    lost = [name for name in needed if name not in columns]
    close = [match for name in lost for match in difflib.get_close_matches(name, columns, n=1)]
    hint = f"; is it {close[0]!r}?" if close else ""
    return f"{table}: no {', '.join(map(repr, lost))} among {', '.join(columns)[:200]}{hint}"


def _unread_line(table: Path) -> str:
    """Why a table that seems to have no columns cannot be read."""
    try:
        own_sheet(table, (), Findings())
    except DermaugError as error:
        return error.message
    return f"{table}: no columns"
