"""Any folder of images: with a metadata.csv, or with one sub-folder a class."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from dermaug.data.catalog import COLUMNS, Catalog
from dermaug.data.cells import (
    TONE_COLUMNS,
    UNKNOWN_WORDS,
    check_lesions,
    check_patients,
    check_unique,
    describe,
    name_fault,
    parse_patient,
    safe_join,
    tone_column,
)
from dermaug.data.metadata import Findings, Row, Sheet, read_sheet
from dermaug.data.sources.images import (
    MASK_FOLDER,
    SUFFIXES,
    file_names,
    files_below,
    is_image,
    mask_paths,
    other_endings,
    sub_folders,
)
from dermaug.data.sources.isic2018 import PARTS
from dermaug.errors import DermaugError

TABLE_LOOKS_FOR = (
    "metadata.csv with the columns file_name,label"
    "[,lesion_id,patient_id,age,sex,localization,skin_tone]"
)
FOLDERS_LOOK_FOR = "one sub-folder a class, with the images directly in it"
TABLE_NAME = "metadata.csv"
REQUIRED = ("file_name", "label")
OPTIONAL = ("lesion_id", "patient_id", "age", "sex", "localization", "dx_type")
UNGROUPED_NOTE = "Lesions are unknown: each image counts as its own lesion."


def has_table(path: Path) -> bool:
    """Whether `path` is a `metadata.csv` or a folder with one."""
    if path.is_file():
        return path.name.lower() == TABLE_NAME
    return TABLE_NAME in map(str.lower, file_names(path))


def has_class_folders(path: Path) -> bool:
    """Whether a folder's sub-folders hold images directly, as classes do."""
    return path.is_dir() and bool(_class_folders(path))


def read_table(path: Path) -> Catalog:
    """Read a folder with a `metadata.csv`.

    Args:
        path: The folder or the table. The table's `file_name` is relative to its folder.

    Raises:
        DermaugError: Every finding, by file and line.
    """
    root = path.parent if path.is_file() else path
    table_path = next(root / name for name in file_names(root) if name.lower() == TABLE_NAME)
    findings = Findings()
    sheet = read_sheet(table_path, REQUIRED, findings)
    check_unique(sheet.rows, "file_name", findings)
    paths = [_image_path(root, row, findings) for row in sheet.rows]
    _match_files(root, sheet, paths, findings)
    ids = _image_ids(paths, root)
    lesions, lone = _lesion_ids(sheet, ids)
    for row in sheet.rows:
        if fault := name_fault(row["label"]):
            findings.add(f"{row.where}: label {row['label'][:100]!r} {fault}")
    labels = [row["label"] for row in sheet.rows]
    known = [row for row in sheet.rows if not _lesion_unknown(row)]
    check_lesions(((row.where, row["lesion_id"], row["label"]) for row in known), findings)
    check_patients(((row.where, row["lesion_id"], parse_patient(row)) for row in known), findings)
    described = pd.DataFrame([describe(row, findings) for row in sheet.rows])
    described["patient_id"] = [parse_patient(row) for row in sheet.rows]
    findings.stop(str(root))
    grouped = "lesion_id" in sheet.columns
    notes = _table_notes(sheet, lone, described["patient_id"].tolist())
    return _catalog(root, ids, lesions, labels, paths, described, grouped, notes)


def read_class_folders(path: Path) -> Catalog:
    """Read a folder with one sub-folder a class; the sub-folder's name is the label.

    Args:
        path: The folder.

    Raises:
        DermaugError: Images outside the class folders, deeper in them, or of equal names.
    """
    findings = Findings()
    classes = _class_folders(path)
    paths, labels = [], []
    for folder in classes:
        if fault := name_fault(folder.name):
            findings.add(f"{folder}: the class {folder.name!r} {fault}")
        for name in filter(is_image, file_names(folder)):
            paths.append(folder / name)
            labels.append(folder.name)
    read = {str(image) for image in paths}
    for lost in files_below(path):
        if lost not in read:
            findings.add(f"{lost}: image not directly in a class folder")
    ids = _image_ids(paths, path)
    findings.stop(str(path))
    notes = [UNGROUPED_NOTE, *_left_out(path, classes)]
    described = pd.DataFrame([describe(Row("", {}), findings)] * len(ids)).assign(patient_id="")
    return _catalog(path, ids, ids, labels, paths, described, False, notes)


