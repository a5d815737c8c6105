"""Text and JSON files, records that reveal later edits, and digests of files."""

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from dermaug.aside import written_aside
from dermaug.config.section import Section
from dermaug.errors import DermaugError

SEAL = "content_sha256"
"""Entry of a JSON object: the digest of all others."""


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
        DermaugError: It is empty, or cannot be one, or there is no user of that name.
    """
    if "\0" in str(path):
        raise DermaugError(f"{what} {str(path)!r}: expected a path, found a null character")
    if not str(path).strip():  # Path("") is the current folder
        raise DermaugError(f"{what} is empty; expected a path (the current folder is .)")
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise DermaugError(
            f"{what} {str(path)!r}: expected a path, but there is no user of that name on this "
            "machine; write the path in full, or put ./ before a folder whose name begins with ~"
        ) from None


def sha256(path: Path) -> str:
    """Hex digest of a file's content.

    Raises:
        DermaugError: It is a pipe, a device or a socket.
    """
    refuse_special(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def known_sha256(path: Path) -> str:
    """Hex digest of a file's content, computed once a process as long as its date and size stay."""
    stat = path.stat()
    return _sha256_of(path.resolve(), stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4_096)
def _sha256_of(path: Path, _modified_ns: int, _bytes: int) -> str:
    return sha256(path)
