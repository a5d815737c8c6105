"""The journal of a training, as JSON lines, for TensorBoard, and for a tracker."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from dermaug.disk import told_when_full
from dermaug.errors import DermaugError
from dermaug.files import refuse_special, write_text
from dermaug.training.board import Board
from dermaug.training.file_names import JOURNAL
from dermaug.training.trackers import GuardedTracker


class Journal:
    """One row of numbers per tick, identified by the number of images shown.

    Args:
        folder: Folder for `journal.jsonl` and TensorBoard's event file.
        images: Images shown at the checkpoint from which the training resumes; later rows, written
            after that checkpoint and before an interruption, are dropped.
    """

    def __init__(self, folder: Path, images: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / JOURNAL
        rows = [row for row in read_journal(self.path) if (row["images"] or 0) <= images]
        write_text(self.path, "".join(json.dumps(row) + "\n" for row in rows))
        self._board = Board(folder, images)
        self._tracker = GuardedTracker(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._tracker.finish(completed=kind is None)

    def write(self, images: int, seconds: float, values: Mapping[str, float]) -> None:
        """Append one row; a value that is not finite is written as null.

        Raises:
            FullDiskError: The disk has no room for it.
        """
        row: dict[str, float | None] = {"images": images, "seconds": round(seconds, 3)}
        row |= {key: _finite(value) for key, value in values.items()}
        line = json.dumps(row) + "\n"
        with (
            told_when_full(self.path, self.path, len(line)),
            self.path.open("a", encoding="utf-8") as file,
        ):
            file.write(line)
        self._board.write(images, values)
        self._tracker.log(images, values)


def read_journal(path: Path, expected: Sequence[str] = ()) -> list[dict[str, float | None]]:
    """Read the rows of a journal, except a last line that is incomplete.

    Args:
        path: Path of `journal.jsonl`; there are no rows if it does not exist.
        expected: Columns, besides `images`, that every row must have.

    Returns:
        One per tick: name -> number; None if the value was not finite. `images` is always present.

    Raises:
        DermaugError: The file cannot be read, or a line is not a row of a journal.
    """
    if not path.exists():
        return []
    refuse_special(path)
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise DermaugError(f"{path}: cannot be read ({error.strerror or error})") from None
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            if number == len(lines):
                break
            row = None
        if not _is_row(row, expected):
            raise DermaugError(
                f"{path} line {number}: expected numbers named {', '.join(('images', *expected))}; "
                "the file was modified after it was written; delete it to continue without these "
                "curves"
            )
        rows.append(row)
    return rows


def _is_row(row: object, expected: Sequence[str]) -> bool:
    if not isinstance(row, dict) or type(row.get("images")) is not int:
        return False
    # A bool is an int in Python, but not a number of a journal.
    numbers = all(value is None or type(value) in (int, float) for value in row.values())
    return numbers and row.keys() >= set(expected)


def _finite(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None
