"""Tables on disk that are read again, with digests that tie them to what they were made from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from dermaug.console import tell
from dermaug.csv_files import safe_cell, write_csv
from dermaug.errors import DermaugError
from dermaug.files import Record, sha256

DIGESTS = "digests.json"
_TEXTS = {
    *("arm", "model", "reference", "role", "readout", "scope", "metric", "family", "verdict"),
    *("levels", "sentence", "label", "true", "predicted", "curve", "grouping", "group", "data"),
    *("target", "rule", "worth", "kind"),
    *("reader", "origin", "classifier", "task", "first", "second"),
}
"""Columns that hold text, even where it looks like a number: a class may be named 7."""


class Digests(Record):
    """`digests.json`, beside the tables."""

    source: str
    """Returned by `Source.digest` when the tables were written."""
    tables: dict[str, str]
    """Name of each table -> SHA-256 of its file."""


@dataclass(frozen=True)
class Source:
    """What some tables are made from.

    Args:
        digest: Returns a digest of it.
        tables: Names the tables in errors, for example the scoring of a run.
        others: What they are, unless they are made from it.
        remedy: How they are written again.
    """

    digest: Callable[[], str]
    tables: str
    others: str
    remedy: str


def write_tables(folder: Path, tables: Mapping[str, pd.DataFrame], source: Source | None) -> None:
    """Write a CSV file for each table.

    Args:
        folder: Folder of the files.
        tables: Every table by its name.
        source: What they are made from; its digest, and those of the files, are written too. None
            if the tables will not be read again.
    """
    paths = {name: folder / f"{name}.csv" for name in tables}
    if source is not None and (changed := _changed(folder, paths)):
        tell(
            f"note: changed since they were written, and written again: {', '.join(changed)} in "
            f"{folder}"
        )
    for name, table in tables.items():
        write_csv(paths[name], table)
    if source is not None:
        digests = {name: sha256(path) for name, path in paths.items()}
        Digests(source=source.digest(), tables=digests).write(folder / DIGESTS)


def _changed(folder: Path, paths: Mapping[str, Path]) -> list[str]:
    """Names of the files that are not as they were written; none where that is not known."""
    try:
        noted = Digests.read(folder / DIGESTS)
    except (OSError, DermaugError):
        return []
    return [
        path.name
        for name, path in paths.items()
        if path.is_file() and noted.tables.get(name) != sha256(path)
    ]


def read_tables(folder: Path, names: Sequence[str], source: Source) -> dict[str, pd.DataFrame]:
    """Read the output of `write_tables`.

    Raises:
        DermaugError: A table is missing or was changed, or was made from something else.
    """
    wanted = f"expected {source.tables}"
    missing = [name for name in names if not (folder / f"{name}.csv").is_file()]
    if missing or not (folder / DIGESTS).is_file():
        lost = f"{missing[0]}.csv" if missing else DIGESTS
        raise DermaugError(f"{folder}: {wanted}, found no {lost}; {source.remedy}")
    try:
        noted = Digests.read(folder / DIGESTS)
    except DermaugError:
        raise DermaugError(
            f"{folder}: {wanted}, found a {DIGESTS} that is damaged or of another version; "
            f"{source.remedy}"
        ) from None
    for name in names:
        path = folder / f"{name}.csv"
        if noted.tables.get(name) != sha256(path):
            raise DermaugError(
                f"{path}: expected the table that dermaug wrote, found that it was changed since, "
                f"for example in a spreadsheet; {source.remedy} to write it again"
            )
    if noted.source != source.digest():
        raise DermaugError(f"{folder}: {wanted} as it is, found {source.others}; {source.remedy}")
    return {name: _read(folder / f"{name}.csv") for name in names}


def _read(path: Path) -> pd.DataFrame:
    """Read a table with the types with which it was written."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    return pd.DataFrame({name: _typed(name, table[name]) for name in table.columns})


def _typed(name: str, column: pd.Series) -> pd.Series:
    """Undo the escaping of text; convert every other column to booleans or numbers."""
    if name in _TEXTS:
        return column.map(_as_written)
    if len(column) and column.isin(["True", "False"]).all():
        return column == "True"
    if column.str.fullmatch(r"-?\d+").all():
        return column.astype(np.int64)
    return column.replace("", "nan").astype(float)


def _as_written(text: str) -> str:
    """Remove the quote that prevents spreadsheets from evaluating a cell as a formula."""
    return text[1:] if text.startswith("'") and safe_cell(text[1:]) == text else text
