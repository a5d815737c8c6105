"""HAM10000 as on Kaggle or Harvard Dataverse (Tschandl et al. 2018, doi:10.7910/DVN/DBW86T)."""

from collections import Counter
from collections.abc import Mapping
from itertools import compress
from operator import not_
from pathlib import Path

import pandas as pd

from dermaug.data.catalog import COLUMNS, Catalog
from dermaug.data.cells import (
    UNKNOWN_WORDS,
    check_lesions,
    check_names,
    check_patients,
    check_unique,
    describe,
    parse_patient,
    with_devices,
)
from dermaug.data.containers import is_folder
from dermaug.data.findings import Findings
from dermaug.data.image_folders import (
    MASK_FOLDER,
    archives,
    by_stem,
    file_names,
    files_below,
    mask_paths,
    sub_folders,
)
from dermaug.data.image_names import is_image
from dermaug.data.label_map import DROPPED, relabel
from dermaug.data.metadata import Sheet, read_sheet
from dermaug.data.sources.descriptors import HAM10000_TABLE
from dermaug.data.sources.labelled_rows import add_unknown
from dermaug.data.sources.missing import NOTHING_LEFT, archive_hints, match_images
from dermaug.errors import DermaugError

LOOKS_FOR = (
    "HAM10000_metadata.csv (Kaggle) or HAM10000_metadata[.tab] (Harvard Dataverse) beside or above "
    "the images, which lie in HAM10000_images_part_1 and _part_2 or in one folder"
)
METADATA_NAMES = tuple(f"ham10000_metadata{ending}" for ending in (".csv", ".tab", ".tsv", ""))
IMAGE_FOLDERS = "ham10000_images"
PHANTOM_LESIONS = "HAM_9"  # HAM10000's own lesion ids end at HAM_0007632
REQUIRED = ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization")


def find_metadata(path: Path) -> Path | None:
    """The metadata table: `path` itself, in it, or in the folder above; None without one."""
    if not is_folder(path):
        return path if path.name.lower() in METADATA_NAMES else None
    for folder in (path, path.parent):
        names = {name.lower(): name for name in file_names(folder)}
        for name in METADATA_NAMES:
            if name in names:
                return folder / names[name]
    return None


def find_images(path: Path) -> list[str]:
    """Paths of the set's images: in its own image folders if it has them, else anywhere below.

    Args:
        path: Folder to look in, one of the set's image folders, or the metadata table.
    """
    is_part = path.name.lower().startswith(IMAGE_FOLDERS)
    root = path.parent if not is_folder(path) or is_part else path
    inside = [*sub_folders(root), *archives(root)]
    own = [folder for folder in inside if folder.name.lower().startswith(IMAGE_FOLDERS)]
    # Dataverse keeps the ISIC 2018 test images beside the set's own; they are another data set.
    return [
        file for folder in own or [root] for file in files_below(folder, enter=_may_hold_images)
    ]


def recognises(path: Path) -> bool:
    """Whether there is a HAM10000 metadata table; the images may be missing, which `read` tells."""
    metadata = find_metadata(path)
    if metadata is None or not is_folder(path) or metadata.parent == path:
        return metadata is not None
    # The table lies above: it speaks of this folder only if the images lie directly in it.
    names = file_names(path)
    return any(map(is_image, names)) and "metadata.csv" not in names and path.name != MASK_FOLDER


def why(path: Path) -> str:
    """What a path was recognised as and by which table, as a sentence."""
    metadata = find_metadata(path)
    return f"Recognised as HAM10000 by {metadata.name}." if metadata else ""


