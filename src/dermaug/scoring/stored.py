"""The tables of a scoring on disk, with the digests that tie them to the run that was scored."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from dermaug.csv_files import safe_cell, write_csv
from dermaug.errors import DermaugError
from dermaug.experiment.run.layout import RunFolder
from dermaug.experiment.run.records import RunRecord
from dermaug.files import Record, content_digest, sha256

DIGESTS = "digests.json"
_TEXTS = {
    *("arm", "model", "reference", "role", "readout", "scope", "metric", "family", "verdict"),
    *("levels", "sentence", "label", "true", "predicted", "curve", "grouping", "group", "data"),
    *("target", "rule", "worth", "kind"),
}
"""Columns that hold text, even where it looks like a number: a class may be named 7."""


class Digests(Record):
    """`digests.json`, beside the tables."""

    run: str
    """Returned by `run_digest` when the tables were written."""
    tables: dict[str, str]
    """Name of each table -> SHA-256 of its file."""


def run_digest(run: RunFolder) -> str:
    """Digest of all that a scoring is made from: the experiment and every finished job."""
    record = RunRecord.read(run.record)
    jobs = [sha256(job.record) for job in run.finished(record.jobs)]
    return content_digest({"run": record.id, "experiment": record.experiment, "jobs": jobs})


def write_tables(folder: Path, tables: Mapping[str, pd.DataFrame], run: RunFolder | None) -> None:
    """Write a CSV file for each table.

    Args:
        folder: Folder of the files.
        tables: Every table by its name.
        run: The run that was scored; its digest, and those of the files, are written too. None if
            the tables will not be read again.
    """
    paths = {name: folder / f"{name}.csv" for name in tables}
    for name, table in tables.items():
        write_csv(paths[name], table)
    if run is not None:
        digests = {name: sha256(path) for name, path in paths.items()}
        Digests(run=run_digest(run), tables=digests).write(folder / DIGESTS)


def read_tables(folder: Path, names: Sequence[str], run: RunFolder) -> dict[str, pd.DataFrame]:
    """Read the output of `write_tables`.

    Raises:
        DermaugError: A table is missing or was changed, or the run has other results by now.
    """
    remedy = f"run `dermaug score {run.path}`"
    missing = [name for name in names if not (folder / f"{name}.csv").is_file()]
    if missing or not (folder / DIGESTS).is_file():
        lost = f"{missing[0]}.csv" if missing else DIGESTS
        raise DermaugError(f"{folder}: expected the scoring of a run, found no {lost}; {remedy}")
    noted = Digests.read(folder / DIGESTS)
    for name in names:
        path = folder / f"{name}.csv"
        if noted.tables.get(name) != sha256(path):
            raise DermaugError(
                f"{path}: expected the table that dermaug wrote, found that it was changed since, "
                f"for example in a spreadsheet; {remedy} to write it again"
            )
    if noted.run != run_digest(run):
        raise DermaugError(
            f"{folder}: expected the scoring of the run as it is, found that of other results: "
            f"trainings have ended since, or the tables are those of another run; {remedy}"
        )
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
