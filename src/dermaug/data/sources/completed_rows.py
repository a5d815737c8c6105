"""Rows of one's own table whose names are whole only together with another column."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dermaug.data.cells import UNKNOWN_WORDS, parse_patient
from dermaug.data.metadata import Row, Sheet
from dermaug.data.sources.camera_numbers import numbered_files
from dermaug.data.sources.column_names import numberless
from dermaug.data.sources.named_files import looks_like_names, meant_files

SEPARATORS = re.compile(r"\s*[;|,\n]\s*")
"""What stands between several names in a cell."""
MOST_LOST = 10
"""One in so many rows at most may miss its image when a folder's name is completed by a column."""

PAIRS = {
    frozenset({"f", "h"}): {"f": "female", "h": "male"},
    frozenset({"f", "v"}): {"f": "female", "v": "male"},
    frozenset({"h", "m"}): {"h": "male", "m": "female"},
    frozenset({"k", "m"}): {"k": "female", "m": "male"},
    frozenset({"k", "e"}): {"k": "female", "e": "male"},
    frozenset({"ž", "m"}): {"ž": "female", "m": "male"},
}
"""All letters in a column of sexes -> what they mean: h is homme or hombre, v is varón, k is
kvinna, kobieta or kadın, e is erkek, ž is žena."""
PAIRS_BY_COLUMN = {
    "geslacht": {"m": "male", "v": "female"},
    "sexo": {"m": "female", "v": "male"},
    "sesso": {"m": "male", "d": "female"},
    "genere": {"m": "male", "d": "female"},
}
"""Name of the column -> what its letters mean in its language: man and vrouw, mujer and varón,
maschio and donna."""


def in_folders(sheet: Sheet, root: Path, files: Sequence[str]) -> tuple[Sheet, list[str]]:
    """A table whose file names repeat, completed by the column that names the folder of each.

    Args:
        sheet: The table, with the column `file_name`.
        root: Folder of the data set.
        files: Paths of all images below the root.

    Returns:
        The table, and a sentence on it, or none if names do not repeat, or if no column or
        several complete them.
    """
    names = [row["file_name"] for row in sheet.rows]
    if len(set(names)) == len(names):
        return sheet, []
    fitting: dict[tuple[str | None, ...], tuple[str, list[str]]] = {}
    for column in sheet.columns:
        whole = [f"{row[column]}/{row['file_name']}" for row in sheet.rows]
        if column == "file_name" or len(set(whole)) < len(whole):
            continue
        found = meant_files(root, whole, files)
        if len(set(found.values())) == len(found) > len(whole) - len(whole) / MOST_LOST:
            fitting.setdefault(tuple(map(found.get, whole)), (column, whole))
    if len(fitting) != 1:  # where several fit, each may give the labels to other images
        return sheet, []
    ((column, whole),) = fitting.values()
    told = sheet.names.get(column, column)
    note = f"Files of equal names are told apart by the folder that the column {told} names."
    return _with(sheet, "file_name", whole), [note]


def by_number(sheet: Sheet, root: Path, files: Sequence[str]) -> tuple[Sheet, list[str]]:
    """A table whose images are numbers, with the names of files that end in these numbers.

    Args:
        sheet: The table, with the column `file_name`.
        root: Folder of the data set.
        files: Paths of all images below the root.

    Returns:
        The table, and a sentence on it, or none if a cell names a file, or any number belongs to
        none or several.
    """
    names = [row["file_name"] for row in sheet.rows]
    known = [name for name in names if name.lower() not in UNKNOWN_WORDS]
    found = {} if meant_files(root, known, files) else numbered_files(known, files)
    if not found:
        return sheet, []
    number, file = next(iter(found.items()))
    told = sheet.names.get("file_name", "file_name")
    note = (
        f"The column {told} holds the numbers at the end of the file names: {number} is "
        f"{Path(file).relative_to(root).as_posix()}."
    )
    paths = {name: Path(file).relative_to(root).as_posix() for name, file in found.items()}
    return _with(sheet, "file_name", [paths.get(name, name) for name in names]), [note]


