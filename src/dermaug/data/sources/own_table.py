"""Images with a table of one's own, metadata.csv or .jsonl, alone or in each of given splits."""

import re
import shlex
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import compress
from pathlib import Path
from sys import intern

import pandas as pd

from dermaug.config.data import COLUMN_OPTIONS
from dermaug.data.catalog import Catalog
from dermaug.data.cells import (
    DEVICE_COLUMNS,
    UNKNOWN_WORDS,
    check_lesions,
    check_patients,
    check_sexes,
    describe,
    lesions_unknown,
    parse_patient,
    tone_column,
    with_devices,
)
from dermaug.data.containers import is_folder
from dermaug.data.findings import Findings
from dermaug.data.image_folders import file_names, files_below
from dermaug.data.label_map import DROPPED
from dermaug.data.metadata import Row, Sheet
from dermaug.data.safe_names import name_fault
from dermaug.data.similar_labels import names_several, one_name
from dermaug.data.sources.column_names import read_sentence
from dermaug.data.sources.completed_rows import (
    by_number,
    each_photograph,
    in_folders,
    known_sexes,
    lesion_ids,
    lesion_unknown,
    numbered_in_patients,
)
from dermaug.data.sources.labelled_tables import TABLES
from dermaug.data.sources.matched_rows import match_rows
from dermaug.data.sources.missing import NOTHING_LEFT
from dermaug.data.sources.own_tables import REQUIRED, find_tables, refuse_several
from dermaug.data.sources.plain_catalog import (
    LEAST_SHARED,
    MOST_NAMES,
    MOST_SHARED,
    image_ids,
    plain_catalog,
)
from dermaug.data.sources.pooled_tables import pooled_tables
from dermaug.data.sources.split_folders import (
    add_unknown_splits,
    pooled_note,
    split_name,
    split_of,
    unread_splits,
    with_splits,
)

NO_NAMES: Mapping[str, str] = {}
NUMBER_OF_ONE = re.compile(r"(?!.*\d[-./]\d{1,2}[-./]\d)(?=.*\d{3})[\w/ -]{3,20}")
"""What a patient's number may look like: three digits in a row at least, and no date."""
REPEATED = ("label", "lesion_id", "patient_id", "split")
"""Cells that two rows of one image must share, for the second to say nothing new."""
OPTIONAL_CELLS = ("lesion_id", "patient_id", "age", "sex", "localization", "dx_type")


def read(
    path: Path, labels: Mapping[str, str], findings: Findings, names: Mapping[str, str] = NO_NAMES
) -> Catalog:
    """Read images by the tables named `TABLE_NAMES`; given splits are pooled.

    Args:
        path: The folder or the table. A table's `file_name` is relative to its folder, or the end
            of a path below it.
        labels: Label -> class, or `DROPPED`.
        findings: Gets one line for everything that is wrong.
        names: Column that is read -> its name in the table, if the user has named some.

    Raises:
        DermaugError: Every finding, by file and line.
    """
    root = path.parent if not is_folder(path) else path
    files = files_below(root)
    tables, columns = find_tables(path, names)
    refuse_several(path, tables, names)
    sheet, completed = _completed(pooled_tables(root, tables, columns, findings), root, files)
    sheet = _once(sheet, findings)
    undecided = _undecided(sheet, labels, findings)
    beside = [name for name in file_names(root) if name.lower().endswith(TABLES)]
    unread = [name for name in beside if root / name not in tables]
    sheet, paths, renamed = match_rows(sheet, root, files, findings, unread)
    decided = [row.get("lesion_id") not in undecided for row in sheet.rows]
    sheet, paths = sheet.only(decided), list(compress(paths, decided))
    sheet, paths = _nameable(sheet, paths, labels, findings)
    if not paths:
        findings.add(f"{sheet.path.name}{NOTHING_LEFT}")
    ids = image_ids(paths, root)
    lesions = lesion_ids(sheet, ids)
    known = [row for row in sheet.rows if not lesion_unknown(row)]
    check_patients(((row.where, row["lesion_id"], parse_patient(row)) for row in known), findings)
    described = _described(sheet, paths, files, findings)
    given = [split_of(row.get("split")) for row in sheet.rows]
    add_unknown_splits(((row.where, row.get("split")) for row in sheet.rows), given, findings)
    findings.stop(str(root))
    grouped = "lesion_id" in sheet.columns
    written = [intern(row["label"]) for row in sheet.rows]
    notes = _table_notes(sheet.only(labels.get(label, label) != DROPPED for label in written))
    notes += completed
    notes += filter(None, [renamed, _unknown_note(written, labels), _blank_note(sheet)])
    if sheet.path == root:
        folders = [Path(image).relative_to(root).parts[0] for image in paths]
        notes.append(pooled_note(Counter(folders)))
        described = with_splits(described, list(map(split_name, folders)))
    elif "split" in sheet.columns:
        described = with_splits(described, given)
        notes += unread_splits((row["split"] for row in sheet.rows), described)
        if "split" in described:
            notes.append(pooled_note(Counter(given)))
    return plain_catalog(root, ids, lesions, written, paths, described, grouped, notes)


