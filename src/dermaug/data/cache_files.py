"""What lies in the cache of decoded images, and removing it."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

PHANTOMS = "phantoms"
"""Folder of drawn phantoms."""
# As `pixel_cache.cache_path` names them; other files in the folder are somebody else's.
_NAME = re.compile(r"(?P<key>[A-Za-z0-9_-]+-[0-9a-f]{20})(\.\d{5})?\.(npy|details|json)")


@dataclass(frozen=True)
class CacheEntry:
    """The decoded images of one data set at one size, or one set of drawn phantoms.

    Args:
        name: Beginning of its files' names, or name of its folder.
        paths: Its files, or its folder.
        size: Bytes on disk.
        used: Time of the last change, in seconds since 1970.
    """

    name: str
    paths: tuple[Path, ...]
    size: int
    used: float


def cache_entries(folder: Path) -> list[CacheEntry]:
    """The entries of a cache, the largest first; empty if there is no cache.

    Args:
        folder: The cache; see `dermaug.data.pixels.default_cache`.
    """
    groups: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if (told := _NAME.fullmatch(path.name)) and path.is_file():
            groups.setdefault(told["key"], []).append(path)
    phantoms = folder / PHANTOMS
    for path in sorted(phantoms.iterdir()) if phantoms.is_dir() else ():
        if path.is_dir():
            groups[f"{PHANTOMS}/{path.name}"] = [path]
    entries = [_entry(name, paths) for name, paths in groups.items()]
    return sorted(entries, key=lambda entry: -entry.size)


def clear_cache(folder: Path) -> int:
    """Remove all entries of a cache, and nothing else in its folder.

    Images are decoded again when they are needed. A run keeps what it has used until it ends,
    because removed files stay readable while they are open, and decodes the rest again.

    Args:
        folder: The cache.

    Returns:
        The bytes that were freed.
    """
    entries = cache_entries(folder)
    for path in (path for entry in entries for path in entry.paths):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return sum(entry.size for entry in entries)


def _entry(name: str, paths: list[Path]) -> CacheEntry:
    files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path])]
    states = [file.lstat() for file in files if not file.is_dir()]
    size = sum(state.st_size for state in states)
    return CacheEntry(
        name, tuple(paths), size, max((state.st_mtime for state in states), default=0.0)
    )
