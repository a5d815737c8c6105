"""Class folders with folders per patient, lesion or date in them, `nevus/patient 7/1.jpg`.

Or the reverse, `2021/nevus/1.jpg`, where the names of the inner folders are diagnoses.
"""

import re
from collections.abc import Sequence
from itertools import combinations
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
    has_images,
    photo_folders,
    telephone_advice,
)
from dermaug.data.image_names import is_image
from dermaug.data.safe_names import name_fault
from dermaug.data.sources.class_folders import TABLES, few_images
from dermaug.data.sources.column_names import numbers_lesion
from dermaug.data.sources.date_names import is_date
from dermaug.data.sources.plain_catalog import image_ids, plain_catalog
from dermaug.data.sources.split_folders import is_container, is_split

NAMED = 12
"""Folders that a sentence names."""
LOOKS_FOR = (
    "one sub-folder per class, with all images in folders of other names below it, one per "
    "patient or per lesion, or in folders of dates; or such folders with those of the classes in "
    "them, which are named after diagnoses"
)
MOST_LOOSE = 0.1
"""Share of the images that may lie beside the folders of diagnoses."""
SHORT_NUMBER = re.compile("[0-9]{1,3}")
NUMBERED = re.compile(r"\D{0,12}[0-9]+")
"""A number, or a short word with one, as of a patient or a lesion."""
BY_PATIENT = (
    "Images in one folder below a class, or in folders of one name, are taken as those of one "
    "patient."
)
BY_LESION = (
    "Images in one folder below a class are taken as those of one lesion, numbered within its "
    "class; if they are patients, write metadata.csv with the columns file_name,label,patient_id."
)
BY_OUTER_PATIENT = "Images in one of the outer folders are taken as those of one patient."
BY_DATE = "Folders that are named after dates are not read."


def recognises(path: Path) -> bool:
    """Whether sub-folders hold only folders of images, whose names do not look like the classes."""
    return _is_nested(path) and not doubts(path)


def doubts(path: Path) -> list[str]:
    """Why folders of folders are not read: it is open which are the classes; else nothing."""
    if not _is_nested(path) or _are_inside(path):
        return []
    if few := few_images(photo_folders(path), path):
        return few
    if _are_dated(path) or _are_lesions(path) or not (alike := _names_alike(path)):
        return list(filter(None, [_turned_round(path)]))
    outer = ", ".join(folder.name for folder in photo_folders(path)[:NAMED])
    inner = ", ".join(sorted(alike)[:NAMED])
    return [
        f"{path} holds folders ({outer}) with folders of the same names ({inner}) in them, and it "
        "is open which are the classes: put the images into one folder per class, or write "
        "metadata.csv with the columns file_name,label,patient_id"
    ]


def _are_inside(path: Path) -> bool:
    """Whether the inner folders are the classes, beyond doubt, and the outer ones none.

    The inner ones are named after diagnoses, several and most of them (others may say that there is
    none); the outer ones after dates, or are as many as patients and not named after diagnoses. A
    few images may lie beside the inner ones.
    """
    outer = photo_folders(path)
    inner = {each.name for folder in outer for each in _with_images(folder)}
    told, unsure = sum(map(is_diagnosis, inner)), sum(map(is_unsure, inner))
    if told < 2 or 2 * (told + unsure) <= len(inner):
        return False
    if any(is_diagnosis(folder.name) for folder in outer):
        return False
    loose = sum(is_image(name) for folder in outer for name in file_names(folder))
    if loose > MOST_LOOSE * len(files_below(path)):
        return False
    return _is_outer_dated(path) or bool(few_images(outer, path))


def _turned_round(path: Path) -> str:
    """Why the outer folders are no classes, and the inner ones may be; "" where nothing says so."""
    outer = [folder.name for folder in photo_folders(path)]
    inner = {each.name for folder in photo_folders(path) for each in _with_images(folder)}
    numbered = all(is_date(name) or NUMBERED.fullmatch(name) for name in outer)
    if not numbered and sum(map(is_diagnosis, inner)) <= sum(map(is_diagnosis, outer)):
        return ""
    return (
        f"the folders {', '.join(outer[:NAMED])} do not seem to be classes; if those in them are "
        f"({', '.join(sorted(inner)[:NAMED])}), put the images into one folder per class, or write "
        "metadata.csv with the columns file_name,label,patient_id"
    )


def _is_nested(path: Path) -> bool:
    """Whether a folder holds nothing but folders of folders of images."""
    if not is_folder(path) or _has_files(path):
        return False
    outer = photo_folders(path)
    inside = [_with_images(folder) for folder in outer]
    odd = any(is_split(each) or is_container(each) for each in outer)
    odd = odd or (any(map(_has_files, outer)) and not _are_inside(path))
    if len(outer) < 2 or odd or not all(inside):
        return False
    folders = [each for of_class in inside for each in of_class]
    return _are_dates(folders) or all(map(has_images, folders))


