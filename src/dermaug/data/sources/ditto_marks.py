"""Marks that stand for the cell above, as lists that are kept by hand have them."""

import re
from collections import Counter
from dataclasses import replace

from dermaug.data.findings import shortened
from dermaug.data.metadata import Sheet
from dermaug.errors import DermaugError

MARK = re.compile(
    r"[-–—]?\s*(?:[\"„“”″〃]|’’|´´|,,|//|\|\|)\s*[-–—]?"
    r"|[Ii]dem|IDEM|[Dd]itt?o|DITT?O|id\.|dto\.|j\.? ?w\.|s\. ?o\.|c\. ?s\."
    r"|(?:same )?as above|wie (?:oben|zuvor)|comme ci-dessus|come sopra|igual que arriba"
)
"""A whole cell that is such a mark; abbreviations in capitals are none: they may be initials."""


def without_dittos(sheet: Sheet) -> Sheet:
    """A table in which each mark is replaced by the cell above it; the table tells how many were.

    Raises:
        DermaugError: No row is above a mark, or it is not known which, since rows are ragged.
    """
    marks = Counter(text for row in sheet.rows for text in row.cells.values() if _is_mark(text))
    if not marks:
        return sheet
    if sheet.doubtful:
        raise DermaugError(
            f"{sheet.path}: expected as many cells in each row as in the header, since marks "
            f"({shortened(list(marks))}) stand for the cells above; found rows with others; "
            "correct these rows"
        )
    rows, above = [], dict[str, str]()
    for row in sheet.rows:
        for column, text in row.cells.items():
            if _is_mark(text) and column not in above:
                raise DermaugError(
                    f"{row.where}: {column} {text!r} stands for the cell above, and no row is "
                    "above; write out what it means"
                )
        above = {
            column: above[column] if _is_mark(text) else text for column, text in row.cells.items()
        }
        rows.append(replace(row, cells=above))
    told = ", ".join(f"{mark} ({number:,})" for mark, number in marks.most_common())
    note = f"Marks in {sheet.path.name} that stand for the cell above were read as it: {told}."
    return replace(sheet, rows=tuple(rows)).telling(note)


def _is_mark(text: str) -> bool:
    return MARK.fullmatch(text) is not None
