"""Files that appear whole or not at all: written aside, flushed to disk, then renamed."""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from dermaug.config.section import Section
from dermaug.disk import told_when_full
from dermaug.errors import DermaugError
from dermaug.host import has_ended, this_host
from dermaug.whole_numbers import whole_number

PARTIAL = ".partial-"
SEAL = "content_sha256"
"""Entry of a JSON object: the digest of all others."""


@contextmanager
def written_aside(path: Path, size: int = 0, before: Path | None = None) -> Iterator[Path]:
    """Give a temporary path in the folder of `path`; rename it to `path` when the block succeeds.

    Args:
        path: File to appear. Its folder is created. On an error the temporary file is removed and
            whatever was at `path` stays.
        size: Bytes that it will take, for the message about a full disk; 0 if nobody knows.
        before: Where what was at `path` is moved when the new file is whole; None replaces it.

    Raises:
        DermaugError: There is a folder of that name.
        FullDiskError: The disk has no room for it.
    """
    if path.is_dir():
        raise DermaugError(f"{path}: expected a file to write, found a folder; move it away")
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{_partial()}{path.stem}-"
    with _named(path, prefix, path.suffix):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=prefix, suffix=path.suffix)
        os.close(handle)
        aside = Path(name)
        try:
            with told_when_full(path, aside, size):
                yield aside
                _flush(aside)
            aside.chmod(0o644)
            if before is not None and path.exists():
                path.replace(before)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)


@contextmanager
def folder_written_aside(folder: Path) -> Iterator[Path]:
    """Give a temporary folder beside `folder`; rename it to `folder` when the block succeeds.

    Args:
        folder: Folder to appear; an earlier one of that name is replaced.

    Raises:
        FullDiskError: The disk has no room for it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{_partial()}{folder.name}-"
    with _named(folder, prefix):
        aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=prefix))
        try:
            with told_when_full(folder, aside):
                yield aside
                for path in aside.rglob("*"):
                    if path.is_file():
                        _flush(path)
            aside.chmod(0o755)
            if folder.exists():
                shutil.rmtree(folder)
            aside.replace(folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def _named(path: Path, prefix: str, suffix: str = "") -> Iterator[None]:
    """Name the file or folder that was to appear in errors, in place of the temporary one.

    Args:
        path: What was to appear.
        prefix: Beginning of the name of the temporary one beside it.
        suffix: End of that name.
    """
    folders = (path.parent.absolute(), path.parent)
    beside = "|".join(re.escape(f"{folder}{os.sep}") for folder in folders)
    aside = re.compile(rf"({beside})?{re.escape(prefix)}\w+{re.escape(suffix)}")

    def shown(text: str) -> str:
        return aside.sub(lambda _: str(path), text)

    try:
        yield
    except DermaugError as error:
        error.message, error.details = shown(error.message), tuple(map(shown, error.details))
        raise
    except OSError as error:
        if error.filename is not None:
            error.filename = shown(os.fsdecode(error.filename))
        raise


def sweep(folder: Path, *, claimed: bool = False) -> None:
    """Remove what a killed process left half-written below `folder`; what lives goes on writing.

    Args:
        folder: What is below it is looked at.
        claimed: Whether this process alone may write there, so that whatever others write there is
            left over. Otherwise files of other machines stay, whose processes cannot be asked.
    """
    for leftover in list(folder.rglob(f"{PARTIAL}*")):
        if _is_left_over(leftover, claimed=claimed):
            if leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Wait until the content of a file is on disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _partial() -> str:
    """Beginning of the names of temporary files: who writes them."""
    return f"{PARTIAL}{os.getpid()}@{this_host()}-"


def _is_left_over(aside: Path, *, claimed: bool) -> bool:
    """Whether nobody will finish a temporary file, by the process in its name."""
    pid, _, host = aside.name.removeprefix(PARTIAL).partition("-")[0].partition("@")
    number = whole_number(pid)
    if number is None or not host:
        return True
    if claimed:
        return (number, host) != (os.getpid(), this_host())
    return has_ended(host, number)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with written_aside(path) as aside:
        # A file name that is not UTF-8 arrives as lone surrogates; JSON reads its escapes back.
        aside.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401
    """Write a value as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, sort_keys=False) + "\n")