def why(path: Path) -> str:
    """What a path was recognised as and by which folders, as a sentence."""
    if _are_inside(path):
        inner = {each.name for outer in photo_folders(path) for each in _with_images(outer)}
        what = "folders of dates" if _is_outer_dated(path) else "one folder per patient"
        return f"Read as class folders ({', '.join(sorted(inner)[:NAMED])}) in {what}."
    names = ", ".join(folder.name for folder in photo_folders(path)[:NAMED])
    unit = "lesion" if _are_lesions(path) else "patient"
    what = "folders of dates" if _are_dated(path) else f"one folder per {unit}"
    return f"Read as class folders ({names}) with {what} in each."


def read(path: Path, findings: Findings) -> Catalog:
    """Read the class of each image, and its patient unless they lie by date, from its folders.

    Args:
        path: The folder of the class folders.
        findings: Gets one line for everything that is wrong.

    Raises:
        DermaugError: A name cannot be a label, or images lie deeper.
    """
    add_no_files(path, findings)
    paths, inside = [Path(file) for file in files_below(path)], _are_inside(path)
    dated = _is_outer_dated(path) if inside else _are_dated(path)
    add_masks(list(map(str, paths)), findings)
    if inside:
        paths = _in_classes(path, paths, findings)
    labels = [file.relative_to(path).parts[inside] for file in paths]
    for label in sorted(set(labels)):
        if fault := name_fault(label):
            findings.add(f"{path}: the class {label!r} {fault}")
    for file in paths:
        depth = len(file.relative_to(path).parts)
        if (inside or not dated) and depth != len(("class", "patient", "image")):
            findings.add(f"{file}: image not directly in a folder of a class folder")
    findings.stop(str(path))
    files = list(map(str, paths))
    ids = image_ids(files, path)
    described = undescribed(len(ids)).assign(patient_id="")
    notes = _empty_note(path)
    if not inside and _are_lesions(path):
        lesions = [str(file.parent.relative_to(path)) for file in paths]
        notes = [BY_LESION, *notes]
        return plain_catalog(path, ids, lesions, labels, files, described, True, notes)
    if not dated:
        patients = [file.relative_to(path).parts[not inside] for file in paths]
        described = described.assign(patient_id=patients)
    by_patient = BY_OUTER_PATIENT if inside else BY_PATIENT
    notes = [lesions_unknown(), BY_DATE if dated else by_patient, *notes]
    return plain_catalog(path, ids, ids, labels, files, described, False, notes)


def _in_classes(path: Path, files: Sequence[Path], findings: Findings) -> list[Path]:
    """The images that lie in folders of the outer folders; others are unclear."""
    loose = {file for file in files if len(file.relative_to(path).parts) < len(("outer", "c", "i"))}
    if loose:
        names = sorted(str(file.relative_to(path)) for file in loose)
        what = "images in no folder of a class"
        findings.add_unclear(f"{what}: {len(names):,} ({shortened(names)})", what, names)
    return [file for file in files if file not in loose]


def _empty_note(path: Path) -> list[str]:
    """That folders without images are left out, as a list of one sentence or none."""
    empty = [
        inner
        for outer in photo_folders(path)
        for full in [set(_with_images(outer))]
        for inner in photo_folders(outer)
        if inner not in full
    ]
    if not empty:
        return []
    names = ", ".join(str(folder.relative_to(path)) for folder in empty[:NAMED])
    more = f" and {len(empty) - NAMED:,} more" if len(empty) > NAMED else ""
    files = [name for folder in empty for name in file_names(folder)]
    return [f"Left out folders without images: {names}{more}{telephone_advice(files)}."]


def _are_lesions(path: Path) -> bool:
    """Whether the folders in the class folders are lesions by their names: `L01`, `lesion 3`."""
    names = [inner.name for outer in photo_folders(path) for inner in _with_images(outer)]
    return bool(names) and all(map(numbers_lesion, names))


def _are_dated(path: Path) -> bool:
    """Whether the folders in the class folders are named after years, months or days."""
    return _are_dates([inner for outer in photo_folders(path) for inner in _with_images(outer)])


def _is_outer_dated(path: Path) -> bool:
    """Whether the folders around folders are named after dates."""
    return all(is_date(folder.name) for folder in photo_folders(path))


def _are_dates(folders: Sequence[Path], within: bool = False) -> bool:
    """Whether folders, and all that are in them, are named after years, months or days.

    A bare number is a month only `within` a year: it may be a patient's.
    """
    return bool(folders) and all(
        is_date(folder.name)
        and (within or not SHORT_NUMBER.fullmatch(folder.name))
        and (not (inside := photo_folders(folder)) or _are_dates(inside, within=True))
        for folder in folders
    )


def _with_images(folder: Path) -> list[Path]:
    """Folders in a folder that hold images, directly or deeper."""
    return [each for each in photo_folders(folder) if files_below(each)]


def _has_files(folder: Path) -> bool:
    """Whether images or tables lie directly in a folder."""
    return any(is_image(name) or name.lower().endswith(TABLES) for name in file_names(folder))


def _names_alike(path: Path) -> set[str]:
    """Names that most sub-folders of two folders have in common, which may be the classes."""
    names = [{inner.name for inner in _with_images(outer)} for outer in photo_folders(path)]
    return {
        name
        for one, other in combinations(names, 2)
        if 2 * len(one & other) > min(len(one), len(other))
        for name in one & other
    }