def each_photograph(sheet: Sheet, root: Path, files: Sequence[str]) -> tuple[Sheet, list[str]]:
    """A table with one row per photograph where rows name more: in `Photo 2`, or behind `;`.

    Args:
        sheet: The table, with the column `file_name`.
        root: Folder of the data set.
        files: Paths of all images below the root.

    Returns:
        The table, and a sentence on it, or none if no column of almost the same name holds names of
        images, and no cell several of them. Rows without a lesion are one each.
    """
    name = sheet.names.get("file_name", "file_name")
    more = [
        column
        for column in sheet.columns
        if column not in ("file_name", name)
        and numberless(column) == numberless(name)
        and looks_like_names([row[column] for row in sheet.rows if row[column]], root, files)
    ]
    cells = [row[column] for row in sheet.rows for column in ("file_name", *more)]
    parts = {cell: SEPARATORS.split(cell) for cell in cells}
    there = meant_files(root, [*cells, *(part for each in parts.values() for part in each)], files)
    several = {
        cell: each
        for cell, each in parts.items()
        if len(each) > 1 and cell not in there and all(part in there for part in each)
    }
    if not more and not several:
        return sheet, []
    known = "lesion_id" in sheet.columns
    if not known:
        told = {**sheet.names, "lesion_id": "the row"}
        sheet = replace(sheet, columns=(*sheet.columns, "lesion_id"), names=told)
    rows = []
    for number, row in enumerate(sheet.rows, start=1):
        kept = {**row.cells, **({"lesion_id": f"row {number}"} if lesion_unknown(row) else {})}
        found = [row[column] for column in ("file_name", *more) if row[column]]
        # A row without any is kept, so that it is found to lack its image.
        names = [part for cell in found for part in several.get(cell, [cell])] or [""]
        rows += [replace(row, cells={**kept, "file_name": each}) for each in names]
    note = (
        f"Each row has several photographs, of one lesion: also read {', '.join(more)}."
        if more
        else f"Cells that name several photographs, of one lesion each: {len(several):,}."
    )
    lone = [] if known else ["Each row counts as a lesion of its own, since no column names them."]
    return replace(sheet, rows=tuple(rows)).without(more), [note, *lone]


def known_sexes(sheet: Sheet) -> tuple[Sheet, list[str]]:
    """A table whose sexes are h, m or v, in words, where only one reading of the pair is possible.

    Returns:
        The table, and a sentence on it, or none for other letters.
    """
    if "sex" not in sheet.columns:
        return sheet, []
    words = [unicodedata.normalize("NFC", row["sex"]).lower() for row in sheet.rows]
    found = frozenset(words) - UNKNOWN_WORDS
    by_column = PAIRS_BY_COLUMN.get(sheet.names.get("sex", "sex").lower(), {})
    alone = {"d"} & by_column.keys()  # d is no other language's word for a sex but divers
    read = PAIRS.get(found) or (by_column if found in (set(by_column), alone) else None)
    if not found or not read:
        return sheet, []
    told = ", ".join(f"{letter} = {sex}" for letter, sex in read.items() if letter in found)
    texts = [read.get(word, row["sex"]) for word, row in zip(words, sheet.rows, strict=True)]
    return _with(sheet, "sex", texts), [f"Read as sexes: {told}."]


def numbered_in_patients(sheet: Sheet) -> tuple[Sheet, list[str]]:
    """A table whose lesions are numbered within each patient, with ids that are unique.

    Lesions are taken to be numbered so where most ids of several images belong to several patients.

    Returns:
        The table, and a sentence on it, or none if the ids are unique.
    """
    if not {"lesion_id", "patient_id"} <= set(sheet.columns):
        return sheet, []
    patients, images = defaultdict[str, set[str]](set), Counter[str]()
    for row in sheet.rows:
        if not lesion_unknown(row) and (patient := parse_patient(row)):
            patients[row["lesion_id"]].add(patient.casefold())
            images[row["lesion_id"]] += 1
    several = [lesion for lesion, number in images.items() if number > 1]
    shared = [lesion for lesion in several if len(patients[lesion]) > 1]
    if len(shared) < 2 or 2 * len(shared) <= len(several):
        return sheet, []
    lesion, patient = (sheet.names.get(name, name) for name in ("lesion_id", "patient_id"))
    note = (
        f"The column {lesion} numbers lesions within each patient: the column {patient} belongs to "
        "a lesion's id."
    )
    return _with(sheet, "lesion_id", [_both(row) for row in sheet.rows]), [note]


def lesion_ids(sheet: Sheet, image_ids: Sequence[str]) -> list[str]:
    """Lesion of each row, its image id where it is unknown."""
    return [
        image_id if lesion_unknown(row) else row["lesion_id"]
        for row, image_id in zip(sheet.rows, image_ids, strict=True)
    ]


def lesion_unknown(row: Row) -> bool:
    """Whether a row names no lesion."""
    return row.get("lesion_id").lower() in UNKNOWN_WORDS


def _both(row: Row) -> str:
    """Patient, if known, and lesion of a row; "" where the lesion is unknown."""
    return "" if lesion_unknown(row) else f"{parse_patient(row)}_{row['lesion_id']}"


def _with(sheet: Sheet, column: str, texts: Sequence[str]) -> Sheet:
    rows = [
        replace(row, cells={**row.cells, column: text})
        for row, text in zip(sheet.rows, texts, strict=True)
    ]
    return replace(sheet, rows=tuple(rows))
