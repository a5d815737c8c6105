"""Checkpoints that are written atomically, hold no code and detect damage: sealed safetensors."""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from dermaug.aside import written_aside
from dermaug.errors import DermaugError
from dermaug.files import refuse_special

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Described = TypeVar("Described", bound="DataclassInstance")
HEADER = "dermaug"
DIGEST = r"\"file_sha256\": \""
"""What stands before the digest in a file, whose header is JSON within JSON."""
BLANK = "0" * 64
"""Stands for the digest while it is computed: it lies in the file of which it is the digest."""
BEGINNING = 200
"""The digest begins within so many bytes."""
LISTED = 10
REMEDY = "restore it from a copy, or train it again in a new run folder"


def save_checkpoint(path: Path, state: Mapping[str, Any], before: Path | None = None) -> str:
    """Write a nested state of tensors and plain values.

    Args:
        path: The file, which is written atomically.
        state: Dicts and lists of tensors, numbers, text and None, as returned by `state_dict()`.
        before: Where the checkpoint that was at `path` is moved; None replaces it.

    Returns:
        Hex digest of the file: SHA-256 of all its bytes, with zeros where the digest stands.

    Raises:
        FullDiskError: The disk has no room for it; what was at `path` stays.
    """
    tensors: dict[str, Tensor] = {}
    structure = _flatten(state, "", tensors)
    described = json.dumps({"file_sha256": BLANK, "structure": structure})
    size = len(described) + sum(tensor.nbytes for tensor in tensors.values())
    with written_aside(path, size, before) as aside:
        # Only one entry, because safetensors writes several in random order and equal states must
        # give equal files.
        with _errors_of_the_system():
            save_file(tensors, aside, {HEADER: described})
        digest, _, place = _seal(aside)
        with aside.open("rb+") as file:
            file.seek(place)
            file.write(digest.encode())
    return digest


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read the output of `save_checkpoint`, on the CPU; no code in the file is executed.

    Raises:
        DermaugError: The file is missing, is not a checkpoint, is cut short or has changed.
    """
    checkpoint_digest(path)
    try:
        found, written, _ = _seal(path)
        if found != written:
            raise DermaugError(
                f"{path}: incomplete or damaged: its bytes are not those that were written "
                f"(SHA-256); {REMEDY}"
            )
        with safe_open(path, framework="pt") as file:
            structure = json.loads(file.metadata()[HEADER])["structure"]
            # safe_open maps the file into memory: clone, so that it can be replaced afterwards.
            tensors = {key: file.get_tensor(key).clone() for key in file.keys()}  # noqa: SIM118
        state = _unflatten(structure, tensors)
    except DermaugError:
        raise
    except Exception as error:  # whatever a tree of another shape leads to
        raise DermaugError(f"{path}: cannot be read ({error}); {REMEDY}") from None
    if not isinstance(state, dict):
        raise DermaugError(_foreign(path))
    return state


def checkpoint_digest(path: Path) -> str:
    """Digest of a checkpoint, as it stands in the file.

    Raises:
        DermaugError: The file is missing or is not a checkpoint.
    """
    refuse_special(Path(path))
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # a name is enough, as model cards show
            beginning = file.read(BEGINNING + len(BLANK))
    except FileNotFoundError:
        raise DermaugError(f"no checkpoint at {path}; {REMEDY}") from None
    except OSError as error:
        raise DermaugError(f"{path}: cannot be read ({error.strerror or error})") from None
    found = beginning.find(DIGEST.encode())
    digest = beginning[found + len(DIGEST) :][: len(BLANK)]
    if 0 <= found <= BEGINNING and len(digest) == len(BLANK):
        return digest.decode(errors="replace")
    if not beginning.strip(b"\0"):  # what a copy leaves that was broken off
        raise DermaugError(f"{path}: empty, so that its network is lost; {REMEDY}")
    if f'"{HEADER}"'.encode() in beginning:
        raise DermaugError(
            f"{path}: incomplete or damaged, or of an earlier version of dermaug; {REMEDY}"
        )
    raise DermaugError(_foreign(path))


def _foreign(path: Path) -> str:
    return (
        f"{path}: not a dermaug checkpoint; expected a .safetensors file from a run folder, for "
        "example classifier.safetensors or generator.safetensors. Weights of other networks can "
        "only be the start of a training: classifiers.weights in an experiment file"
    )


@contextmanager
def expecting(path: Path, what: str) -> Iterator[None]:
    """Raise an error that names the file if its state does not fit the object being loaded.

    Args:
        path: The checkpoint.
        what: Expected content, for example "a classifier".

    Raises:
        DermaugError: The message states `what`; the details list the keys or shapes that differ.
    """
    try:
        yield
    except (DermaugError, MemoryError):
        raise
    except Exception as error:  # whatever a tree of another shape leads to
        reason = f"no {error}" if isinstance(error, KeyError) else str(error)
        lines = [line.strip() for line in reason.splitlines() if line.strip()]
        raise DermaugError(
            f"{path}: expected {what} as this version of dermaug writes it; it was written by "
            "another version, for another network, or changed",
            lines[:LISTED],
        ) from None


def typed(described: Described) -> Described:
    """The same dataclass, whose entries are known to have the types that it declares.

    Raises:
        ValidationError: Lists those that have not; `expecting` names the file.
    """
    entries = {each.name: getattr(described, each.name) for each in fields(described)}
    return TypeAdapter(type(described)).validate_python(entries)


def _flatten(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:  # noqa: ANN401
    """Plain JSON in which each tensor is replaced by its key in `tensors`."""
    match value:
        case Tensor():
            # A model may tie weights, but safetensors does not allow shared memory.
            tensors[path] = value.detach().cpu().contiguous().clone()
            return {"tensor": path}
        case Mapping():
            # Pairs, because JSON would turn the optimizers' integer keys into text.
            return {
                "pairs": [
                    [key, _flatten(item, f"{path}/{key}", tensors)] for key, item in value.items()
                ]
            }
        case list() | tuple():
            return [_flatten(item, f"{path}/{index}", tensors) for index, item in enumerate(value)]
        case None | bool() | int() | float() | str():
            return value
    raise TypeError(f"{path}: a checkpoint holds tensors and plain values, not {type(value)}")


def _unflatten(value: Any, tensors: Mapping[str, Tensor]) -> Any:  # noqa: ANN401
    match value:
        case {"tensor": str(path)}:
            return tensors[path]
        case {"pairs": list(pairs)}:
            return {key: _unflatten(item, tensors) for key, item in pairs}
        case list():
            return [_unflatten(item, tensors) for item in value]
    return value


def _seal(path: Path) -> tuple[str, str, int]:
    """SHA-256 of a file with zeros where its own digest stands, that digest, and its place."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:  # noqa: PTH123
        beginning = file.read(BEGINNING + len(BLANK))
        place = beginning.index(DIGEST.encode()) + len(DIGEST)
        end = place + len(BLANK)
        digest.update(beginning[:place] + BLANK.encode() + beginning[end:])
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest(), beginning[place:end].decode(errors="replace"), place


@contextmanager
def _errors_of_the_system() -> Iterator[None]:
    """Give an error of the system its number, which safetensors has in its text only."""
    try:
        yield
    except SafetensorError as error:
        if told := re.search(r"os error (\d+)", str(error)):
            number = int(told[1])
            raise OSError(number, os.strerror(number)) from None
        raise