def _described(
    sheet: Sheet, paths: Sequence[str], files: Sequence[str], findings: Findings
) -> pd.DataFrame:
    """What the rows tell of images and patients; cells of rows without an image are no findings."""
    there = set(files)
    shown = [path in there for path in paths]
    check_sexes(compress(sheet.rows, shown), sheet.names.get("sex", "sex"), findings)
    described = pd.DataFrame(
        [
            describe(row, findings if is_shown else Findings(), own=True)
            for row, is_shown in zip(sheet.rows, shown, strict=True)
        ]
    ).assign(patient_id=list(map(parse_patient, sheet.rows)))
    return with_devices(described, sheet.rows)


def _completed(sheet: Sheet, root: Path, files: Sequence[str]) -> tuple[Sheet, list[str]]:
    """A table whose cells are whole by themselves, and sentences on what was completed."""
    sheet, cameras = by_number(sheet, root, files)
    sheet, photographs = each_photograph(sheet, root, files)
    sheet, folders = in_folders(sheet, root, files)
    sheet, numbers = numbered_in_patients(sheet)
    sheet, sexes = known_sexes(sheet)
    return sheet, [*cameras, *photographs, *folders, *numbers, *sexes]


def _once(sheet: Sheet, findings: Findings) -> Sheet:
    """Report rows of an image that another row has; those that say the same are unclear."""
    first: dict[str, Row] = {}
    kept = []
    for row in sheet.rows:
        name = row["file_name"]
        earlier = row if name.lower() in UNKNOWN_WORDS else first.setdefault(name, row)
        line = f"{row.where}: file_name {name[:100]!r} occurs already in {earlier.where}"
        same = all(row.get(column) == earlier.get(column) for column in REPEATED)
        if earlier is not row and same:
            findings.add_unclear(f"{line}, with the same label", "rows that repeat another", [name])
        elif earlier is not row:
            findings.add(line)
        kept.append(earlier is row or not (same and findings.leave_out))
    return sheet.only(kept)


def _nameable(
    sheet: Sheet, paths: list[str], labels: Mapping[str, str], findings: Findings
) -> tuple[Sheet, list[str]]:
    """Report labels that cannot be the name of a file; those of several diagnoses are unclear."""
    unclear = [False] * len(paths)
    for place, row in enumerate(sheet.rows):
        text = labels.get(row["label"], row["label"])
        if not text or not (fault := name_fault(text)):
            continue
        shown, option = repr(text[:100]), shlex.quote(text)
        line = (
            f"{row.where}: label {shown} {fault}, and files are named after labels; rename it: "
            f"--labels {shlex.quote(f'{text}=CLASS')}, or leave it out: --leave-out {option}"
        )
        if names_several(text):
            findings.add_unclear(line, "images of several diagnoses", [text])
            unclear[place] = findings.leave_out
        else:
            findings.add(line)
    kept = [not each for each in unclear]
    return sheet.only(kept), list(compress(paths, kept))


