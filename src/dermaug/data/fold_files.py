"""Folds on disk: JSON with keys for a run, CSV for exchange with other tools."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from dermaug.csv_files import write_csv
from dermaug.data.splits import PARTS, Fold
from dermaug.errors import DermaugError
from dermaug.files import read_json, write_json

COLUMNS = ("image_id", "fold", "split")


def write_folds(path: Path, folds: Sequence[Fold]) -> None:
    """Write folds as JSON, atomically."""
    write_json(path, [asdict(fold) | {"key": fold.key} for fold in folds])


def read_folds(path: Path) -> tuple[Fold, ...]:
    """Read the output of `write_folds`.

    Raises:
        DermaugError: The file is missing or damaged, or a fold does not match its key.
    """
    try:
        entries = [(_fold(entry), entry["key"]) for entry in read_json(path)]
        changed = [fold.index for fold, key in entries if fold.key != key]
    except (KeyError, TypeError, ValueError, OverflowError):
        raise DermaugError(
            f"{path}: expected folds with index, {', '.join(PARTS)}, data and key"
        ) from None
    if changed:
        raise DermaugError(f"{path}: fold {changed[0]} was changed after it was written")
    return tuple(fold for fold, _ in entries)


def _fold(entry: dict[str, Any]) -> Fold:
    parts = {part: tuple(entry[part]) for part in PARTS}
    return Fold(int(entry["index"]), **parts, data=str(entry["data"]))


def write_folds_csv(path: Path, folds: Sequence[Fold]) -> None:
    """Write folds as the table that `splits.file` reads."""
    rows = [
        (image_id, fold.index, part)
        for fold in folds
        for part, ids in fold.parts.items()
        for image_id in ids
    ]
    write_csv(path, pd.DataFrame(rows, columns=list(COLUMNS)))
