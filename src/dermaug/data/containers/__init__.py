"""Zip archives, HDF5 and parquet files that hold images, read in place as if they were folders.

A path may lead through such a file, as in `data/set.zip/images/one.jpg`; nothing is ever unpacked.
"""

import io
import os
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, lru_cache
from pathlib import Path

from dermaug.data.containers.content import Container
from dermaug.data.containers.hdf5_file import Hdf5Container, is_damaged
from dermaug.data.containers.parquet_file import ParquetContainer
from dermaug.data.containers.zip_archive import ZipContainer
from dermaug.errors import DermaugError
from dermaug.files import refuse_special

MOST_BYTES = 2_000_000_000
"""Largest table that is read out of an archive."""

KINDS: Mapping[str, type[ZipContainer | Hdf5Container | ParquetContainer]] = {
    ".zip": ZipContainer,
    ".hdf5": Hdf5Container,
    ".h5": Hdf5Container,
    ".parquet": ParquetContainer,
}
ARCHIVES = (".zip", ".hdf5", ".h5")
"""Endings of files that are looked into like folders; of parquet files, the table is read."""


class Tree:
    """The folders of a container: files and sub-folders of each, in alphabetical order."""

    def __init__(self, container: Container) -> None:
        self.container = container

    @cached_property
    def folders(self) -> dict[str, tuple[list[str], list[str]]]:
        """Folder ("" is the container itself) -> names of its files and of its sub-folders."""
        files, below = defaultdict[str, list[str]](list), defaultdict[str, set[str]](set)
        for name in self.container.names:
            folder, _, last = name.rpartition("/")
            files[folder].append(last)
            while folder:
                folder, _, last = folder.rpartition("/")
                below[folder].add(last)
        places = {"", *files, *below}
        return {place: (sorted(files[place]), sorted(below[place])) for place in places}


def locate(path: Path | str) -> tuple[str, str] | None:
    """The container that a path is or leads through, and the name in it; None without one."""
    text = str(path)
    lower = text.lower()
    for ending in KINDS:
        at = -1
        while (at := lower.find(ending, at + 1)) >= 0:
            end = at + len(ending)
            if lower[end : end + 1] in ("", os.sep) and os.path.isfile(text[:end]):  # noqa: PTH113
                return text[:end], text[end + 1 :]
    return None


def tree_of(container: str) -> Tree:
    """The container at a path, opened once per process while it does not change.

    Raises:
        DermaugError: It is damaged or not to be trusted.
    """
    status = os.stat(container)  # noqa: PTH116
    return _opened(container, status.st_size, status.st_mtime_ns, os.getpid())


@lru_cache(maxsize=64)
def _opened(container: str, _size: int, _modified: int, _process: int) -> Tree:
    path = Path(container)
    return Tree(KINDS[path.suffix.lower()](path))


def children(folder: Path | str) -> tuple[list[str], list[str]] | None:
    """Names of the files and sub-folders of a folder in a container; None if it is not in one."""
    found = locate(folder)
    if found is None or not found[0].lower().endswith(ARCHIVES):
        return None
    return tree_of(found[0]).folders.get(found[1])


def is_folder(path: Path) -> bool:
    """Whether a path is a folder, on disk or in an archive; the archive itself is one."""
    return path.is_dir() or children(path) is not None


def exists(path: Path) -> bool:
    """Whether a file or folder is there, on disk or in a container."""
    if path.exists():
        return True
    found = locate(path)
    if found is None:
        return False
    folder, _, name = found[1].rpartition("/")
    files, folders = tree_of(found[0]).folders.get(folder, ([], []))
    return name in files or name in folders


def read_bytes(path: Path | str, limit: int = MOST_BYTES) -> bytes:
    """Content of a file, on disk or in a container.

    Raises:
        OSError: It is absent, cannot be read, or a container says more than `limit` bytes.
        DermaugError: It is a device or a pipe, which may have no end.
    """
    found = locate(path)
    if found is None or not found[1]:
        refuse_special(Path(path))
        return Path(path).read_bytes()
    with _reading(found[1]):
        return tree_of(found[0]).container.read(found[1], limit)


def file_size(path: Path | str) -> int:
    """Bytes of a file, on disk or in a container."""
    found = locate(path)
    if found is None or not found[1]:
        return Path(path).stat().st_size
    with _reading(found[1]):
        return tree_of(found[0]).container.size(found[1])


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """Convert what a library says of a damaged member into an `OSError`; each has its own."""
    try:
        yield
    except (OSError, DermaugError, MemoryError):
        raise
    except Exception as error:
        raise OSError(5, f"damaged in the archive: {error}", name) from None


def looked_into(folder: Path, name: str) -> bool:
    """Whether a file of a folder is an archive to look into: readable, and not unpacked beside it.

    Raises:
        DermaugError: The archive is not to be trusted.
    """
    if not name.lower().endswith(ARCHIVES) or name.startswith("."):
        return False
    if (folder / Path(name).stem).is_dir() or unreadable(folder / name):
        return False
    names = tree_of(str(folder / name)).container.names
    return bool(names) and not (folder / names[-1]).exists()


def unreadable(archive: Path) -> bool:
    """Whether an archive is damaged."""
    if archive.suffix.lower() == ".zip":
        return not zipfile.is_zipfile(archive)
    return is_damaged(archive)


def as_file(path: Path) -> io.BytesIO | Path:
    """A file as libraries open it: the path, or the content where it lies in a container."""
    found = locate(path)
    return path if found is None or not found[1] else io.BytesIO(read_bytes(path))
