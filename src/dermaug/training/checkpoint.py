"""Checkpoints that are written atomically, hold no code and detect damage: safetensors + digest."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from dermaug.errors import DermaugError, StoppedEarly
from dermaug.files import written_aside

RESUME = "resume.safetensors"
"""File from which an interrupted training resumes; deleted once all results are on disk."""
HEADER = "dermaug"
LISTED = 10


def save_checkpoint(path: Path, state: Mapping[str, Any]) -> str:
    """Write a nested state of tensors and plain values.

    Args:
        path: The file, which is written atomically.
        state: Dicts and lists of tensors, numbers, text and None, as returned by `state_dict()`.

    Returns:
        Hex digest of the tensors.
    """
    tensors: dict[str, Tensor] = {}
    structure = _flatten(state, "", tensors)
    digest = _digest(tensors)
    with written_aside(path) as aside:
        # Only one entry, because safetensors writes several in random order and equal states must
        # give equal files.
        save_file(tensors, aside, {HEADER: json.dumps({"sha256": digest, "structure": structure})})
    return digest


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read the output of `save_checkpoint`, on the CPU; no code in the file is executed.

    Raises:
        DermaugError: The file is missing, is not a checkpoint, is cut short or has changed.
    """
    try:
        with safe_open(path, framework="pt") as file:
            described = _described(file)
            # safe_open maps the file into memory: clone, so that it can be replaced afterwards.
            tensors = {key: file.get_tensor(key).clone() for key in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise DermaugError(f"no checkpoint at {path}") from None
    except (OSError, SafetensorError) as error:
        if not _begins_as_ours(path):
            raise DermaugError(_foreign(path)) from None
        raise DermaugError(f"{path}: incomplete or damaged ({error}); {_remedy(path)}") from None
    if not described:
        raise DermaugError(_foreign(path))
    if _digest(tensors) != described["sha256"]:
        raise DermaugError(f"{path}: its content has changed since it was written; {_remedy(path)}")
    state = _unflatten(described["structure"], tensors)
    if not isinstance(state, dict):
        raise DermaugError(_foreign(path))
    return state


def _begins_as_ours(path: Path) -> bool:
    """Whether a file begins as `save_checkpoint` begins one, even if it ends too early."""
    try:
        with path.open("rb") as file:
            return f'"{HEADER}"'.encode() in file.read(200)
    except OSError:
        return False


def _foreign(path: Path) -> str:
    return (
        f"{path}: not a dermaug checkpoint; expected a .safetensors file from a run folder, for "
        "example classifier.safetensors or generator.safetensors. Weights of other networks can "
        "only be the start of a training: classifiers.weights in an experiment file"
    )


def _remedy(path: Path) -> str:
    """What to do with a damaged file: only what dermaug will write again may go."""
    if path.name == RESUME:
        return "delete it to train this network again from the start"
    return "restore it from a copy, or train it again in a new run folder"


class Resumable(Protocol):
    """A state of a training that can be stored and restored."""

    seconds: float
    """Time spent so far, over all resumes."""

    def state_dict(self) -> dict[str, Any]:
        """Everything that a resume needs."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        ...


def resume(path: Path, state: Resumable) -> bool:
    """Restore a training from its checkpoint if there is one, and return whether there was.

    Raises:
        DermaugError: The file is damaged, or belongs to another training.
    """
    if not path.exists():
        return False
    saved = load_checkpoint(path)
    with expecting(path, "the state of this training"):
        state.load_state_dict(saved)
    return True


@contextmanager
def saved_when_stopped(path: Path, state: Resumable, start: float) -> Iterator[None]:
    """Save the state of a training that is stopped between two steps; the next resume goes on.

    Args:
        path: The checkpoint.
        state: The state, which is whole after every step.
        start: When the training would have begun without interruptions, by `time.monotonic`.
    """
    try:
        yield
    except StoppedEarly:
        state.seconds = time.monotonic() - start
        save_checkpoint(path, state.state_dict())
        raise


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
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else str(error)
        lines = [line.strip() for line in reason.splitlines() if line.strip()]
        raise DermaugError(
            f"{path}: expected {what} as this version of dermaug writes it; it was written by "
            "another version, for another network, or changed",
            lines[:LISTED],
        ) from None


def checkpoint_digest(path: Path) -> str:
    """Digest of the tensors of a checkpoint, as written in its header."""
    with safe_open(path, framework="pt") as file:
        return str(_described(file)["sha256"])


def _described(file: Any) -> dict[str, Any]:  # noqa: ANN401
    """The header written by dermaug; empty if another tool wrote the file."""
    try:
        described = json.loads((file.metadata() or {}).get(HEADER, "{}"))
    except (ValueError, RecursionError):
        return {}
    whole = isinstance(described, dict) and {"sha256", "structure"} <= described.keys()
    return described if whole else {}


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


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for key in sorted(tensors):
        tensor = tensors[key]
        digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
