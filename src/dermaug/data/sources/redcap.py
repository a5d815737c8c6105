"""Exports of REDCap: codes that a data dictionary explains, and rows of one record."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from dermaug.data.findings import Findings
from dermaug.data.image_folders import file_names
from dermaug.data.metadata import Row, Sheet, read_header, read_sheet
from dermaug.data.sources.column_names import known_columns
from dermaug.errors import DermaugError

VARIABLE, CHOICES = "Variable / Field Name", "Choices, Calculations, OR Slider Labels"
"""Columns of a data dictionary."""
CHOICE = re.compile(r"\s*([\w.-]+)\s*,\s*(.*\S)\s*")
"""One of the choices, which stand between vertical bars: `1, Melanoma`."""
RECORD, INSTANCE = "record_id", "redcap_repeat_instance"
"""Columns of an export with the record, and the place of a row within it; a row without a place
tells of the record as a whole."""
OWN = "redcap_"
"""Beginning of the columns that REDCap adds."""


def of_redcap(sheet: Sheet) -> Sheet:
    """A table with words for its codes, patients, lesions, and what is known of each patient.

    A table that is no export, and beside which no data dictionary lies, stays as it is.
    """
    path, dictionary = _dictionary(sheet.path)
    record = next(iter(dictionary), RECORD)
    if record not in sheet.columns or not (dictionary or INSTANCE in sheet.columns):
        return sheet
    known = {*sheet.columns, *known_columns(sheet.columns, sheet.rows)}
    sheet = _in_words(sheet, dictionary, path)
    if "patient_id" not in known:
        sheet = _with_column(sheet, "patient_id", record, [row[record] for row in sheet.rows])
    if INSTANCE not in sheet.columns:
        return sheet
    sheet = _united(sheet, record)
    if "lesion_id" in known:
        return sheet
    lesions = [row[INSTANCE] and f"{row[record]}_{row[INSTANCE]}" for row in sheet.rows]
    note = f"The column {INSTANCE} numbers the lesions within each {record}."
    return _with_column(sheet, "lesion_id", INSTANCE, lesions).telling(note)


def _dictionary(table: Path) -> tuple[Path, dict[str, dict[str, str]]]:
    """The one data dictionary beside a table, and variable, the record first -> code -> word."""
    beside = [table.parent / name for name in file_names(table.parent)]
    lists = [each for each in beside if each != table and each.suffix.lower() == ".csv"]
    found = [each for each in lists if VARIABLE in read_header(each)]
    if len(found) != 1:
        return table, {}
    try:
        rows = read_sheet(found[0], (VARIABLE, CHOICES), Findings()).rows
    except DermaugError:
        return table, {}
    return found[0], {row[VARIABLE]: _choices(row[CHOICES]) for row in rows}


def _choices(text: str) -> dict[str, str]:
    """Code -> word; nothing where the text is no list of choices.

    Example:
        >>> _choices("1, Melanoma | 99, Pending"), _choices("round([a], 1)")
        ({'1': 'Melanoma', '99': 'Pending'}, {})
    """
    parts = [CHOICE.fullmatch(part) for part in text.split("|")]
    return {part[1]: part[2] for part in parts if part} if all(parts) else {}


def _in_words(sheet: Sheet, dictionary: Mapping[str, Mapping[str, str]], path: Path) -> Sheet:
    coded = [name for name in sheet.columns if dictionary.get(name)]
    if not coded:
        return sheet
    rows = [
        replace(
            row,
            cells={
                name: dictionary.get(name, {}).get(text, text) for name, text in row.cells.items()
            },
        )
        for row in sheet.rows
    ]
    note = (
        f"Codes in {sheet.path.name} were read as the words of REDCap's data dictionary "
        f"{path.name}, in the columns {', '.join(coded)}."
    )
    return replace(sheet, rows=tuple(rows)).telling(note)


def _united(sheet: Sheet, record: str) -> Sheet:
    """A table in which what a row tells of a whole record stands in the record's other rows.

    It stays as it is if several rows tell of one whole record (as of several events), or if a
    column is filled both there and in other rows.
    """
    whole = {row[record]: row for row in sheet.rows if not row[INSTANCE]}
    others = [row for row in sheet.rows if row[INSTANCE]]
    own = {record, "patient_id", *(name for name in sheet.columns if name.startswith(OWN))}
    free = [name for name in sheet.columns if name not in own]
    told = [name for name in free if any(row[name] for row in whole.values())]
    both = any(row[name] for row in others for name in told)
    if both or not told or len(whole) + len(others) < len(sheet.rows):
        return sheet
    also = {row[record] for row in others}
    rows = [row for row in sheet.rows if row[INSTANCE] or row[record] not in also]
    filled = [_filled(row, whole[row[record]]) if row[record] in whole else row for row in rows]
    note = (
        f"What {sheet.path.name} tells of each {record} in a row of its own was read into its "
        f"other rows: {', '.join(told)}."
    )
    return replace(sheet, rows=tuple(filled)).telling(note)


def _filled(row: Row, whole: Row) -> Row:
    return replace(row, cells={name: text or whole[name] for name, text in row.cells.items()})


def _with_column(sheet: Sheet, column: str, name: str, texts: list[str]) -> Sheet:
    """The table with a further column, which tells what the column `name` does."""
    rows = [
        replace(row, cells={**row.cells, column: text})
        for row, text in zip(sheet.rows, texts, strict=True)
    ]
    names = {**sheet.names, column: name}
    return replace(sheet, columns=(*sheet.columns, column), rows=tuple(rows), names=names)
