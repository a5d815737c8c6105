"""Rows of a table as a catalog, by the descriptor of the data set."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from dermaug.data.catalog import COLUMNS, Catalog
from dermaug.data.cells import (
    DEVICE_COLUMNS,
    UNKNOWN_WORDS,
    check_patients,
    check_unique,
    describe,
    lesions_unknown,
    parse_device,
    parse_patient,
    with_devices,
)
from dermaug.data.diagnoses import is_unsure
from dermaug.data.findings import Findings
from dermaug.data.image_folders import mask_paths
from dermaug.data.image_names import SUFFIXES
from dermaug.data.label_map import DROPPED, LISTED, counted, label_notes
from dermaug.data.metadata import Row, Sheet
from dermaug.data.safe_names import name_fault
from dermaug.data.sources.column_names import ALIASES, read_sentence
from dermaug.data.sources.descriptors import CONFIRMED_BY, TONES, Layout
from dermaug.data.sources.missing import add_missing, add_unnamed, missing_sentence
from dermaug.data.sources.split_folders import pooled_note, split_of, unread_splits, with_splits
from dermaug.data.table_text import point
from dermaug.errors import DermaugError

ZEROS, ONES = ("0", "0.0"), ("1", "1.0")


def read_rows(
    sheet: Sheet,
    layout: Layout,
    own: Mapping[str, str],
    images: Mapping[str, str],
    root: Path,
    findings: Findings,
    notes: list[str],
) -> Catalog:
    """The catalog of a table with one row per image.

    Args:
        sheet: The table.
        layout: Descriptor of the data set.
        own: Label as written, or class -> class or `DROPPED`; overrides the descriptor.
        images: Image id -> path.
        root: Folder of the data set.
        findings: Gets one line for everything that is wrong.
        notes: What has been said of the reading; more is added.

    Raises:
        DermaugError: Every finding, or no image is left.
    """
    rows = _wanted(sheet, layout, notes)
    rows, written, told = _labelled_rows(rows, layout, own, findings)
    notes += told
    named = _stems(sheet, layout) | set(map(stem_of, findings.excused(sheet.doubtful)))
    rows = _with_images(rows, images, layout, root, findings, notes)
    lost = [file for stem, file in images.items() if stem not in named]
    if len(lost) < len(images):  # else the rows that miss their image tell of it
        add_unnamed(lost, sheet.path.name, findings)
    check_unique(rows, "image_id", findings)
    check_patients(((row.where, row["lesion_id"], parse_patient(row)) for row in rows), findings)
    described = pd.DataFrame([describe(row, findings) for row in rows])
    findings.stop(str(sheet.path))
    unread = set(images) - {row["image_id"] for row in rows}
    notes += [
        f"Left out the images of the column {column}: {number:,}."
        for column in layout.others
        if (number := len({stem_of(row.get(column)) for row in sheet.rows} & unread))
    ]
    notes += _read_and_unread(sheet.columns, layout)
    if not rows:
        raise DermaugError(f"{sheet.path}: no image is left to read", notes)
    return _catalog(root, layout.name, rows, described, images, sheet, notes, written)


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
        written[text] = label
        if label != DROPPED:
            kept.append(_canonical(row, layout, label))
    add_unknown(unknown, layout, findings)
    for label in sorted(set(written.values()) - {DROPPED}):
        if fault := name_fault(label):
            findings.add(f"label {label[:100]!r} {fault}; rename it with data.labels")
    return kept, written, label_notes(written, texts)


def add_unknown(labels: Counter[str], layout: Layout, findings: Findings) -> None:
    """Report labels that a data set does not have; those that tell no sure diagnosis are unclear.

    Args:
        labels: Number of images of each.
        layout: Descriptor of the data set.
        findings: Gets one line for each kind.
    """
    unsure = {label: number for label, number in labels.items() if is_unsure(label)}
    if unsure:
        line = f"{layout.name}: no sure diagnosis are {counted(Counter(unsure))}"
        findings.add_unclear(line, "images without a sure diagnosis", list(unsure))
    if others := Counter({label: labels[label] for label in labels if label not in unsure}):
        classes = ", ".join(sorted(set(layout.labels.values()) - {DROPPED}))
        findings.add(
            f"{layout.name} has no labels {counted(others)}; its classes are {classes}; say what "
            "they are with --labels LABEL=CLASS (data.labels), or leave them out with --leave-out "
            "LABEL (data.leave_out)"
        )


def _label(
    row: Row, layout: Layout, own: Mapping[str, str], findings: Findings
) -> tuple[str, str | None]:
    """Text of a row's label and its class; the first column that the map keeps decides."""
    if layout.one_hot:
        marks = {column: point(row.get(column)) for column in layout.label}
        ones = [column for column, mark in marks.items() if mark in ONES]
        if len(ones) != 1 or any(mark not in ZEROS + ONES for mark in marks.values()):
            odd = [f"{name}={mark[:12]}" for name, mark in marks.items() if mark not in ZEROS]
            shown = ", ".join(odd) or "none"
            findings.add(f"{row.where}: expected one 1.0 and otherwise 0.0, found {shown}")
            return "", DROPPED
        return ones[0], layout.class_of(ones[0], own)
    texts = [row.get(column) for column in layout.label]
    filled = [text for text in texts if text.lower() not in UNKNOWN_WORDS] or [""]
    mapped = [(text, layout.class_of(text, own)) for text in filled if text]
    return next(((text, name) for text, name in mapped if name), (mapped or [("", DROPPED)])[0])


