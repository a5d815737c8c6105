"""The catalog of a folder of images, when ids, labels and lesions are known."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from dermaug.data.catalog import COLUMNS, OPTIONAL, Catalog
from dermaug.data.cells import undescribed
from dermaug.data.image_folders import mask_paths, masks_beside
from dermaug.errors import DermaugError

BEGINNINGS = {
    "numbers": (re.compile(r"[^-_ .]*[0-9][^-_ .]*(?=[-_ .])"), 1),
    "names": (re.compile(r"[^0-9]*[^\W\d_](?=[-_ .]*[0-9])"), 5),
}
"""What may stand for a patient at the beginning of a file's name: letters and digits before the
first sign, or words before the first digit; and the smallest number of different ones, since fewer
words may be those of several cameras."""
LEAST_SHARED, MOST_SHARED = 1.1, 10.0
"""Images per beginning of a name between which it may be a patient's number."""
MOST_NAMES = 0.8
"""Share of the names that have such a beginning."""
SHOWN = 3


def image_ids(paths: Sequence[str], root: Path) -> list[str]:
    """File names without ending; with folders and endings where these alone are not unique."""
    stems = [Path(path).stem for path in paths]
    if len(set(stems)) == len(stems):
        return stems
    return ["_".join(Path(path).relative_to(root).parts) for path in paths]


def labels_alone(ids: list[str], labels: list[str]) -> pd.DataFrame:
    """A catalog's table of embedded images, of which only the labels are known."""
    known = undescribed(len(ids)).assign(image_id=ids, lesion_id=ids, label=labels)
    return known.assign(patient_id="", path="", mask_path="")[list(COLUMNS)]


def plain_catalog(
    root: Path,
    ids: list[str],
    lesions: list[str],
    labels: list[str],
    paths: list[str],
    described: pd.DataFrame,
    grouped: bool,
    notes: list[str],
) -> Catalog:
    """The catalog of a folder, named after it; its masks are found.

    Raises:
        DermaugError: Two images have one id.
    """
    if doubles := len(ids) - len(set(ids)):
        raise DermaugError(
            f"{root}: expected file names that remain unique when / is replaced by _; {doubles} do "
            "not; rename them"
        )
    labels = [unicodedata.normalize("NFC", label) for label in labels]
    masks, beside = mask_paths(root), masks_beside(paths)
    if not grouped and not any(described["patient_id"]):
        notes = [*notes, *_beginnings_note(paths, labels)]
    table = described.assign(
        image_id=ids,
        lesion_id=lesions,
        label=labels,
        path=paths,
        mask_path=[
            masks.get(image_id) or beside.get(path, "")
            for image_id, path in zip(ids, paths, strict=True)
        ],
    )[[*COLUMNS, *(name for name in OPTIONAL if name in described)]]
    return Catalog(root.name, root, table, tuple(sorted(set(labels))), grouped, notes=tuple(notes))


def _beginnings_note(paths: Sequence[str], labels: Sequence[str]) -> list[str]:
    """That file names, behind the label, seem to begin with a patient, as one note or none."""
    stems = [
        Path(path).stem.removeprefix(label).lstrip("-_ .")
        for path, label in zip(paths, labels, strict=True)
    ]
    for what, (beginning, fewest) in BEGINNINGS.items():
        found = list(map(beginning.match, stems))
        names = Counter(each[0] for each in found if each)
        number = sum(names.values())
        if number < MOST_NAMES * len(paths) or len(names) < fewest:
            continue
        if not LEAST_SHARED < number / len(names) < MOST_SHARED:
            continue
        shown = ", ".join(list(names)[:SHOWN])
        return [
            f"The names of {number:,} images begin with one of {len(names):,} {what} ({shown}, "
            "...): if these are patients or lesions, images of one may come into training and "
            "test; write metadata.csv with the columns file_name,label,patient_id to keep them "
            "together."
        ]
    return []
