"""Refusal of places where an output would replace, or hide, what is no earlier output."""

from collections.abc import Sequence
from pathlib import Path

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
        DermaugError: It is a folder, has another ending, or is a file that lacks the mark.
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
            without the marked file.
    """
    if folder.exists() and not folder.is_dir():
        raise DermaugError(f"{folder}: expected a folder for the output, found a file")
    if data is not None and data.is_dir() and folder.resolve().is_relative_to(data.resolve()):
        raise DermaugError(
            f"{folder}: expected a folder outside of the data set {data}, whose images the output "
            "would be mixed with; choose another --output"
        )
    taken = [name for name in names if (folder / name).exists()]
    if taken and not _is_marked(folder / marked, mark):
        raise DermaugError(
            f"{folder}: expected a new folder, or an earlier output of this command; found "
            f"{', '.join(taken)} of something else, which would be overwritten; choose another "
            "--output"
        )


def _is_marked(path: Path, mark: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return mark.encode() in file.read(BEGINNING)