def _class_folders(path: Path) -> list[Path]:
    folders = [
        folder
        for folder in sub_folders(path)
        if folder.name != MASK_FOLDER and any(map(is_image, file_names(folder)))
    ]
    # Image folders of the known data sets without their tables are no classes.
    known = [
        folder
        for folder in folders
        if folder.name.lower().startswith("ham10000_images") or PARTS.fullmatch(folder.name)
    ]
    return [] if known else folders


def _left_out(path: Path, classes: Sequence[Path]) -> list[str]:
    """Notes on files of other kinds in class folders, and on sub-folders without images."""
    others = [name for folder in classes for name in file_names(folder) if not is_image(name)]
    empty = [
        folder.name
        for folder in sub_folders(path)
        if folder not in classes and folder.name != MASK_FOLDER
    ]
    notes = []
    if others:
        kinds = ", ".join(sorted(SUFFIXES))
        notes.append(f"Left out files that are not {kinds}: {other_endings(others)}.")
    if empty:
        notes.append(f"Left out sub-folders without images: {', '.join(empty)}.")
    return notes


def _image_path(root: Path, row: Row, findings: Findings) -> Path:
    try:
        path = safe_join(root, row["file_name"])
    except DermaugError as error:
        findings.add(f"{row.where}: {error.message}")
        return root
    if not is_image(path.name):
        kinds = ", ".join(sorted(SUFFIXES))
        findings.add(f"{row.where}: expected a file_name with {kinds}; found {path.name[:100]!r}")
    return path


def _match_files(root: Path, sheet: Sheet, paths: Sequence[Path], findings: Findings) -> None:
    present = set(files_below(root))
    named = {str(path) for path in paths}
    for row, path in zip(sheet.rows, paths, strict=True):
        if path != root and is_image(path.name) and str(path) not in present:
            findings.add(f"{row.where}: no image file {row['file_name'][:100]!r}")
    excused = {str(root / cell) for cell in sheet.doubtful}
    findings.lines.extend(
        f"{path}: image without a row in {sheet.path.name}"
        for path in sorted(present - named - excused)
    )


def _image_ids(paths: Sequence[Path], root: Path) -> list[str]:
    """File names without ending; with folders and endings where these alone are not unique."""
    stems = [path.stem for path in paths]
    if len(set(stems)) == len(stems):
        return stems
    return ["_".join(path.relative_to(root).parts) for path in paths]


def _lesion_ids(sheet: Sheet, image_ids: Sequence[str]) -> tuple[list[str], int]:
    """Lesion of each row, its image id where it is unknown, and how many those are."""
    lesions = [
        image_id if _lesion_unknown(row) else row["lesion_id"]
        for row, image_id in zip(sheet.rows, image_ids, strict=True)
    ]
    return lesions, sum(map(_lesion_unknown, sheet.rows))


def _table_notes(sheet: Sheet, lone: int, patients: Sequence[str]) -> list[str]:
    """What a reader must know about lesions, patients and columns; `lone` images have no lesion."""
    notes = []
    if "lesion_id" not in sheet.columns:
        notes.append(UNGROUPED_NOTE)
    elif lone:
        notes.append(f"{lone:,} images without a lesion_id count as their own lesions.")
    if any(patients) and (strangers := patients.count("")):
        notes.append(f"{strangers:,} images without a patient_id are grouped by lesion.")
    read = {*REQUIRED, *OPTIONAL, tone_column(sheet.columns)}
    if unread := [name for name in sheet.columns if name not in read]:
        notes.append(
            f"Columns that were not read: {', '.join(unread)}; those that are: "
            f"{', '.join((*REQUIRED, *OPTIONAL))} and one of {', '.join(TONE_COLUMNS)}."
        )
    return notes


def _lesion_unknown(row: Row) -> bool:
    return row.get("lesion_id").lower() in UNKNOWN_WORDS


def _catalog(
    root: Path,
    ids: list[str],
    lesions: list[str],
    labels: list[str],
    paths: list[Path],
    described: pd.DataFrame,
    grouped: bool,
    notes: list[str],
) -> Catalog:
    if doubles := len(ids) - len(set(ids)):
        raise DermaugError(
            f"{root}: expected file names that remain unique when / is replaced by _; {doubles} do "
            "not; rename them"
        )
    masks = mask_paths(root)
    table = described.assign(
        image_id=ids,
        lesion_id=lesions,
        label=labels,
        path=[str(path) for path in paths],
        mask_path=[masks.get(image_id, "") for image_id in ids],
    )[list(COLUMNS)]
    return Catalog(root.name, root, table, tuple(sorted(set(labels))), grouped, notes=tuple(notes))
