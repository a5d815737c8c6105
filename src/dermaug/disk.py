"""A full disk in words: which disk, how much a file needs, and how much is free."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dermaug.errors import DermaugError

FULL = (errno.ENOSPC, errno.EDQUOT)
BLOCK = 1 << 16
"""Bytes; a disk with less is full, where an error has no number."""


class FullDiskError(DermaugError):
    """A disk, or a user's share of it, has no room for a file."""


@contextmanager
def told_when_full(path: Path, aside: Path, size: int = 0) -> Iterator[None]:
    """Convert the error of a full disk into a `FullDiskError`; other errors pass.

    Args:
        path: The file or folder that was to appear.
        aside: What is written in its place until it is whole.
        size: Bytes that it takes; 0 if nobody knows.

    Raises:
        FullDiskError: Names the disk, what the file needs and what was free.
    """
    try:
        yield
    except OSError as error:
        if not is_full(error, aside.parent):
            raise
        room = shutil.disk_usage(aside.parent).free + bytes_of(aside)
        needs = in_words(size) if size else "more than that"
        raise FullDiskError(
            f"{path}: the disk at {_mount(path)} is full: {in_words(room)} were free, and it needs "
            f"{needs}; what was at this path has not changed; free some space, then run the same "
            "command again"
        ) from None


def is_full(error: OSError, folder: Path) -> bool:
    """Whether an error says that the disk of a folder is full, or a quota is used up.

    NumPy tells of a write that came to an end too early without a number.
    """
    if error.errno is None:
        return shutil.disk_usage(folder).free < BLOCK
    return error.errno in FULL


def bytes_of(path: Path) -> int:
    """Bytes of a file, or of all files below a folder."""
    found = [path, *path.rglob("*")] if path.is_dir() else [path]
    return sum(each.lstat().st_size for each in found if each.is_file())


def free_bytes(folder: Path) -> int:
    """Free bytes where a folder lies, or will lie."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return shutil.disk_usage(there).free


def _mount(path: Path) -> Path:
    """Where the disk of a path is mounted."""
    place = path.absolute()
    while not os.path.ismount(place):
        place = place.parent
    return place


def in_words(number: int) -> str:
    """Bytes as a number with a unit."""
    if number < 1e6:
        return f"{number / 1e3:,.1f} kB"
    return f"{number / 1e6:,.1f} MB" if number < 1e9 else f"{number / 1e9:,.1f} GB"
