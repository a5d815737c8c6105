"""Folders of images whose names are the classes, alone or in each folder of a given split."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from dermaug.data import workbook
from dermaug.data.catalog import Catalog
from dermaug.data.cells import lesions_unknown, undescribed
from dermaug.data.containers import is_folder
from dermaug.data.containers.parquet_file import is_damaged
from dermaug.data.findings import Findings
from dermaug.data.image_folders import (
    MASK_FOLDER,
    add_masks,
    add_no_files,
    archives,
    file_names,
    files_below,
    has_images,
    other_endings,
    photo_folders,
    plain_name,
    sub_folders,
    telephone_advice,
)
from dermaug.data.image_names import MASK_ENDING, SUFFIXES, is_image
from dermaug.data.json_objects import LINES, LIST
from dermaug.data.metadata import read_header
from dermaug.data.safe_names import name_fault
from dermaug.data.sources.date_names import is_date
from dermaug.data.sources.named_columns import suggestion
from dermaug.data.sources.plain_catalog import image_ids, plain_catalog
from dermaug.data.sources.split_folders import (
    is_container,
    is_split,
    pooled_note,
    split_folders,
    split_name,
    with_splits,
)
from dermaug.data.table_text import looks_like_table
from dermaug.errors import DermaugError

LOOKS_FOR = (
    "one sub-folder per class with the images directly in it, or such folders in each of train, "
    "validation and test; no table beside or in them, no sub-folder named as a split or container"
)
MOST_SMALL, MEAN_IMAGES = 20, 4
"""So many folders with no more images each, on average, are no classes."""
NAMED = 12
"""Classes that a sentence names."""
TEXT = ".txt"
"""Ending of texts, which may be tables."""
READ_TABLES = (".csv", ".tsv", ".tab", LINES, LIST, *workbook.ENDINGS)
TABLES = (*READ_TABLES, ".parquet", ".hdf5", ".npz")


def recognises(path: Path) -> bool:
    """Whether sub-folders hold images as classes do, and nothing says that they are no classes."""
    return is_folder(path) and any(map(class_folders, _roots(path))) and not doubts(path)


def why(path: Path) -> str:
    """What a path was recognised as and by which folders, as a sentence."""
    roots = _roots(path)
    names = sorted({plain_name(folder) for root in roots for folder in class_folders(root)})
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    splits = f" of {', '.join(root.name for root in roots)}" if roots != [path] else ""
    return f"Read as class folders: {', '.join(names[:NAMED])}{more} are the classes{splits}."


def doubts(path: Path) -> list[str]:
    """What says that the folders with images in a folder are no classes, one sentence each."""
    roots = _roots(path)
    folders = [folder for root in roots for folder in class_folders(root)]
    lines = [
        f"{folder} bears the name of a split or of a folder for all images, not of a class"
        f"{_table_of(folder)}"
        for folder in folders
        if is_split(folder) or is_container(folder)
    ]
    lines += [
        f"{root} holds images that lie in no class folder"
        for root in roots
        if root != path and any(map(is_image, file_names(root)))
    ]
    return (
        lines
        + table_hints(dict.fromkeys((path, *roots, *folders)), path, folders)
        + _tables_beside(path)
        + few_images(folders, path)
        + _dates(folders)
    )


def _dates(folders: Sequence[Path]) -> list[str]:
    """That folders are named after years, months or days, as a list of one sentence or none."""
    names = {plain_name(folder) for folder in folders}
    if not folders or names == {"0", "1"} or not all(map(is_date, names)):
        return []
    told = ", ".join(plain_name(folder) for folder in folders[:NAMED])
    return [
        f"the folders {told} are named after dates, not classes: put the images into one folder "
        "per class, or write metadata.csv with the columns file_name,label"
    ]


def few_images(folders: Sequence[Path], path: Path) -> list[str]:
    """Why so many folders with so few images are no classes, as a list of one sentence or none."""
    if len(folders) < MOST_SMALL:
        return []
    number = sum(len(files_below(folder)) for folder in folders)
    if number > MEAN_IMAGES * len(folders):
        return []
    return [
        f"{path} holds {len(folders):,} folders ({folders[0].name}, ...) with {number:,} images: "
        "one folder per lesion or image, not per class; put the images into one folder per class, "
        "or write metadata.csv with the columns file_name,label,lesion_id"
    ]


def table_hints(places: Iterable[Path], root: Path, folders: Sequence[Path] = ()) -> list[str]:
    """What may be in the tables of no known layout in some places, one sentence each.

    Args:
        places: Folders that are looked at.
        root: Folder of the data set.
        folders: Those that may be classes.
    """
    return [
        f"{place / name} {_unknown_table(place / name, root)}"
        for place in places
        for name in _names(place)
        if _is_table(place / name) and not _tells_more(name, folders)
    ]


def _is_table(file: Path) -> bool:
    """Whether a file is a table by its ending, or, of a text, by its first lines."""
    if file.suffix.lower() == TEXT:
        return looks_like_table(file)
    return file.name.lower().endswith(TABLES)


def _table_of(folder: Path) -> str:
    """The name of the table of an ISIC challenge's images, as the end of a sentence."""
    prefix, ending = folder.name[:-6], folder.name[-6:].lower()
    if ending != "_input":
        return ""
    return f"; its labels are in {prefix}_GroundTruth.csv, which is not there: put it beside it"


