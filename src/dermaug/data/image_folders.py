"""Image files and lesion masks of a folder, found without asking the disk for each one."""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from dermaug.data import containers
from dermaug.data.findings import Findings
from dermaug.data.image_names import MASK_ENDING, is_image

TELEPHONE = (".heic", ".heif")
"""Endings of photographs as some telephones save them, which are not read."""
MASK_FOLDER = "HAM10000_segmentations_lesion_tschandl"
MASK_NAME = re.compile(r"(.+)[-_ ](mask|segmentation|segm?|lesion|gt|ground_?truth)", re.IGNORECASE)
HIDDEN = (".", "~$")
"""What names of files begin with that are not seen: `~$List.xlsx` is there while Excel has List."""


def files_below(
    folder: Path,
    wanted: Callable[[str], bool] = is_image,
    enter: Callable[[str], bool] = lambda name: name != MASK_FOLDER,
) -> list[str]:
    """Absolute paths of the files in a folder, its sub-folders and its archives, sorted.

    Args:
        folder: Where to look; it may lie in an archive.
        wanted: Whether a file of this name counts; images do.
        enter: Whether to look into a sub-folder of this name; all but the masks'.
    """
    found: list[str] = []
    for current in _folders_below(folder, enter):
        prefix = f"{current}{os.sep}"
        found.extend(prefix + name for name in file_names(current) if wanted(name))
    return sorted(found)


def _folders_below(folder: Path, enter: Callable[[str], bool]) -> Iterator[Path]:
    """A folder, its sub-folders and its archives; a link that leads back to one is not followed."""
    pending = [folder]
    while pending:
        current = pending.pop()
        yield current
        inside = sub_folders(current) + archives(current)
        pending += [each for each in inside if enter(plain_name(each)) and not leads_back(each)]


def leads_back(folder: Path) -> bool:
    """Whether a folder is a link to a folder in which it lies, or by which it was reached."""
    if not (folder.is_symlink() and folder.is_dir()):
        return False
    target = folder.resolve()
    return any(above.resolve().is_relative_to(target) for above in folder.parents)


def add_no_files(root: Path, findings: Findings) -> None:
    """Report what bears the name of an image below a folder and is no file, and links in circles.

    Args:
        root: Where to look.
        findings: Gets one line for each.
    """
    for folder in sorted(_folders_below(root, lambda _: True)):
        if containers.children(folder) is not None:
            continue
        with os.scandir(folder) as entries:
            names = [each.name for each in entries if each.is_symlink() or _is_no_file(each)]
        for path in (folder / name for name in sorted(names)):
            if leads_back(path):
                findings.add(f"{path} is a link to a folder in which it lies; delete the link")
            elif is_image(path.name) and not path.is_file():
                findings.add(f"{path} {_no_file(path)}")


def add_masks(files: Sequence[str], findings: Findings) -> None:
    """Report images that bear the name of another one with a word for a mask behind it.

    Args:
        files: Paths of images.
        findings: Gets one line for all of them.
    """
    stems = {file.rpartition(".")[0] for file in files}
    named = {file: MASK_NAME.fullmatch(file.rpartition(".")[0]) for file in files}
    if masks := [file for file, found in named.items() if found and found[1] in stems]:
        findings.add(
            f"{len(masks):,} images seem to be masks of others ({masks[0]}, ...): rename them to "
            f"IMAGE{MASK_ENDING}, which is read as a mask, or move them elsewhere"
        )


def _is_no_file(entry: "os.DirEntry[str]") -> bool:
    return is_image(entry.name) and not entry.is_file()


def _no_file(path: Path) -> str:
    if path.is_symlink() and not path.exists():
        return "is a link to nothing: fetch the file it stands for, or delete the link"
    what = "a folder" if path.is_dir() else "a device or a pipe"
    return f"is {what} with the name of an image: rename or remove it"


def file_names(folder: Path) -> list[str]:
    """Names of the files directly in a folder, in alphabetical order, without hidden ones."""
    inside = containers.children(folder)
    if inside is not None:
        return [name for name in inside[0] if not name.startswith(HIDDEN)]
    with os.scandir(folder) as entries:
        return sorted(
            entry.name
            for entry in entries
            if _is(entry.is_file) and not entry.name.startswith(HIDDEN)
        )