def _canonical(row: Row, layout: Layout, label: str) -> Row:
    stem = stem_of(row[layout.image])
    cells = {"image_id": stem, "label": label, "file": row[layout.image]}
    cells |= {"split": split_of(row.get("split")), "device": parse_device(row)}
    for column, names in ALIASES.items():
        name = next((name for name in names if name in row.cells), "")
        text = row[name] if name else ""  # a column without a name is none of them
        text = TONES[name].get(point(text).removesuffix(".0"), text) if name in TONES else text
        cells[column] = "" if text == "-1" else text  # Fitzpatrick17k's word for unknown
    cells["dx_type"] = CONFIRMED_BY.get(cells["dx_type"].lower(), cells["dx_type"])
    if cells["lesion_id"].lower() in UNKNOWN_WORDS:
        cells["lesion_id"] = stem
    return Row(row.where, cells)


def stem_of(name: str) -> str:
    """Id of an image by its name in a table: without folders and ending."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.stem if path.suffix.lower() in SUFFIXES else path.name


def _stems(sheet: Sheet, layout: Layout) -> set[str]:
    """Ids of all images that the table names, read or not."""
    columns = [name for name in (layout.image, *layout.others) if name in sheet.columns]
    return {stem_of(row[column]) for row in sheet.rows for column in columns}


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
    every = len(lost) == len(rows)
    if layout.incomplete and lost and not every:
        told = missing_sentence([row["file"] for row in lost], images.values(), root)
        notes.append(f"Left out: {told}.")
    else:
        missing = [(row.where, row["file"]) for row in lost]
        add_missing(missing, layout.image, images.values(), root, findings, every=every)
    return [row for row in rows if row["image_id"] in images]


def _read_and_unread(columns: Sequence[str], layout: Layout) -> list[str]:
    """Sentences on the columns that are read and on those that are not."""
    found = {
        column: next((name for name in names if name in columns), "")
        for column, names in ALIASES.items()
    }
    read = {column: name for column, name in found.items() if name}
    used = {layout.image, *layout.label, *layout.others, layout.join, *layout.marks}
    used |= {layout.only[0]} if layout.only else set()
    used |= {*read.values(), "split", *DEVICE_COLUMNS}
    unread = [name for name in columns if name and name not in used]
    more = f" and {len(unread) - LISTED} more" if len(unread) > LISTED else ""
    lost = f"Columns that were not read: {', '.join(unread[:LISTED])}{more}." if unread else ""
    return [*filter(None, [read_sentence(read), lost])]


def _catalog(
    root: Path,
    name: str,
    rows: Sequence[Row],
    described: pd.DataFrame,
    images: Mapping[str, str],
    sheet: Sheet,
    notes: list[str],
    written: Mapping[str, str],
) -> Catalog:
    ids = [row["image_id"] for row in rows]
    lesions = [row["lesion_id"] for row in rows]
    grouped = any(column in sheet.columns for column in ALIASES["lesion_id"]) and lesions != ids
    alone = sum(lesion == image for lesion, image in zip(lesions, ids, strict=True))
    if not grouped:
        notes.append(lesions_unknown([parse_patient(row) for row in rows]))
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
    splits = [row["split"] for row in rows]
    table = with_devices(with_splits(table, splits), rows)
    if "split" in sheet.columns:
        notes += unread_splits((row["split"] for row in sheet.rows), table)
    if "split" in table:
        notes.append(pooled_note(Counter(filter(None, splits))))
    classes = tuple(sorted(set(table["label"])))
    return Catalog(name, root, table, classes, grouped, notes=tuple(notes), written=written)