def read_json(path: Path) -> Any:  # noqa: ANN401
    """Read a JSON file; a missing or damaged one is a `DermaugError` that names it."""
    refuse_special(path)
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise DermaugError(f"{path}: expected a JSON file, found none") from None
    except OSError as error:
        raise DermaugError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (ValueError, RecursionError) as error:  # no JSON, no UTF-8, or nested without end
        plain = isinstance(error, json.JSONDecodeError | UnicodeDecodeError)
        why = str(error) if plain else "a number or its nesting is out of all bounds"
        raise DermaugError(
            f"{path}: not valid JSON ({why}); the file was damaged or changed: restore it, or do "
            "again what wrote it, in a new folder"
        ) from None


def refuse_special(path: Path) -> None:
    """Raise for a named pipe, a device or a socket, which would be read without end.

    Raises:
        DermaugError: It is one.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise DermaugError(f"{path}: expected a file, found a pipe, a device or a socket")


def read_record(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object; anything else is a `DermaugError` that names it."""
    value = read_json(path)
    if not isinstance(value, dict):
        raise DermaugError(
            f"{path}: expected a JSON object, found {type(value).__name__}; it was modified after "
            "it was written"
        )
    return value


def write_sealed(path: Path, value: dict[str, Any]) -> None:
    """Write an object as JSON with the digest of its content, which reveals later edits."""
    write_json(path, value | {SEAL: content_digest(value)})


def read_sealed(path: Path) -> dict[str, Any]:
    """Read the output of `write_sealed`; layout and order of its entries do not matter.

    Raises:
        DermaugError: The file is missing or damaged, or its content was changed.
    """
    value = read_record(path)
    if value.pop(SEAL, None) != content_digest(value):
        raise DermaugError(
            f"{path}: expected the content that dermaug wrote, found that it differs from its "
            f"digest ({SEAL}): the file was changed by hand or damaged, or another version of "
            "dermaug wrote it; restore it, or do again what wrote it"
        )
    return value


def content_digest(value: dict[str, Any]) -> str:
    """Hex digest of an object, whatever the layout and order of its entries."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


class Record(Section):
    """A JSON object in a file, written and read by one type.

    Strict: a missing, unknown or mistyped entry is damage, and so is a changed value.
    """

    def write(self, path: Path) -> None:
        """Write it, whole or not at all."""
        write_sealed(path, self.model_dump(mode="json", by_alias=True))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the output of `write`.

        Raises:
            DermaugError: Lists every entry that is missing, unknown or of another type.
        """
        try:
            return cls.model_validate(read_sealed(path))
        except ValidationError as error:
            raise DermaugError(
                f"{path}: the content is not what dermaug wrote; restore the file, or create it "
                "again",
                [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()],
            ) from None


def expanded(path: str | Path, what: str) -> Path:
    """A path with its `~` or `~name` replaced by that user's home folder.

    Args:
        path: As the user wrote it.
        what: Names its place in the error, for example `data.source`.

    Raises:
        DermaugError: It is empty, or there is no user of that name.
    """
    if not str(path).strip():  # Path("") is the current folder
        raise DermaugError(f"{what} is empty; expected a path (the current folder is .)")
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise DermaugError(
            f"{what} {str(path)!r}: expected a path, but there is no user of that name on this "
            "machine; write the path in full, or put ./ before a folder whose name begins with ~"
        ) from None


def sha256(path: Path, chunk_bytes: int = 1 << 20) -> str:
    """Hex digest of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        read: Callable[[], bytes] = lambda: file.read(chunk_bytes)  # noqa: E731
        for chunk in iter(read, b""):
            digest.update(chunk)
    return digest.hexdigest()


def known_sha256(path: Path) -> str:
    """Hex digest of a file's content, computed once a process as long as its date and size stay."""
    stat = path.stat()
    return _sha256_of(path.resolve(), stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4_096)
def _sha256_of(path: Path, _modified_ns: int, _bytes: int) -> str:
    return sha256(path)
