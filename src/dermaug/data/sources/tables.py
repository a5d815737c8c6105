"""Any data set that `LAYOUTS` describes: its table is found by header, and read by descriptor."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pandas as pd

from dermaug.data.catalog import COLUMNS, Catalog
from dermaug.data.cells import (
    UNKNOWN_WORDS,
    check_patients,
    check_unique,
    describe,
    name_fault,
    parse_patient,
)
from dermaug.data.label_map import DROPPED, LISTED, counted, label_notes
from dermaug.data.metadata import Findings, Row, Sheet, read_sheet
from dermaug.data.sources.descriptors import ALIASES, LAYOUTS, Layout
from dermaug.data.sources.images import (
    SUFFIXES,
    by_stem,
    files_below,
    mask_paths,
)
from dermaug.data.sources.labelled_tables import (
    OWN_READER,
    Labelled,
    labelled_tables,
    part_of,
    tables_around,
)
from dermaug.data.sources.missing import add_missing, add_unnamed, missing_sentence
from dermaug.errors import DermaugError

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
    sentences = []
    for table in labelled_tables(path):
        by = (table.layout.image, *table.layout.marks, *table.layout.label)
        seen = ", ".join(dict.fromkeys(name for name in by if name in table.columns))
        name = table.layout.name
        sentences.append(f"Recognised as {name} by the columns {seen} of {table.path.name}.")
    return " ".join(sentences)


def read(path: Path, own: Mapping[str, str]) -> Catalog:
    """Read a data set by its descriptor.

    Args:
        path: Its folder, its table with the labels, or the folder of images beside that.
        own: Label as written, or class -> class or `DROPPED`; overrides the descriptor.

    Raises:
        DermaugError: Several tables with labels, or every finding by file and line.
    """
    found = labelled_tables(path)
    if len(found) > 1:
        raise DermaugError(
            f"{path}: expected one table with labels, found {len(found)}; pass the one you want",
            [f"{table.path} ({table.layout.name})" for table in found],
        )
    (table,) = found
    layout, root = table.layout, _root(path, table)
    findings, notes = Findings(), list[str]()
    sheet = _joined(table, findings, notes)
    rows = _wanted(sheet, layout, notes)
    files = _files(root, table)
    rows, written, told = _labelled_rows(rows, layout, own, findings)
    notes += told
    named = _stems(sheet, layout)
    images = by_stem(files, findings)
    rows = _with_images(rows, images, layout, root, findings, notes)
    lost = [file for stem, file in images.items() if stem not in named]
    add_unnamed(lost, sheet.path.name, findings)
    check_unique(rows, "image_id", findings)
    check_patients(((row.where, row["lesion_id"], parse_patient(row)) for row in rows), findings)
    described = pd.DataFrame([describe(row, findings) for row in rows])
    findings.stop(str(table.path))
    notes += _unread(sheet.columns, layout)
    if not rows:
        raise DermaugError(f"{table.path}: no image is left to read", notes)
    catalog = _catalog(root, layout.name, rows, described, images, sheet, notes)
    return replace(catalog, written=written)


def _joined(table: Labelled, findings: Findings, notes: list[str]) -> Sheet:
    """The table with one row per image, and with what tables beside it tell of each."""
    layout = table.layout
    sheet = read_sheet(table.path, layout.marks, findings)
    around = tables_around(table.path.parent) | tables_around(table.path.parent.parent)
    for path, columns in around.items():
        if layout.join in columns and part_of(path) == table.part and path != table.path:
            other = read_sheet(path, (layout.join,), findings)
            first, second = (sheet, other) if layout.image in sheet.columns else (other, sheet)
            told = {row[layout.join]: row.cells for row in second.rows}
            rows = [
                Row(row.where, {**told.get(row[layout.join], {}), **row.cells})
                for row in first.rows
            ]
            columns = tuple(dict.fromkeys((*first.columns, *second.columns)))
            sheet = Sheet(first.path, columns, tuple(rows), first.doubtful | second.doubtful)
            notes.append(f"Joined with {path.name} by {layout.join}.")
    if layout.image not in sheet.columns:
        raise DermaugError(
            f"{table.path}: expected a table beside it with the columns {layout.join} and "
            f"{layout.image}, whose name begins with {table.part or 'the same word'!r}; found none"
        )
    return sheet


def _wanted(sheet: Sheet, layout: Layout, notes: list[str]) -> list[Row]:
    if layout.only is None or layout.only[0] not in sheet.columns:
        return list(sheet.rows)
    column, value = layout.only
    left_out = Counter(row[column] for row in sheet.rows if row[column] != value)
    if left_out:
        notes.append(f"Read {column} {value}; left out {counted(left_out)}.")
    return [row for row in sheet.rows if row[column] == value]


def _labelled_rows(
    rows: Sequence[Row], layout: Layout, own: Mapping[str, str], findings: Findings
) -> tuple[list[Row], dict[str, str], list[str]]:
    """Rows in a catalog's columns without those left out, label -> class, and what was changed."""
    kept, texts, unknown, written = [], Counter[str](), Counter[str](), dict[str, str]()
    for row in rows:
        text, label = _label(row, layout, own, findings)
        texts[text] += 1
        if label is None:
            unknown[text] += 1
            continue
        unlabelled = text not in own and text.lower() in UNKNOWN_WORDS
        written[text] = DROPPED if unlabelled else label
        if written[text] != DROPPED:
            kept.append(_canonical(row, layout, label))
    if unknown:
        known = ", ".join(layout.labels)
        findings.add(
            f"{layout.name} has no labels {counted(unknown)}; known are {known}; say what they are "
            "with data.labels, or leave them out with data.leave_out"
        )
    for label in sorted(set(written.values()) - {DROPPED}):
        if fault := name_fault(label):
            findings.add(f"label {label[:100]!r} {fault}; rename it with data.labels")
    return kept, written, label_notes(written, texts)