def sub_folders(folder: Path) -> list[Path]:
    """Sub-folders in alphabetical order, without hidden ones."""
    inside = containers.children(folder)
    if inside is not None:
        names = inside[1]
    else:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if _is(entry.is_dir))
    return [folder / name for name in names if not name.startswith((".", "__MACOSX"))]


def photo_folders(folder: Path) -> list[Path]:
    """Sub-folders that may hold photographs: all but that of the masks."""
    return [each for each in sub_folders(folder) if each.name != MASK_FOLDER]


def has_images(folder: Path) -> bool:
    """Whether images lie directly in a folder."""
    return any(map(is_image, file_names(folder)))


def _is(kind: Callable[[], bool]) -> bool:
    """What an entry says of its kind; a link that leads in a circle is of none."""
    try:
        return kind()
    except OSError:
        return False


def archives(folder: Path) -> list[Path]:
    """Zip and HDF5 files directly in a folder on disk that are not unpacked beside it."""
    if containers.locate(folder) is not None:
        return []
    return [folder / name for name in file_names(folder) if containers.looked_into(folder, name)]


def plain_name(folder: Path) -> str:
    """Name of a folder, or of an archive without its ending."""
    return folder.stem if folder.name.lower().endswith(containers.ARCHIVES) else folder.name


def by_stem(paths: Iterable[str], findings: Findings) -> dict[str, str]:
    """Image id -> path, where the id is the file's name without its ending.

    Two files of one id are a finding, unless they are copies of equal size: Kaggle's archive holds
    both image folders twice, once in lower case. Sizes decide, since comparing 10,000 pairs byte
    by byte takes minutes, and two JPEG files of one id differ in size if they differ.
    """
    found: dict[str, str] = {}
    for path in paths:
        stem = path[path.rfind(os.sep) + 1 :].rpartition(".")[0]
        earlier = found.setdefault(stem, path)
        if earlier != path and containers.file_size(earlier) != containers.file_size(path):
            findings.add(f"image {stem!r} occurs twice: {earlier} and {path}")
    return found


def mask_paths(*folders: Path) -> dict[str, str]:
    """Image id -> path of its lesion mask, from `MASK_FOLDER` in the first folder that has one."""
    for masks in (folder / f"{MASK_FOLDER}{end}" for folder in folders for end in ("", ".zip")):
        packed = masks.is_file()  # as Dataverse has it
        if not (packed and containers.unreadable(masks)) and containers.is_folder(masks):
            paths = files_below(masks, lambda name: name.endswith(MASK_ENDING), lambda _: True)
            return {Path(path).name.removesuffix(MASK_ENDING): path for path in paths}
    return {}


def masks_beside(images: Iterable[str]) -> dict[str, str]:
    """Path of an image -> path of its lesion mask, for masks that lie beside their images."""
    masks: dict[Path, set[str]] = {}
    found = {}
    for path in images:
        image = Path(path)
        folder = image.parent
        if folder not in masks:
            masks[folder] = {name for name in file_names(folder) if name.endswith(MASK_ENDING)}
        if (name := image.stem + MASK_ENDING) in masks[folder]:
            found[path] = str(folder / name)
    return found


def telephone_advice(names: Iterable[str]) -> str:
    """What to do about photographs of a telephone that are not read; "" if there are none.

    Example:
        >>> telephone_advice(["a.txt", "IMG_1.HEIC"])
        ' (HEIC photographs of a telephone are not read: export them as JPEG)'
    """
    found = any(name.lower().endswith(TELEPHONE) for name in names)
    return " (HEIC photographs of a telephone are not read: export them as JPEG)" if found else ""


def other_endings(paths: Iterable[str]) -> str:
    """Count files by ending, for a note on what is left out.

    Example:
        >>> other_endings(["a.gif", "b.gif", "c.heic"])
        '.gif (2), .heic (1)'
    """
    counts: dict[str, int] = defaultdict(int)
    for path in paths:
        counts[PurePosixPath(path).suffix.lower() or "no ending"] += 1
    return ", ".join(f"{ending} ({number})" for ending, number in sorted(counts.items()))