def read(path: Path, own: Mapping[str, str], findings: Findings) -> Catalog:
    """Read HAM10000.

    Args:
        path: Folder with the metadata, folder of images below it, or the metadata table itself.
        own: Label as written, or class -> class, or "" to leave it out.
        findings: Gets one line for everything that is wrong.

    Raises:
        DermaugError: Every finding, by file and line.
    """
    metadata = find_metadata(path)
    if metadata is None:
        raise DermaugError(f"{path}: expected {LOOKS_FOR}; found no metadata")
    sheet = read_sheet(metadata, REQUIRED, findings)
    files = find_images(path)
    if not files:
        raise DermaugError(
            f"{metadata}: found no images; expected {LOOKS_FOR}{_archive_hint(path)}"
        )
    images = by_stem(files, findings)
    known = label_map(sheet, own, findings)
    undecided = check_lesions(
        (
            (row.where, row["lesion_id"], known[row["dx"]] or row["dx"].lower())
            for row in sheet.rows
            if row["lesion_id"].lower() not in UNKNOWN_WORDS
        ),
        findings,
    )
    sheet = match_images(sheet, "image_id", images, metadata.parent, findings)
    sheet = _with_lesions(sheet, findings)
    sheet = sheet.only(row["lesion_id"] not in undecided for row in sheet.rows)
    if not sheet.rows:
        findings.add(f"{metadata.name}{NOTHING_LEFT}")
    table = read_rows(sheet, findings)
    findings.stop(str(metadata.parent))
    table["path"] = [images[image_id] for image_id in table["image_id"]]
    masks = mask_paths(metadata.parent, path)
    table["mask_path"] = [masks.get(image_id, "") for image_id in table["image_id"]]
    classes = tuple(sorted(set(table["label"])))
    drawn = table["lesion_id"].str.startswith(PHANTOM_LESIONS).all()
    name = "phantom lesions" if drawn else "HAM10000"
    said = "The lesions are drawings made by dermaug, not patients' images." if drawn else ""
    notes = tuple(filter(None, (said, sheet.how)))
    return relabel(Catalog(name, metadata.parent, table, classes, notes=notes), known)


def label_map(sheet: Sheet, own: Mapping[str, str], findings: Findings) -> dict[str, str]:
    """Label as written -> class or `DROPPED`; labels that are none are findings.

    Args:
        sheet: The metadata table.
        own: Label as written, or class -> class, or "" to leave it out.
        findings: Gets the lines.
    """
    counts = Counter(row["dx"] for row in sheet.rows)
    classes = {text: HAM10000_TABLE.class_of(text, own) for text in counts}
    unknown = Counter({text: counts[text] for text, name in classes.items() if name is None})
    add_unknown(unknown, HAM10000_TABLE, findings)
    return {text: name or DROPPED for text, name in classes.items()}


def read_rows(sheet: Sheet, findings: Findings) -> pd.DataFrame:
    """Check every row of the metadata; `path` and `mask_path` are left empty.

    Args:
        sheet: The metadata table with the columns `REQUIRED`.
        findings: Gets one line for everything that is wrong.
    """
    check_names(sheet.rows, "image_id", findings)
    check_unique(sheet.rows, "image_id", findings)
    check_patients(
        ((row.where, row["lesion_id"], parse_patient(row)) for row in sheet.rows), findings
    )
    records = []
    for row in sheet.rows:
        ids = {"image_id": row["image_id"], "lesion_id": row["lesion_id"], "label": row["dx"]}
        ids["patient_id"] = parse_patient(row)
        records.append({**ids, "path": "", "mask_path": "", **describe(row, findings)})
    return with_devices(pd.DataFrame(records, columns=list(COLUMNS)), sheet.rows)


def _with_lesions(sheet: Sheet, findings: Findings) -> Sheet:
    """The rows with a lesion; others are findings, or left out and counted."""
    known = [row["lesion_id"].lower() not in UNKNOWN_WORDS for row in sheet.rows]
    for row in compress(sheet.rows, map(not_, known)):
        line = f"{row.where}: expected a lesion_id, found {row['lesion_id']!r}"
        findings.add_unclear(line, "rows without a lesion_id", [row["image_id"]])
    return sheet.only(known) if findings.leave_out else sheet


def _may_hold_images(name: str) -> bool:
    return name != MASK_FOLDER and not name.lower().startswith("isic2018_task3")


def _archive_hint(path: Path) -> str:
    folder = path if is_folder(path) else path.parent
    return f"; {'; '.join(archive_hints(folder)) or 'put them there'}"
