"""What an interrupted training goes on from: its last checkpoint, and the one before it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from dermaug.console import console
from dermaug.errors import DermaugError, StoppedEarly
from dermaug.training.checkpoint import expecting, load_checkpoint, save_checkpoint

LAST = "resume.safetensors"
BEFORE = "resume-before.safetensors"
"""The checkpoint before the last one, from which a training resumes if the last is damaged."""

KEY = "training"
"""Entry of a checkpoint that tells its training from all others of the same form."""


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


def keep(folder: Path, state: Resumable, key: str = "") -> None:
    """Save the state of a training; the checkpoint that was the last one is kept beside it.

    Args:
        folder: The folder of the training.
        state: The state.
        key: What tells the training from all others of the same form.
    """
    save_checkpoint(folder / LAST, state.state_dict() | {KEY: key}, folder / BEFORE)


def resume(folder: Path, state: Resumable, key: str = "") -> bool:
    """Restore a training from its last whole checkpoint, and return whether there was one.

    Args:
        folder: The folder of the training.
        state: The state.
        key: As for `keep`.

    Raises:
        DermaugError: Both checkpoints are damaged, or they belong to another training.
    """
    found = [path for path in (folder / LAST, folder / BEFORE) if path.exists()]
    if not found:
        return False
    path, saved = _whole(found)
    with expecting(path, "the state of this training"):
        if saved.pop(KEY) != key:
            raise DermaugError(
                f"{path}: expected the checkpoint of this training, found that of another one; "
                "files were exchanged after they were written: put them back, or delete this one "
                "to begin the training again"
            )
        state.load_state_dict(saved)
    if path.name == BEFORE:  # a damaged last one must not take the place of this one
        (folder / LAST).unlink(missing_ok=True)
    return True


def forget(folder: Path) -> None:
    """Delete the checkpoints of a training whose results are all on disk."""
    for name in (BEFORE, LAST):
        (folder / name).unlink(missing_ok=True)


@contextmanager
def saved_when_stopped(
    folder: Path, state: Resumable, start: float, key: str = ""
) -> Iterator[None]:
    """Save the state of a training that is stopped between two steps; the next resume goes on.

    Args:
        folder: The folder of the training.
        state: The state, which is whole after every step.
        start: When the training would have begun without interruptions, by `time.monotonic`.
        key: As for `keep`.
    """
    try:
        yield
    except StoppedEarly:
        state.seconds = time.monotonic() - start
        keep(folder, state, key)
        raise


def _whole(paths: list[Path]) -> tuple[Path, dict[str, Any]]:
    """The first of some checkpoints that is whole, with its content; damage is told."""
    path, *others = paths
    try:
        return path, load_checkpoint(path)
    except DermaugError as error:
        if not others:
            raise DermaugError(
                f"{path}: cannot be resumed from, and no checkpoint before it is whole; delete "
                "the folder of this training to begin it again",
                [error.message],
            ) from None
        console.print(f"{error.message}. Resuming from the checkpoint before, {others[0].name}.")
        return _whole(others)
