"""Rows of one's own table whose names are whole only together with another column."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dermaug.data.cells import UNKNOWN_WORDS, parse_patient
from dermaug.data.metadata import Row, Sheet
from dermaug.data.sources.named_files import meant_files

MOST_LOST = 10
"""One in so many rows at most may miss its image when a folder's name is completed by a column."""


def in_folders(sheet: Sheet, root: Path, files: Sequence[str]) -> tuple[Sheet, list[str]]:
    """A table whose file names repeat, completed by the column that names the folder of each.

    Args:
        sheet: The table, with the column `file_name`.
        root: Folder of the data set.
        files: Paths of all images below the root.

    Returns:
        The table, and a sentence on it, or none if names do not repeat or no column completes them.
    """
    names = [row["file_name"] for row in sheet.rows]
    if len(set(names)) == len(names):
        return sheet, []
    for column in sheet.columns:
        whole = [f"{row[column]}/{row['file_name']}" for row in sheet.rows]
        if column == "file_name" or len(set(whole)) < len(whole):
            continue
        found = meant_files(root, whole, files)
        if len(set(found.values())) == len(found) > len(whole) - len(whole) / MOST_LOST:
            told = sheet.names.get(column, column)
            note = (
                f"Files of equal names are told apart by the folder that the column {told} names."
            )
            return _with(sheet, "file_name", whole), [note]
    return sheet, []


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
            patients[row["lesion_id"]].add(patient)
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


def lesion_ids(sheet: Sheet, image_ids: Sequence[str]) -> tuple[list[str], int]:
    """Lesion of each row, its image id where it is unknown, and how many those are."""
    lesions = [
        image_id if lesion_unknown(row) else row["lesion_id"]
        for row, image_id in zip(sheet.rows, image_ids, strict=True)
    ]
    return lesions, sum(map(lesion_unknown, sheet.rows))


def lesion_unknown(row: Row) -> bool:
    """Whether a row names no lesion."""
    return row.get("lesion_id").lower() in UNKNOWN_WORDS


def _both(row: Row) -> str:
    """Patient and lesion of a row; "" where one of them is unknown."""
    known = not lesion_unknown(row) and parse_patient(row)
    return f"{parse_patient(row)}_{row['lesion_id']}" if known else ""


def _with(sheet: Sheet, column: str, texts: Sequence[str]) -> Sheet:
    rows = [
        replace(row, cells={**row.cells, column: text})
        for row, text in zip(sheet.rows, texts, strict=True)
    ]
    return replace(sheet, rows=tuple(rows))
