"""The cells of a workbook (Excel, LibreOffice), read by python-calamine of the extra `excel`."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from dermaug.data.containers import read_bytes
from dermaug.data.image_folders import files_below
from dermaug.data.image_names import is_image
from dermaug.data.table_text import Cells, skipped, without_titles
from dermaug.errors import DermaugError
from dermaug.extras import to_install

ENDINGS = (".xlsx", ".xlsm", ".xls", ".ods")
MOST_BYTES = 1_000_000_000
"""Largest content of a workbook, unpacked."""

Rows = Sequence[tuple[int, list[str]]]
"""Number and cells of each row."""


def is_workbook(path: Path) -> bool:
    """Whether a file bears the ending of a workbook."""
    return path.suffix.lower() in ENDINGS


def workbook_cells(path: Path) -> Cells:
    """The cells of the only sheet with a table, or with names of images; formulas are results.

    Raises:
        DermaugError: The extra is not installed, the file is damaged or protected by a password, or
            none or several of its sheets have a table.
    """
    sheets = _sheets(path)
    naming = _naming(sheets, is_image)
    if len(sheets) > 1 and not naming:
        stems = {PurePath(file).stem.casefold() for file in files_below(path.parent)}
        naming = _naming(sheets, lambda cell: cell.casefold() in stems)
    others = [repr(name) for name in sheets if len(naming) == 1 and name not in naming]
    sheets = naming if len(naming) == 1 else sheets
    if len(sheets) != 1:
        named = ", ".join(map(repr, sheets)) or "none"
        raise DermaugError(
            f"{path}: expected one sheet with a table, found {named}; leave only the sheet with "
            "the images in the workbook, or save that sheet as CSV UTF-8"
        )
    ((name, rows),) = sheets.items()
    table = without_titles(rows)
    alone = (
        f", the only one that names image files; not read: {', '.join(others)}" if others else ""
    )
    how = f"{path.name} was read from its sheet {name!r}{alone}."
    return Cells(table, "row", " ".join(filter(None, [how, skipped(rows, table)])))


def _sheets(path: Path) -> dict[str, Rows]:
    """Name -> rows of each visible sheet that has a row below a header of two columns."""
    try:
        from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum
    except ImportError:
        raise DermaugError(
            f"{path}: reading a workbook requires the extra excel, which is not installed; install "
            f"it with {to_install('excel')}, or save its sheet as CSV UTF-8"
        ) from None
    try:
        content = read_bytes(path)
        _require_plausible(content)
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        found = {
            each.name: _rows(book.get_sheet_by_name(each.name))
            for each in book.sheets_metadata
            if each.typ == SheetTypeEnum.WorkSheet and each.visible == SheetVisibleEnum.Visible
        }
    except Exception as error:  # of the library, which has its own for each format
        raise DermaugError(
            f"{path}: not a readable workbook ({error}); save its sheet as CSV UTF-8"
        ) from None
    return {name: rows for name, rows in found.items() if len(rows) > 1 and len(rows[0][1]) > 1}


def _naming(sheets: Mapping[str, Rows], is_name: Callable[[str], bool]) -> dict[str, Rows]:
    """The sheets of which most rows have a cell that is the name of an image file."""
    return {
        name: rows
        for name, rows in sheets.items()
        if 2 * sum(any(map(is_name, cells)) for _, cells in rows) > len(rows)
    }


def _require_plausible(content: bytes) -> None:
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            claimed = sum(info.file_size for info in archive.infolist())
        if claimed > MOST_BYTES:
            raise ValueError(f"it claims {claimed / 1e6:,.0f} MB, which is implausible")


def _rows(sheet: Any) -> list[tuple[int, list[str]]]:  # noqa: ANN401
    """Rows of a sheet that are not empty, from its first cell."""
    if sheet.start is None:  # an empty sheet
        return []
    first = sheet.start[0] + 1
    cells = sheet.to_python(skip_empty_area=True)
    rows = [(number, list(map(_text, row))) for number, row in enumerate(cells, first)]
    return [(number, row) for number, row in rows if any(row)]


def _text(value: object) -> str:
    """A cell as it is seen: whole numbers without a point."""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()