def _tells_more(table: str, folders: Sequence[Path]) -> bool:
    """Whether a table goes with the ground truth of an ISIC challenge, and holds no labels."""
    prefixes = [folder.name[:-6] for folder in folders if folder.name.lower().endswith("_input")]
    return any(table.startswith(prefix) for prefix in prefixes)


def file_hints(path: Path) -> list[str]:
    """What a single file may be that is no data set, as a list of one sentence or none."""
    if is_image(path.name):
        return [f"{path} is one image: name the folder of all images"]
    return [f"{path} {_unknown_table(path, path.parent)}"] if _is_table(path) else []


def _unknown_table(table: Path, root: Path) -> str:
    """What may be in a table of no known layout, and how to have it read."""
    if table.suffix.lower() == ".parquet" and is_damaged(table):
        return "is not a readable parquet file: restore it from a copy, or move it away"
    if table.suffix.lower() not in (*READ_TABLES, TEXT):
        return (
            "is a table of no known layout: if the classes are in it, save it as metadata.csv with "
            "the columns file_name,label; if it is of no use, move it elsewhere"
        )
    try:
        options = suggestion(table, root)
    except DermaugError as error:
        return f"cannot be read, and the classes may be in it: {error.message}"
    columns = ", ".join(read_header(table))[:200]
    return (
        f"is a table of no known layout (columns {columns}): the classes may be in it; if so, add "
        f"to the command: {options}; if the table is of no use, move it elsewhere"
    )


def _tables_beside(path: Path) -> list[str]:
    """Tables that may tell of the images in a folder named as a container, one sentence each."""
    if not is_container(path):
        return []
    above = path.parent
    beside = [folder for folder in sub_folders(above) if not sub_folders(folder)]
    around = [above.parent] * is_container(above) + [above]
    around += [folder for folder in beside if folder != path and not has_images(folder)]
    return [
        f"{folder / name} is a table beside {path.name}: the classes may be in it; if so, name the "
        f"folder {path.parent} or the table instead of {path.name}"
        for folder in around
        for name in _names(folder)
        if _is_table(folder / name)
    ]


def _names(folder: Path) -> list[str]:
    """Names of a folder's files; none where it is another user's and may not be read."""
    try:
        return file_names(folder)
    except OSError:
        return []


def class_folders(path: Path) -> list[Path]:
    """Sub-folders with images directly in them; without any, such archives, one per class."""
    folders = photo_folders(path)
    packed = [
        _unwrapped(archive) for archive in archives(path) if plain_name(archive) != MASK_FOLDER
    ]
    return [*filter(has_images, folders)] or [*filter(has_images, packed)]


def _unwrapped(archive: Path) -> Path:
    """The folder that an archive holds and nothing else, as when a folder was packed."""
    inside = sub_folders(archive)
    return inside[0] if len(inside) == 1 and not file_names(archive) else archive


def read(path: Path) -> Catalog:
    """Read class folders; the name of the folder is the label. Given splits are pooled.

    Args:
        path: The folder of the class folders, or of the folders of the splits.

    Raises:
        DermaugError: Images outside the class folders, deeper in them, or of equal names.
    """
    findings, roots = Findings(), _roots(path)
    folders = [folder for root in roots for folder in class_folders(root)]
    paths = [folder / name for folder in folders for name in filter(is_image, file_names(folder))]
    for folder in folders:
        if fault := name_fault(plain_name(folder)):
            findings.add(f"{folder}: the class {plain_name(folder)!r} {fault}")
    add_no_files(path, findings)
    files = list(map(str, paths))
    add_masks(files, findings)
    read_files = set(files)
    for lost in files_below(path):
        if lost not in read_files:
            findings.add(f"{lost}: image not directly in a class folder")
    ids, labels = image_ids(files, path), [plain_name(image.parent) for image in paths]
    findings.stop(str(path))
    notes = [lesions_unknown(), *_left_out(path, folders)]
    described = undescribed(len(ids)).assign(patient_id="")
    if roots != [path]:
        counts = Counter(image.parents[1].name for image in paths)
        notes.append(pooled_note(counts))
        described = with_splits(described, [split_name(image.parents[1].name) for image in paths])
    return plain_catalog(path, ids, ids, labels, files, described, False, notes)


def _roots(path: Path) -> list[Path]:
    """The folders of given splits, where no images lie beside them; else the folder itself."""
    splits = split_folders(path)
    others = [folder for folder in class_folders(path) if folder not in splits]
    return splits if splits and not others else [path]


def _left_out(path: Path, classes: Sequence[Path]) -> list[str]:
    """Notes on files of other kinds in class folders, and on sub-folders without images."""
    names = [name for folder in classes for name in file_names(folder) if not is_image(name)]
    others = [name for name in names if not name.lower().endswith(MASK_ENDING)]
    parents = {folder.parent for folder in classes}
    empty = [
        folder.name
        for folder in photo_folders(path)
        if folder not in classes and folder not in parents
    ]
    notes = []
    if others:
        kinds, advice = ", ".join(sorted(SUFFIXES)), telephone_advice(others)
        notes.append(f"Left out files that are not {kinds}: {other_endings(others)}{advice}.")
    if masks := len(names) - len(others):
        notes.append(f"{masks:,} segmentations (*{MASK_ENDING}) are read as masks, not as images.")
    if empty:
        notes.append(f"Left out sub-folders without images: {', '.join(empty)}.")
    return notes
