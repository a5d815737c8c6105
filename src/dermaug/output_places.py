"""Refusal of places where an output cannot appear, or would replace or hide something else."""

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from dermaug.aside import watch
from dermaug.errors import DermaugError

BEGINNING = 4_096
"""Bytes of a file that are looked at."""


def require_output_file(path: Path, ending: str, mark: str) -> None:
    """Refuse to write a file over anything but an earlier output of the same command.

    Args:
        path: The file.
        ending: With which its name must end.
        mark: Text in the beginning of every such output.

    Raises:
        DermaugError: It is a folder, has another ending, is a file that lacks the mark, or its
            folder cannot be written to.
    """
    if path.is_dir():
        raise DermaugError(f"{path}: expected the name of a {ending} file, found a folder")
    if path.suffix.lower() != ending:
        raise DermaugError(f"{path}: expected the name of a {ending} file; give it this ending")
    if path.exists() and not _is_marked(path, mark):
        raise DermaugError(
            f"{path}: expected a new file, or an earlier output of this command; found another "
            "file; choose another name, or move it away"
        )
    require_writable(path.parent)
    watch(path)


def require_output_folder(
    folder: Path, names: Sequence[str], marked: str, mark: str, data: Path | None = None
) -> None:
    """Refuse to write files over anything but an earlier output of the same command.

    Args:
        folder: The folder.
        names: Names of the files and folders that will be written in it.
        marked: Name of the file that tells an earlier output.
        mark: Text in the beginning of that file.
        data: A data set that is read; pictures in it would count as its images.

    Raises:
        DermaugError: The folder is a file, lies in the data set, or holds something of these names
            without the marked file, or cannot be written to.
    """
    if data is not None:
        require_outside(folder, data)
    taken = [name for name in names if (folder / name).exists()]
    if taken and not _is_marked(folder / marked, mark):
        raise DermaugError(
            f"{folder}: expected a new folder, or an earlier output of this command; found "
            f"{', '.join(taken)} of something else, which would be overwritten; choose another "
            "--output"
        )
    require_places(folder, names)
    for name in names:
        watch(folder / name)


def require_places(folder: Path, names: Sequence[str]) -> None:
    """Refuse a folder in which an output cannot be written, or would be written elsewhere.

    Args:
        folder: The folder.
        names: Names of the files, which have an ending, and of the folders, which have none, that
            will be written in it.

    Raises:
        DermaugError: A file is where a folder is needed or the other way round, a folder is a link
            that leads out, or nothing can be written.
    """
    for place in (folder, *(folder / name for name in names)):
        is_file = place != folder and bool(place.suffix)
        if place.exists() and place.is_dir() is is_file:
            expected, found = ("file", "folder") if is_file else ("folder", "file")
            raise DermaugError(
                f"{place}: expected a {expected} for the output, found a {found}; move it away"
            )
        if place != folder and not (is_file or place.resolve().is_relative_to(folder.resolve())):
            raise DermaugError(
                f"{place}: expected a folder for the output, found a link to {place.resolve()}, "
                "where files of the same names would be replaced; remove the link"
            )
    require_writable(folder)


def require_outside(output: Path, data: Path) -> None:
    """Refuse to write into a set of images, where an output would count as a part of it.

    Args:
        output: The folder to write to.
        data: A data set or synthetic set that is read; nothing lies in a single file.

    Raises:
        DermaugError: The output is the set, or lies in it.
    """
    if data.is_dir() and output.resolve().is_relative_to(data.resolve()):
        raise DermaugError(
            f"{output}: expected a folder outside of the images in {data}, which the output would "
            "be mixed with; choose another place for the output"
        )


def require_writable(folder: Path) -> None:
    """Prove that a file can be written in `folder`, before any work is begun.

    The folder need not exist, and is not left behind: what is refused later leaves no trace.

    Raises:
        DermaugError: Names the folder and the system's reason.
    """
    made: list[Path] = []
    try:
        absent = [place for place in (folder, *folder.parents) if not place.exists()]
        for place in reversed(absent):
            place.mkdir(exist_ok=True)
            made.append(place)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise DermaugError(
            f"cannot write to the output folder {folder}: {error.strerror or error}; "
            "choose another, or make it writable"
        ) from None
    finally:
        for place in reversed(made):
            with suppress(OSError):  # someone else put something there meanwhile
                place.rmdir()


def require_new_folder(folder: Path) -> None:
    """Refuse a place where a whole folder cannot appear.

    Raises:
        DermaugError: It holds something, is a file or a link, is the current folder, cannot be
            looked at, or cannot be written beside.
    """
    try:
        is_file = folder.is_symlink() or (folder.exists() and not folder.is_dir())
        taken = not is_file and folder.exists() and any(folder.iterdir())
        here = folder.resolve() == Path.cwd()
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        reason = getattr(error, "strerror", None) or error
        raise DermaugError(f"{folder}: expected a new or empty folder ({reason})") from None
    if is_file or taken or here:
        kind = "a link" if folder.is_symlink() else "a file"
        found = "the current folder" if here else kind if is_file else "one in use"
        raise DermaugError(
            f"{folder}: expected a new or empty folder, found {found}; choose another or empty it"
        )
    require_writable(folder.parent)


def _is_marked(path: Path, mark: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return mark.encode() in file.read(BEGINNING)
