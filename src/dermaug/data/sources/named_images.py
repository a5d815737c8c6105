"""Images whose names begin with the diagnosis: `BCC_nose_042.jpg`, `patient 7/BCC nose 1.jpg`."""

import re
from collections.abc import Sequence
from pathlib import Path

from dermaug.data.catalog import Catalog
from dermaug.data.cells import lesions_unknown, undescribed
from dermaug.data.containers import is_folder
from dermaug.data.diagnoses import is_diagnosis, is_unsure
from dermaug.data.findings import Findings, shortened
from dermaug.data.image_folders import (
    add_masks,
    add_no_files,
    file_names,
    files_below,
    sub_folders,
)
from dermaug.data.safe_names import name_fault
from dermaug.data.sources.class_folders import TABLES, few_images
from dermaug.data.sources.plain_catalog import image_ids, plain_catalog

LOOKS_FOR = (
    "images in one folder, or in one per patient, nearly all of whose names begin with one of "
    "several diagnoses"
)
BY_PATIENT = "Images in one folder are taken as those of one patient."
LEAST = 0.9
"""Share of the images whose names must begin with a diagnosis."""
MOST_WORDS = 4
SIGNS = re.compile(r"[\s_.-]+|(?<=\D)(?=\d)")
"""What stands between the words of a name: signs, and the place before a number."""


def recognises(path: Path) -> bool:
    """Whether images in one folder, or one per patient, tell the classes by their names."""
    if not is_folder(path) or not (files := files_below(path)):
        return False
    folders = _folders(files)
    several = len(folders) > 1
    if several and not (set(folders) <= set(sub_folders(path)) and few_images(folders, path)):
        return False
    places = {path, *folders}
    if any(name.lower().endswith(TABLES) for each in places for name in file_names(each)):
        return False
    told = [label for label in map(_label_of, files) if label and is_diagnosis(label)]
    return len(told) >= LEAST * len(files) and len(set(map(str.lower, told))) > 1


def why(path: Path) -> str:
    """What a path was recognised as and by which names, as a sentence."""
    labels = sorted(set(filter(None, map(_label_of, files_below(path)))))
    return f"Read by the beginnings of the images' names: {', '.join(labels)} are the classes."


def read(path: Path, findings: Findings) -> Catalog:
    """Read the class of each image from its name.

    Args:
        path: The folder of the images, or one around it.
        findings: Gets one line for everything that is wrong.

    Raises:
        DermaugError: Every finding, by file.
    """
    add_no_files(path, findings)
    files = files_below(path)
    add_masks(files, findings)
    labels = [_label_of(file) for file in files]
    if others := [Path(file).name for file, label in zip(files, labels, strict=True) if not label]:
        told = f"{len(others):,} of {len(files):,} images' names begin with no diagnosis"
        what = "images whose names begin with no diagnosis"
        findings.add_unclear(f"{told}: {shortened(others)}", what, others)
    for label in sorted(set(filter(None, labels))):
        if fault := name_fault(label):
            findings.add(f"{path}: the class {label!r} {fault}")
    findings.stop(str(path))
    kept = [(file, label) for file, label in zip(files, labels, strict=True) if label]
    read_files, known = [file for file, _ in kept], [label for _, label in kept]
    ids = image_ids(read_files, path)
    described, notes = undescribed(len(ids)).assign(patient_id=""), [lesions_unknown()]
    if len(_folders(files)) > 1:
        described = described.assign(patient_id=[Path(file).parent.name for file in read_files])
        notes.append(BY_PATIENT)
    return plain_catalog(path, ids, ids, known, read_files, described, False, notes)


def _folders(files: Sequence[str]) -> list[Path]:
    return sorted({Path(file).parent for file in files})


def _label_of(file: str) -> str:
    """The longest beginning of a file's name that is a diagnosis, or says that there is none."""
    words = [*filter(None, SIGNS.split(Path(file).stem))]
    return next((text for text in _beginnings(words) if is_diagnosis(text) or is_unsure(text)), "")


def _beginnings(words: Sequence[str]) -> list[str]:
    return [" ".join(words[:number]) for number in range(min(len(words), MOST_WORDS), 0, -1)]
