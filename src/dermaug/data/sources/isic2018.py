"""ISIC 2018 Task 3 (Codella et al., arXiv:1902.03368): one part, with its one-hot ground truth."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dermaug.data.catalog import COLUMNS, Catalog
from dermaug.data.cells import UNKNOWN, UNKNOWN_WORDS, check_lesions, check_names, check_unique
from dermaug.data.metadata import Findings, Row, Sheet, read_sheet
from dermaug.data.sources.images import (
    by_stem,
    file_names,
    files_below,
    mask_paths,
    sub_folders,
)
from dermaug.data.sources.missing import match_images
from dermaug.errors import DermaugError

LOOKS_FOR = (
    "a folder ISIC2018_Task3_*_Input with ISIC2018_Task3_*_GroundTruth.csv beside it "
    "(or in a folder ISIC2018_Task3_*_GroundTruth)"
)
PARTS = re.compile(r"ISIC2018_Task3_(\w+?)_(?:Input|GroundTruth(?:\.csv)?)", re.IGNORECASE)
LABELS = {label.upper(): label for label in ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")}
TRUTH_COLUMNS = ("image", *LABELS)
GROUPING_COLUMNS = ("image", "lesion_id", "diagnosis_confirm_type")
CONFIRMED_BY = {
    "histopathology": "histo",
    "serial imaging showing no change": "follow_up",
    "single image expert consensus": "consensus",
    "confocal microscopy with consensus dermoscopy": "confocal",
}


@dataclass(frozen=True)
class Part:
    """Where the files of one part lie.

    Args:
        name: Training, Validation or Test.
        images: Folder of its images.
        truth: Table of its diagnoses; None when it is missing.
        groupings: Table of its lesions; None when it is missing, as it always is but for Training.
    """

    name: str
    images: Path
    truth: Path | None
    groupings: Path | None


def find_parts(path: Path) -> list[Part]:
    """The parts that lie in a folder, or the one part whose folder or table `path` is."""
    match = PARTS.fullmatch(path.name)
    wanted = match.group(1).lower() if match else ""
    if path.is_file() and not match:
        return []
    root = path.parent if match else path
    folders = sub_folders(root)
    tables = {
        file.lower(): folder / file
        for folder in (root, *(folder for folder in folders if PARTS.fullmatch(folder.name)))
        for file in file_names(folder)
        if file.lower().startswith("isic2018_task3_") and file.lower().endswith(".csv")
    }
    parts = []
    for folder in folders:
        found = PARTS.fullmatch(folder.name)
        if found and folder.name.lower().endswith("_input"):
            name = found.group(1)
            prefix = f"isic2018_task3_{name.lower()}"
            truth = tables.get(f"{prefix}_groundtruth.csv")
            groupings = tables.get(f"{prefix}_lesiongroupings.csv")
            if wanted in ("", name.lower()):
                parts.append(Part(name, folder, truth, groupings))
    return parts


def recognises(path: Path) -> bool:
    """Whether there is an ISIC2018_Task3_*_Input folder; what else is missing `read` tells."""
    return bool(find_parts(path))


def read(path: Path) -> Catalog:
    """Read one part.

    Args:
        path: Folder with the part's folder of images and its ground truth; the folder of images;
            or the ground truth itself. The latter two choose where several parts lie together.

    Raises:
        DermaugError: Several parts, no ground truth, or every finding by file and line.
    """
    part = _only_part(path)
    findings = Findings()
    if part.truth is None:
        raise DermaugError(
            f"{part.images}: expected ISIC2018_Task3_{part.name}_GroundTruth.csv beside it; found "
            "none; download it from https://challenge.isic-archive.com/data/#2018"
        )
    sheet = read_sheet(part.truth, TRUTH_COLUMNS, findings)
    check_names(sheet.rows, "image", findings)
    check_unique(sheet.rows, "image", findings)
    images = by_stem(files_below(part.images), findings)
    match_images(sheet, "image", images, part.images.parent, findings)
    labels = [_label(row, findings) for row in sheet.rows]
    lesions = _lesions(part, sheet, findings)
    triples = (
        (row.where, lesions[row["image"]][0], label)
        for row, label in zip(sheet.rows, labels, strict=True)
    )
    check_lesions(triples, findings)
    findings.stop(str(part.images.parent))
    note = f"No LesionGroupings.csv for {part.name}: each image counts as its own lesion."
    return Catalog(
        name=f"ISIC 2018 Task 3 {part.name}",
        root=part.images.parent,
        table=_table(part, labels, lesions, images),
        classes=tuple(sorted(set(labels))),
        grouped=part.groupings is not None,
        notes=() if part.groupings else (note,),
    )


def _table(
    part: Part,
    labels: list[str],
    lesions: Mapping[str, tuple[str, str]],
    images: Mapping[str, str],
) -> pd.DataFrame:
    """One row per image; `lesions` has them in the order of the ground truth, as `labels`."""
    masks = mask_paths(part.images.parent)
    columns = {
        "image_id": list(lesions),
        "lesion_id": [lesion for lesion, _ in lesions.values()],
        "patient_id": "",
        "label": labels,
        "path": [images[image_id] for image_id in lesions],
        "mask_path": [masks.get(image_id, "") for image_id in lesions],
        "age": float("nan"),
        "sex": UNKNOWN,
        "localization": UNKNOWN,
        "skin_tone": UNKNOWN,
        "dx_type": [confirmed for _, confirmed in lesions.values()],
    }
    return pd.DataFrame(columns, columns=list(COLUMNS))


def _only_part(path: Path) -> Part:
    parts = find_parts(path)
    if len(parts) == 1:
        return parts[0]
    raise DermaugError(
        f"{path}: expected one part of ISIC 2018 Task 3, found {len(parts)}; pass the image folder "
        "of the part you want",
        [str(part.images) for part in parts],
    )


def _label(row: Row, findings: Findings) -> str:
    """The column that holds a one; everything but one one and zeros is a finding."""
    marks = {column: row[column] for column in LABELS}
    ones = [column for column, mark in marks.items() if mark in ("1", "1.0")]
    zeros = [column for column, mark in marks.items() if mark in ("0", "0.0")]
    if len(ones) != 1 or len(zeros) != len(LABELS) - 1:
        shown = ", ".join(f"{column}={mark[:12]}" for column, mark in marks.items())
        findings.add(f"{row.where}: expected one 1.0 and otherwise 0.0, found {shown}")
    return LABELS[ones[0]] if ones else ""


def _lesions(part: Part, truth: Sheet, findings: Findings) -> dict[str, tuple[str, str]]:
    """Image id -> (lesion id, how it was diagnosed); each image its own lesion without a table."""
    lesions = {row["image"]: (row["image"], UNKNOWN) for row in truth.rows}
    if part.groupings is None:
        return lesions
    sheet = read_sheet(part.groupings, GROUPING_COLUMNS, findings)
    check_unique(sheet.rows, "image", findings)
    for row in sheet.rows:
        if row["lesion_id"].lower() in UNKNOWN_WORDS:
            findings.add(f"{row.where}: expected a lesion_id, found {row['lesion_id']!r}")
        if row["image"] not in lesions and row["image"] not in truth.doubtful:
            findings.add(f"{row.where}: image {row['image'][:100]!r} is not in {truth.path.name}")
        confirmed = row["diagnosis_confirm_type"]
        lesions[row["image"]] = row["lesion_id"], CONFIRMED_BY.get(confirmed, confirmed or UNKNOWN)
    grouped = {row["image"] for row in sheet.rows} | sheet.doubtful
    for row in truth.rows:
        if row["image"] not in grouped:
            findings.add(f"{row.where}: image {row['image'][:100]!r} is not in {sheet.path.name}")
    return lesions
