"""Files and folders that appear whole or not at all: written aside, flushed to disk, renamed."""

import glob
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from dermaug.disk import told_when_full
from dermaug.errors import DermaugError
from dermaug.host import has_ended, this_host
from dermaug.whole_numbers import whole_number

PARTIAL = ".partial-"
_watched: dict[Path, tuple[int, ...]] = {}
"""What lay at the places that `watch` was told of."""


@contextmanager
def written_aside(path: Path, size: int = 0, before: Path | None = None) -> Iterator[Path]:
    """Give a temporary path in the folder of `path`; rename it to `path` when the block succeeds.

    Args:
        path: File to appear. Its folder is created. On an error the temporary file is removed and
            whatever was at `path` stays. The mode of a file that is replaced is kept.
        size: Bytes that it will take, for the message about a full disk; 0 if nobody knows.
        before: Where what was at `path` is moved when the new file is whole; None replaces it.

    Raises:
        DermaugError: There is a folder of that name, or the place is watched and has changed.
        FullDiskError: The disk has no room for it.
    """
    if path.is_dir():
        raise DermaugError(f"{path}: expected a file to write, found a folder; move it away")
    with _beside(path, path.stem, path.suffix) as aside:
        aside.touch(exist_ok=False)
        if path.exists():
            aside.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_IWUSR)
        with told_when_full(path, aside, size):
            yield aside
            _flush(aside)
        known = _watched.get(path.absolute())
        if known is not None and known != _state(path):
            raise _kept_beside(aside, path)
        if before is not None and path.exists():
            path.replace(before)
        aside.replace(path)
        if known is not None:
            watch(path)


@contextmanager
def folder_written_aside(folder: Path, *, replaces: bool = False) -> Iterator[Path]:
    """Give a temporary folder beside `folder`; rename it to `folder` when the block succeeds.

    Args:
        folder: Folder to appear, in place of an empty one at most.
        replaces: Whether whatever is there is removed.

    Raises:
        DermaugError: Something has appeared there; the finished folder is kept beside it.
        FullDiskError: The disk has no room for it.
    """
    with _beside(folder, folder.name) as aside:
        aside.mkdir()
        with told_when_full(folder, aside):
            yield aside
            for path in aside.rglob("*"):
                if path.is_file():
                    _flush(path)
        if replaces:
            _remove(folder)
        with suppress(OSError):  # not every system lets a folder replace an empty one
            folder.rmdir()
        try:
            aside.replace(folder)
        except OSError:
            if not os.path.lexists(folder):
                raise
            raise _kept_beside(aside, folder) from None


def watch(path: Path) -> None:
    """Let `written_aside` replace a file only if it is still as it is now."""
    _watched[path.absolute()] = _state(path)


def _state(path: Path) -> tuple[int, ...]:
    """What tells a file from what is there later; () for none."""
    try:
        found = path.lstat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _kept_beside(aside: Path, path: Path) -> DermaugError:
    """Give a finished output another name, since its own was taken, and say so."""
    place = free_name(path)
    aside.rename(place)
    return DermaugError(
        f"{path}: expected that nothing else is written there while this command works, found "
        f"what another program, or the same command, has put there meanwhile; that stays, and "
        f"this output is whole in {place}"
    )


def free_name(path: Path) -> Path:
    """The path of a file or folder that does not exist, named after one that does."""
    names = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(2))
    return next(name for name in names if not os.path.lexists(name))


@contextmanager
def _beside(path: Path, stem: str, suffix: str = "") -> Iterator[Path]:
    """Give the path of a temporary file or folder, which errors name as what is to appear.

    What ended processes left of earlier ones is removed.

    Args:
        path: What is to appear.
        stem: Its name without `suffix`.
        suffix: End of the temporary name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in path.parent.glob(f"{PARTIAL}*@*-{glob.escape(stem)}-*"):
        if _is_left_over(leftover):
            _remove(leftover)
    writer = f"{PARTIAL}{os.getpid()}@{this_host()}"
    aside = path.with_name(f"{writer}-{stem}-{secrets.token_hex(4)}{suffix}")

    def shown(text: str) -> str:
        for name in (str(aside.absolute()), str(aside), aside.name):
            text = text.replace(name, str(path))
        return text

    try:
        yield aside
    except DermaugError as error:
        error.message, error.details = shown(error.message), tuple(map(shown, error.details))
        raise
    except OSError as error:
        if error.filename is not None:
            error.filename = shown(os.fsdecode(error.filename))
        raise
    finally:
        _remove(aside)


def sweep(folder: Path, *, claimed: bool = False) -> None:
    """Remove what a killed process left half-written below `folder`; what lives goes on writing.

    Args:
        folder: What is below it is looked at.
        claimed: Whether this process alone may write there, so that whatever others write there is
            left over. Otherwise files of other machines stay, whose processes cannot be asked.
    """
    for leftover in list(folder.rglob(f"{PARTIAL}*")):
        if _is_left_over(leftover, claimed=claimed):
            _remove(leftover)


def _remove(path: Path) -> None:
    """Remove a file, a link or a folder, if it is there and may be removed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _flush(path: Path) -> None:
    """Wait until the content of a file is on disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _is_left_over(aside: Path, *, claimed: bool = False) -> bool:
    """Whether nobody will finish a temporary file, by the process in its name."""
    pid, _, host = aside.name.removeprefix(PARTIAL).partition("-")[0].partition("@")
    number = whole_number(pid)
    if number is None or not host:
        return True
    if claimed:
        return (number, host) != (os.getpid(), this_host())
    return has_ended(host, number)
