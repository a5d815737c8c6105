"""Strict reading of metadata tables: cells are text until checked; all findings are collected.

Automatic typing of tables turns the cell "NA" into a missing value and shifts ragged rows without a
word; here every cell stays the text it is, and what is wrong is named by file and line.
"""

import difflib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from pathlib import Path

from dermaug.data.findings import Findings
from dermaug.data.json_objects import doubles, is_json, json_objects, may_have_rows
from dermaug.data.table_text import header_cells, text_cells
from dermaug.data.workbook import is_workbook, workbook_cells
from dermaug.errors import DermaugError


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Args:
        where: File name and line, for example `metadata.csv line 7`.
        cells: Column -> text without surrounding blanks.
    """

    where: str
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def get(self, column: str) -> str:
        """Text of an optional column, empty when the table lacks it."""
        return self.cells.get(column, "")


@dataclass(frozen=True)
class Sheet:
    """A table as text.

    Args:
        path: File it was read from.
        columns: Names in the header, in order.
        rows: Rows with as many cells as the header.
        doubtful: Cells of ragged rows: ids that must not be reported a second time as missing.
        how: A sentence on how the file was read; "" where it is plain.
        names: Column that was renamed -> its name in the file.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    doubtful: frozenset[str]
    how: str = ""
    names: Mapping[str, str] = field(default_factory=dict)

    def renamed(self, names: Mapping[str, str]) -> "Sheet":
        """The table with other names of columns; columns that had the new names are dropped.

        Args:
            names: New name -> name in this table.
        """
        if not names:
            return self
        kept = {name: name for name in self.columns if name not in (*names, *names.values())}
        kept |= names
        rows = tuple(
            replace(row, cells={new: row[old] for new, old in kept.items()}) for row in self.rows
        )
        told = {**self.names, **names}
        return replace(self, columns=tuple(kept), rows=rows, names=told)

    def telling(self, sentence: str) -> "Sheet":
        """The table with one more sentence on how it was read."""
        return replace(self, how=" ".join(filter(None, [self.how, sentence])))

    def without(self, names: Collection[str]) -> "Sheet":
        """The table without some columns, as far as it has them."""
        kept = [name for name in self.columns if name not in names]
        if len(kept) == len(self.columns):
            return self
        rows = tuple(replace(row, cells={name: row[name] for name in kept}) for row in self.rows)
        return replace(self, columns=tuple(kept), rows=rows)

    def only(self, wanted: Iterable[bool]) -> "Sheet":
        """The table with some of its rows; `wanted` tells of each."""
        return replace(self, rows=tuple(compress(self.rows, wanted)))

    def in_small_letters(self, names: Sequence[str]) -> "Sheet":
        """The table in which each of these columns that it has in other letters has its name."""
        small = {name.lower(): name for name in self.columns}
        missing = [name for name in names if name not in self.columns and name in small]
        return self.renamed({name: small[name] for name in missing})


def read_header(path: Path) -> tuple[str, ...]:
    """Names in the first row of a table; none when it is no table. Never raises."""
    try:
        if is_json(path):
            return read_lines(path, (), Findings()).columns if may_have_rows(path) else ()
        return tuple(workbook_cells(path).rows[0][1]) if is_workbook(path) else header_cells(path)
    except (OSError, DermaugError):
        return ()


def read_sheet(path: Path, required: Sequence[str], findings: Findings) -> Sheet:
    """Read a table: text or the sheet of a workbook whose first row names the columns, or lines.

    Args:
        path: The file; the ending tells a workbook and JSON (see `read_lines`), the header
            tells the separator of others.
        required: Columns that it must have; more are kept.
        findings: Gets one line for each ragged row.

    Raises:
        DermaugError: No table, no header, a column missing or named twice, broken quoting.
    """
    if is_json(path):
        return read_lines(path, required, findings)
    table = workbook_cells(path) if is_workbook(path) else text_cells(path)
    columns = tuple(table.rows[0][1]) if table.rows else ()
    _check_header(path, columns, required)
    rows, doubtful = [], set[str]()
    for number, cells in table.rows[1:]:
        where = f"{path.name} {table.unit} {number}"
        if len(cells) != len(columns):
            line = f"{where}: expected {len(columns)} cells, found {len(cells)}"
            findings.add_unclear(line, "rows with too many or too few cells", [where])
            doubtful.update(cells)
        else:
            rows.append(Row(where, dict(zip(columns, cells, strict=True))))
    if not rows and not doubtful:
        raise DermaugError(f"{path}: expected one row per image below the header, found no rows")
    return Sheet(path, columns, tuple(rows), frozenset(doubtful), table.how)


def read_given(path: Path, what: str, columns: Sequence[str], required: bool = True) -> Sheet:
    """Read a table that somebody hands in, of which every row must be whole.

    Args:
        path: Text separated by commas, tabs or semicolons, or a workbook.
        what: What its rows are, for example `predictions`.
        columns: Columns that are read, in whatever letters the header has them.
        required: Whether it must have all of them; more are kept.

    Raises:
        DermaugError: There is no such file, a row is ragged, or what `read_sheet` refuses.
    """
    if path.is_dir() or not path.exists():
        found = "a folder" if path.is_dir() else "nothing"
        raise DermaugError(f"{path}: expected a table of {what} (CSV), found {found}")
    findings = Findings()
    sheet = read_sheet(path, (), findings)
    findings.stop(str(path), f"table of {what}")
    named = sheet.in_small_letters(columns)
    _check_header(path, named.columns, columns if required else ())
    return named


def read_lines(path: Path, required: Sequence[str], findings: Findings) -> Sheet:
    """Read a table of JSON objects: one per line, as Hugging Face's imagefolder has it, or a list.

    Args:
        path: The file.
        required: Columns that it must have; more are kept.
        findings: Gets one line for each line that is no object, or has a list or an object where
            such a column must have one value.

    Raises:
        DermaugError: No text, no row, or a column is missing.
    """
    objects = json_objects(path, findings)
    if not objects:
        findings.stop(str(path), "table")
    columns = tuple(dict.fromkeys(name for _, cells in objects for name in cells))
    _check_header(path, columns, required)
    for where, cells in objects:
        for name in required:
            if isinstance(found := cells.get(name), list | dict):
                kind = "a list" if isinstance(found, list) else "an object"
                findings.add(
                    f"{where}: expected one text or number as {name}, found {kind}: "
                    f"{json.dumps(found)[:40]}"
                )
                cells[name] = kind
    rows = tuple(
        Row(where, {name: _text(cells.get(name)) for name in columns}) for where, cells in objects
    )
    return Sheet(path, columns, rows, frozenset())


def _text(value: object) -> str:
    """A value as it is written in the file."""
    if isinstance(value, bool):
        return json.dumps(value)
    return "" if value is None else str(value).strip()


def _check_header(path: Path, columns: Sequence[str], required: Sequence[str]) -> None:
    problems = [f"column {name!r} occurs twice" for name in sorted(doubles(columns))]
    for name in required:
        if name not in columns:
            close = difflib.get_close_matches(name, columns, n=1)
            problems.append(f"no column {name!r}" + (f"; is it {close[0]!r}?" if close else ""))
    if problems:
        found = ", ".join(columns)[:200] or "none"
        wanted = f"the columns {', '.join(required)}" if required else "a name for each column"
        remedy = "delete the lines above it" if columns.count("") > 1 else "correct it"
        raise DermaugError(
            f"{path} line 1: expected {wanted}; found {found}; this is read as the header: "
            f"{remedy}",
            problems,
        )
