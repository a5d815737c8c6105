"""A real disk of a few hundred kilobytes, which fills up."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """Mount a disk of its own at a new folder, and unmount it."""
    folder.mkdir(parents=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(words, capture_output=True, text=True, check=False)
        reason = mounted.stderr.strip() if mounted.returncode else ""
    except FileNotFoundError:
        reason = "there is no mount"
    if reason:
        pytest.skip(f"NOT TESTED: no disk can be mounted here ({reason})")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def filled(folder: Path, left: int = 0) -> Path:
    """A file that takes all room of a disk but `left` bytes."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file:
        status = os.statvfs(folder)
        room = status.f_bavail * status.f_frsize - left
        while room > 0:
            room -= file.write(b"\0" * room)
    return path