def _label(
    row: Row, layout: Layout, own: Mapping[str, str], findings: Findings
) -> tuple[str, str | None]:
    """Text of a row's label and its class; the first column that the map keeps decides."""
    if layout.one_hot:
        marks = {column: row.get(column) for column in layout.label}
        ones = [column for column, mark in marks.items() if mark in ("1", "1.0")]
        if len(ones) != 1 or any(mark not in ("0", "0.0", "1", "1.0") for mark in marks.values()):
            shown = ", ".join(f"{column}={mark[:12]}" for column, mark in marks.items())
            findings.add(f"{row.where}: expected one 1.0 and otherwise 0.0, found {shown}")
            return "", DROPPED
        return ones[0], _class_of(ones[0], layout, own)
    texts = [row.get(column) for column in layout.label]
    filled = [text for text in texts if text.lower() not in UNKNOWN_WORDS] or [""]
    mapped = [(text, _class_of(text, layout, own)) for text in filled if text]
    return next(((text, name) for text, name in mapped if name), (mapped or [("", DROPPED)])[0])


def _class_of(text: str, layout: Layout, own: Mapping[str, str]) -> str | None:
    """Class of a label: what the user wants of it or of its class, else what the layout says."""
    if text in own:
        return own[text]
    name = layout.class_of(text)
    return name if name is None else own.get(name, name)


def _canonical(row: Row, layout: Layout, label: str) -> Row:
    stem = _stem(row[layout.image])
    cells = {"image_id": stem, "label": label, "file": row[layout.image]}
    for column, names in ALIASES.items():
        text = next((row[name] for name in names if name in row.cells), "")
        cells[column] = "" if text == "-1" else text  # Fitzpatrick17k's word for unknown
    if cells["lesion_id"].lower() in UNKNOWN_WORDS:
        cells["lesion_id"] = stem
    return Row(row.where, cells)


def _stem(name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.stem if path.suffix.lower() in SUFFIXES else path.name


def _stems(sheet: Sheet, layout: Layout) -> set[str]:
    """Ids of all images that the table names, read or not."""
    columns = [name for name in (layout.image, *layout.others) if name in sheet.columns]
    named = {_stem(row[column]) for row in sheet.rows for column in columns}
    return named | {_stem(cell) for cell in sheet.doubtful}


def _root(path: Path, table: Labelled) -> Path:
    """Folder of the data set: that of the table, or the one above when that has the images."""
    root = path if path in table.path.parents else table.path.parent
    return root if files_below(root) else root.parent


def _files(root: Path, table: Labelled) -> list[str]:
    """Images below the root: in the folders of the table's part if there are such."""
    files = files_below(root)
    if not table.part:
        return files
    own = [file for file in files if _in_part(Path(file).relative_to(root), table.part)]
    return own or files


def _in_part(file: Path, part: str) -> bool:
    return any(folder.lower().startswith(part) for folder in file.parts[:-1])


def _with_images(
    rows: list[Row],
    images: Mapping[str, str],
    layout: Layout,
    root: Path,
    findings: Findings,
    notes: list[str],
) -> list[Row]:
    """The rows whose image is there; the others are one finding, or a note."""
    for row in rows:
        if fault := name_fault(row["image_id"]):
            findings.add(f"{row.where}: image {row['file'][:100]!r} {fault}")
    lost = [row for row in rows if row["image_id"] not in images]
    if layout.incomplete and 0 < len(lost) < len(rows):
        told = missing_sentence([row["file"] for row in lost], images.values(), root)
        notes.append(f"Left out: {told}.")
    else:
        missing = [(row.where, row["file"]) for row in lost]
        add_missing(missing, layout.image, images.values(), root, findings)
    return [row for row in rows if row["image_id"] in images]


def _unread(columns: Sequence[str], layout: Layout) -> list[str]:
    used = {layout.image, *layout.label, *layout.others, layout.join, *layout.marks}
    used |= {layout.only[0]} if layout.only else set()
    used |= {next((name for name in names if name in columns), "") for names in ALIASES.values()}
    unread = [name for name in columns if name and name not in used]
    more = f" and {len(unread) - LISTED} more" if len(unread) > LISTED else ""
    return [f"Columns that were not read: {', '.join(unread[:LISTED])}{more}."] if unread else []


def _catalog(
    root: Path,
    name: str,
    rows: Sequence[Row],
    described: pd.DataFrame,
    images: Mapping[str, str],
    sheet: Sheet,
    notes: list[str],
) -> Catalog:
    ids = [row["image_id"] for row in rows]
    lesions = [row["lesion_id"] for row in rows]
    grouped = any(column in sheet.columns for column in ALIASES["lesion_id"]) and lesions != ids
    alone = sum(lesion == image for lesion, image in zip(lesions, ids, strict=True))
    if not grouped:
        notes.append("Lesions are unknown: each image counts as its own lesion.")
    elif alone:
        notes.append(f"{alone:,} images without a lesion_id count as their own lesions.")
    diagnoses = pd.Series([row["label"] for row in rows]).groupby(lesions).nunique()
    if several := int((diagnoses > 1).sum()):
        notes.append(f"{several:,} lesions have images with different labels.")
    masks = mask_paths(root)
    table = described.assign(
        image_id=ids,
        lesion_id=lesions,
        label=[row["label"] for row in rows],
        patient_id=[parse_patient(row) for row in rows],
        path=[images[image_id] for image_id in ids],
        mask_path=[masks.get(image_id, "") for image_id in ids],
    )[list(COLUMNS)]
    classes = tuple(sorted(set(table["label"])))
    return Catalog(name, root, table, classes, grouped, notes=tuple(notes))