def _undecided(sheet: Sheet, labels: Mapping[str, str], findings: Findings) -> Collection[str]:
    """The lesions of two classes, whose rows are left out.

    Names of one class are left to `refuse_similar_labels`.
    """
    known = [row for row in sheet.rows if not lesion_unknown(row)]
    wanted = {row["label"]: labels.get(row["label"], row["label"]) for row in known}
    names = one_name(sorted(set(wanted.values())), labels)
    classes = [(row, wanted[row["label"]]) for row in known]
    return check_lesions(
        ((row.where, row["lesion_id"], names[name]) for row, name in classes if name != DROPPED),
        findings,
    )


def _is_empty(sheet: Sheet, column: str) -> bool:
    return all(row[column].lower() in UNKNOWN_WORDS for row in sheet.rows)


def _unknown_note(written: Sequence[str], labels: Mapping[str, str]) -> str:
    """A note on classes whose names are words for an empty cell; "" without any."""
    found = Counter(label for label in written if label.lower() in UNKNOWN_WORDS)
    told = [
        f"{label!r} ({number:,} rows)" for label, number in found.items() if label not in labels
    ]
    if not told:
        return ""
    return (
        f"Read as a class: {', '.join(told)}; if it stands for an empty cell, leave it out with "
        "--leave-out."
    )


def _blank_note(sheet: Sheet) -> str:
    """A note on rows as in lists whose authors leave out what stands above; "" without any."""
    blank = [row for row in sheet.rows if not row["label"] and not parse_patient(row)]
    if not blank or not any(map(parse_patient, sheet.rows)):
        return ""
    return (
        f"{len(blank):,} rows name neither a label nor a patient ({blank[0].where}, ...): if an "
        "empty cell means the same as the one above it, fill it in."
    )


def _table_notes(sheet: Sheet) -> list[str]:
    """What a reader must know about lesions, patients and columns of the rows with a class."""
    notes = [sheet.how] if sheet.how else []
    patients = list(map(parse_patient, sheet.rows))
    if "lesion_id" not in sheet.columns:
        notes.append(lesions_unknown(patients))
    elif lone := sum(map(lesion_unknown, sheet.rows)):
        notes.append(f"{lone:,} images without a lesion_id count as their own lesions.")
    if any(patients) and (strangers := patients.count("")):
        notes.append(f"{strangers:,} images without a patient_id are grouped by lesion.")
    tone = filter(None, [tone_column(sheet.columns)])
    besides = [*OPTIONAL_CELLS, *tone, *DEVICE_COLUMNS, "split"]
    read = {name: sheet.names.get(name, name) for name in besides if name in sheet.columns}
    empty = [name for name in read if _is_empty(sheet, name)]
    notes += filter(None, [read_sentence({name: read[name] for name in read if name not in empty})])
    if empty:
        silent = ", ".join(map(read.__getitem__, empty))
        notes.append(f"Columns that tell nothing of any image: {silent}.")
    used = {*REQUIRED, *read, *sheet.names.values()}
    if unread := [name for name in sheet.columns if name not in used]:
        told = {*REQUIRED, *read} | ({"skin_tone"} if tone_column(sheet.columns) else set())
        options = [option for column, option in COLUMN_OPTIONS.items() if column not in told]
        hint = (
            f"; if one of them tells more, name it with {' or '.join(options)}" if options else ""
        )
        notes.append(f"Columns that were not read: {', '.join(unread)}{hint}.")
        if not any(patients):
            notes += _patients_note(sheet, unread)
    return notes


def _patients_note(sheet: Sheet, unread: Sequence[str]) -> list[str]:
    """That a column seems to number patients, as a list of one sentence or none."""
    for column in unread:
        cells = [cell for row in sheet.rows if (cell := row[column])]
        numbers = sum(NUMBER_OF_ONE.fullmatch(cell) is not None for cell in cells)
        shared = len(cells) / max(len(set(cells)), 1)
        if numbers < MOST_NAMES * len(sheet.rows) or not LEAST_SHARED < shared < MOST_SHARED:
            continue
        return [
            f"{column} may number patients ({len(set(cells)):,} values in {len(cells):,} rows): if "
            f"so, add --patient-column {shlex.quote(column)}, or images of one patient come into "
            "training and test."
        ]
    return []
