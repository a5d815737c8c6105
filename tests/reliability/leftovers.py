"""What work must not leave behind: processes, temporary files, open files, memory (Linux)."""

import ctypes
import gc
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from pathlib import Path

from joblib.externals.loky.backend import resource_tracker as of_loky
from programs import children

ADOPTS_ORPHANS = 36
"""PR_SET_CHILD_SUBREAPER of <linux/prctl.h>."""


@contextmanager
def orphans_adopted() -> Iterator[frozenset[int]]:
    """Be the parent of every process below this one whose own parent ends.

    Yields:
        The children that this process has already.
    """
    adopt = ctypes.CDLL(None).prctl
    if adopt(ADOPTS_ORPHANS, 1, 0, 0, 0):
        raise OSError("this system does not hand over orphans")
    try:
        yield frozenset(children(os.getpid()))
    finally:
        adopt(ADOPTS_ORPHANS, 0, 0, 0, 0)


def orphans(patience: float, before: frozenset[int]) -> list[str]:
    """The processes that still live after some seconds of waiting, in words.

    Python and joblib each start a process that removes what others leave, and ends with this one:
    these are none of them.

    Args:
        patience: Seconds.
        before: Children that are not counted, as `orphans_adopted` gives them.
    """
    end = time.monotonic() + patience
    while (left := _adopted() - before) and time.monotonic() < end:
        time.sleep(0.1)
    return [f"process {pid}: {_command(pid)}" for pid in sorted(left)]


def _adopted() -> set[int]:
    trackers = {each._resource_tracker._pid for each in (resource_tracker, of_loky)}
    return set(children(os.getpid())) - trackers


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()[:200]
    except OSError:
        return ""


@contextmanager
def temporary_folder(place: Path) -> Iterator[Path]:
    """Let this process and its children put temporary files into a folder of their own."""
    place.mkdir()
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = tempfile.tempdir = str(place)
    try:
        yield place
    finally:
        tempfile.tempdir = None
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before


def open_files() -> int:
    """Number of files that this process holds open, besides those of garbage not yet collected."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def forget_peak() -> None:
    """Let `peak_memory` begin anew."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_memory() -> int:
    """Most MiB of memory that this process used since `forget_peak`."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    raise OSError("this system does not tell how much memory a process used")
