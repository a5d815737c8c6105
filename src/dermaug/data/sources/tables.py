"""Any data set that `LAYOUTS` describes: its table is found by header, and read by descriptor."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dermaug.data.catalog import Catalog
from dermaug.data.findings import Findings
from dermaug.data.image_folders import by_stem, file_names, files_below
from dermaug.data.metadata import Row, Sheet, read_sheet
from dermaug.data.sources.descriptors import LAYOUTS
from dermaug.data.sources.labelled_rows import read_rows, stem_of
from dermaug.data.sources.labelled_tables import (
    OWN_READER,
    Labelled,
    labelled_tables,
    tables_beside,
)
from dermaug.errors import DermaugError
from dermaug.whole_numbers import whole_number

LOOKS_FOR = "images and a table with the columns of " + ", ".join(
    dict.fromkeys(layout.name for layout in LAYOUTS)
)


def recognises(path: Path) -> bool:
    """Whether a table with a header of `LAYOUTS` is meant, other than HAM10000's own."""
    return any(
        not table.path.name.lower().startswith(OWN_READER) for table in labelled_tables(path)
    )


def why(path: Path) -> str:
    """What a path was recognised as and by which columns, as a sentence."""
    table = _whole(labelled_tables(path))
    if table is None:
        return ""
    by = (table.layout.image, *table.layout.marks, *table.layout.label)
    seen = ", ".join(dict.fromkeys(name for name in by if name in table.columns))
    return f"Recognised as {table.layout.name} by the columns {seen} of {table.path.name}."


def read(path: Path, own: Mapping[str, str], findings: Findings) -> Catalog:
    """Read a data set by its descriptor.

    Args:
        path: Its folder, its table with the labels, or the folder of images beside that.
        own: Label as written, or class -> class or `DROPPED`; overrides the descriptor.
        findings: Gets one line for everything that is wrong.

    Raises:
        DermaugError: Several tables with labels, or every finding by file and line.
    """
    found = labelled_tables(path)
    table = _whole(found)
    if table is None:
        raise DermaugError(
            f"{path}: expected one table with labels, found {len(found)}; pass the one you want",
            [f"{table.path} ({table.layout.name})" for table in found],
        )
    notes = [
        f"{other.path.name} is not read: {table.path.name} names all its images, with equal labels."
        for other in found
        if other is not table
    ]
    sheet, root = _joined(table, findings, notes), _root(path, table)
    images = by_stem(_files(root, table), findings)
    return read_rows(sheet, table.layout, own, images, root, findings, notes)


def _whole(tables: Sequence[Labelled]) -> Labelled | None:
    """The table that names all images of the others, with the labels that these have; else None.

    Tables of data sets that consist of several belong to parts, each with images of its own.
    """
    if len(tables) == 1:
        return tables[0]
    if len({table.layout.name for table in tables}) > 1 or tables[0].layout.join:
        return None
    labels = [_labels(table) for table in tables]
    of_all = {pair for pairs in labels for pair in pairs}
    whole = [
        table for table, pairs in zip(tables, labels, strict=True) if pairs and pairs == of_all
    ]
    return max(whole, key=lambda table: len(table.columns), default=None)


def _labels(table: Labelled) -> set[tuple[str, ...]]:
    """Name of each image with its labels as they are written; none if the table names no images."""
    layout = table.layout
    if layout.image not in table.columns:
        return set()
    columns = [name for name in layout.label if name in table.columns]
    rows = read_sheet(table.path, layout.marks, Findings()).rows
    return {(stem_of(row[layout.image]), *(row[name] for name in columns)) for row in rows}


def _joined(table: Labelled, findings: Findings, notes: list[str]) -> Sheet:
    """The table with one row per image, and with what tables beside it tell of each."""
    layout = table.layout
    sheet = read_sheet(table.path, layout.marks, findings)
    if layout.indexes and sheet.doubtful:
        findings.add(
            f"{table.path.name}: given splits name its rows by place, so that no row with too many "
            "or too few cells can be left out; correct it"
        )
    notes += filter(None, [sheet.how])
    for path, columns in tables_beside(table).items():
        if layout.join in columns and path != table.path:
            other = read_sheet(path, (layout.join,), findings)
            notes += filter(None, [other.how])
            first, second = (sheet, other) if layout.image in sheet.columns else (other, sheet)
            told = {row[layout.join]: row.cells for row in second.rows}
            rows = [
                Row(row.where, {**told.get(row[layout.join], {}), **row.cells})
                for row in first.rows
            ]
            columns = tuple(dict.fromkeys((*first.columns, *second.columns)))
            sheet = Sheet(first.path, columns, tuple(rows), first.doubtful | second.doubtful)
            notes.append(f"Joined with {path.name} by {layout.join}.")
    if layout.indexes:
        sheet = _with_given_splits(sheet, layout.indexes, findings, notes)
    if layout.image not in sheet.columns:
        raise DermaugError(
            f"{table.path}: expected a table beside it with the columns {layout.join} and "
            f"{layout.image}, whose name begins with {table.part or 'the same word'!r}; found none"
        )
    return sheet


def _with_given_splits(
    sheet: Sheet, tables: Sequence[str], findings: Findings, notes: list[str]
) -> Sheet:
    """The table with a column `split`, where tables beside it name the rows of each split."""
    folder, splits = sheet.path.parent, [""] * len(sheet.rows)
    there = [name for name in tables if name in file_names(folder)]
    for name in there if not sheet.doubtful else ():
        for row in read_sheet(folder / name, ("indexes",), findings).rows:
            place = whole_number(row["indexes"])
            if place is None or place >= len(splits):
                findings.add(f"{row.where}: expected a row from 0 to {len(splits) - 1}")
            else:
                splits[place] = name.partition("_")[0]
    if not there:
        return sheet
    notes.append(f"The given splits are those of {', '.join(there)}.")
    rows = [
        replace(row, cells={**row.cells, "split": split})
        for row, split in zip(sheet.rows, splits, strict=True)
    ]
    return replace(sheet, columns=(*sheet.columns, "split"), rows=tuple(rows))


def _root(path: Path, table: Labelled) -> Path:
    """Folder of the data set: that of the table, or the one above when that has the images."""
    root = path if path in table.path.parents else table.path.parent
    return root if root != table.path.parent or files_below(root) else root.parent


def _files(root: Path, table: Labelled) -> list[str]:
    """Images below the root: in the folders of the table's part if there are such."""
    files = files_below(root)
    if not table.part:
        return files
    own = [file for file in files if _in_part(Path(file).relative_to(root), table.part)]
    return own or files


def _in_part(file: Path, part: str) -> bool:
    return any(folder.lower().startswith(part) for folder in file.parts[:-1])
