"""Tables of one's own with a column per class, of which one holds a 1 in each row."""

from dataclasses import replace

from dermaug.data.diagnoses import is_diagnosis
from dermaug.data.findings import Findings
from dermaug.data.metadata import Row, Sheet
from dermaug.data.sources.label_words import is_of_diagnosis, names_label

CLASS = "class with a 1"
"""Name of the column that the columns of the classes become."""
ZEROS, ONES = frozenset(("0", "0.0", "false")), frozenset(("1", "1.0", "true"))
"""What marks that a row is not, or is, of a class, in small letters."""
MOST_ODD = 0.1
"""Share of the rows above which columns of which not one holds a 1 are no classes."""


def with_marked_class(sheet: Sheet, findings: Findings) -> Sheet:
    """A table whose columns of classes are one column, `CLASS`.

    Columns of 0 and 1 are classes if most of them are named after diagnoses, one of them holds the
    1 in nearly every row, and no other column says in its name that it holds the labels.

    Args:
        sheet: The table.
        findings: Gets one line for each row with no 1, or with several; they have no label.
    """
    marked = [
        column
        for column in sheet.columns
        if {row[column].lower() for row in sheet.rows} <= ZEROS | ONES
    ]
    told = [name for name in sheet.columns if name not in marked and names_label(name)]
    known = [column for column in marked if is_diagnosis(column)]
    if len(marked) < 2 or 2 * len(known) <= len(marked) or not all(map(is_of_diagnosis, told)):
        return sheet
    found = [[column for column in marked if row[column].lower() in ONES] for row in sheet.rows]
    if sum(len(each) != 1 for each in found) > MOST_ODD * len(found):
        return sheet
    rows = []
    for row, each in zip(sheet.rows, found, strict=True):
        if len(each) != 1:
            _add(row, each, findings)
        cells = {name: text for name, text in row.cells.items() if name not in marked}
        rows.append(replace(row, cells={**cells, CLASS: each[0] if len(each) == 1 else ""}))
    columns = tuple(name for name in sheet.columns if name not in marked)
    note = (
        f"{sheet.path.name} has one column per class, with a 1 in that of each row: "
        f"{', '.join(marked)}."
    )
    return replace(sheet, columns=(*columns, CLASS), rows=tuple(rows)).telling(note)


def _add(row: Row, found: list[str], findings: Findings) -> None:
    findings.add_unclear(
        f"{row.where}: expected a 1 in the column of one class, found {', '.join(found) or 'none'}",
        "labels of rows with no 1 or several",
        [row.where],
    )
