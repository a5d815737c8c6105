"""Several runs in one table: their states, and their primary contrasts with verdicts."""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from dermaug.console import is_utf8, printable
from dermaug.errors import DermaugError
from dermaug.experiment.run.identity import read_run_experiment
from dermaug.experiment.run.layout import (
    GENERATORS,
    PUBLISHED,
    RECORD,
    TRIALS,
    RunFolder,
)
from dermaug.experiment.run.records import RunRecord
from dermaug.scoring.scores import primary_words
from dermaug.scoring.scoring import FOLDER, Scoring
from dermaug.scoring.verdict_words import NONE
from dermaug.scoring.verdicts import judge

CONTRASTS = (
    *("run", "data", "arm", "reference", "model", "metric"),
    *("difference", "low", "high", "p_holm", "margin", "p_equivalence", "verdict"),
)
"""Columns of `compare_runs`; the numbers are defined as those of `verdict_table`."""
RUNS = ("run", "state", "generators", "trials", "hours", "answer")


def compare_runs(folders: Sequence[Path], *, across: bool = False) -> pd.DataFrame:
    """The primary contrasts of some runs that have been scored, the largest difference first.

    With `across`, Holm's rule is applied across all contrasts of the table, instead of within each
    run. The tests of equivalence are then adjusted twice, which makes them conservative.

    Returns:
        One row per run, arm, reference and classifier, with the columns of `CONTRASTS`.

    Raises:
        DermaugError: There is no folder, or one is given twice, is the copy of another or no run,
            or has no scores.
    """
    if not folders:
        raise DermaugError("expected the folders of one or more runs, found none; name them")
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise DermaugError("expected different runs, found one of them twice; name each once")
    table = pd.concat([_contrasts(folder) for folder in folders], ignore_index=True)
    ids = [RunRecord.read(RunFolder(folder).record).id for folder in folders]
    copies = [str(folder) for folder, each in zip(folders, ids, strict=True) if ids.count(each) > 1]
    if copies:
        raise DermaugError(
            "expected different runs, found copies of one run, which are no second evidence; name "
            "one of them",
            copies,
        )
    if across:
        judge(table, pd.Series(True, index=table.index))
    order = table.sort_values("difference", ascending=False, kind="stable", ignore_index=True)
    return order[list(CONTRASTS)]


def list_runs(folder: Path) -> pd.DataFrame:
    """The runs below a folder: their state, how long they took, and their answer.

    Returns:
        One row per run, in alphabetical order, and last the folders that cannot be opened, with the
        columns of `RUNS`: state (finished,
        unfinished, or unreadable), finished generators and trials, hours from start to end (NaN
        for an unfinished run, or where the clock was set back), and the count of each verdict on a
        primary contrast: of arms with generated images, then of other arms.
    """
    parts = (RunFolder(folder).record.name, RunFolder(folder).experiment.name)
    found = {path.parent for name in parts for path in folder.glob(f"**/{name}")}
    rows = [_row(folder, path) for path in sorted(found) if _is_run(RunFolder(path))]
    closed = (path for path in folder.iterdir() if path.is_dir() and not os.access(path, os.X_OK))
    rows += [(path.name, "unreadable", 0, 0, np.nan, NONE) for path in sorted(closed)]
    return pd.DataFrame(rows, columns=list(RUNS))


def _contrasts(folder: Path) -> pd.DataFrame:
    experiment = read_run_experiment(folder)
    verdicts = Scoring.read(folder).verdicts
    asked = verdicts[verdicts["family"] == primary_words(experiment)]
    data = RunRecord.read(RunFolder(folder).record).data.name
    return asked.assign(run=folder.name, data=data, metric=asked["family"])


def _is_run(files: RunFolder) -> bool:
    """Whether a folder is a run, or was one before it lost its record or its experiment."""
    if (files.path / PUBLISHED).exists():
        return False
    if files.is_begun and files.experiment.is_file():
        return True
    return next(files.path.glob(f"**/{RECORD}"), None) is not None


def _row(root: Path, folder: Path) -> tuple[object, ...]:
    name = printable(folder.relative_to(root).as_posix())
    files = RunFolder(folder)
    try:
        if not is_utf8(str(folder.resolve())):
            raise DermaugError(f"{folder}: expected a name in UTF-8, found other bytes")
        record = RunRecord.read(files.record)
        answer = _answer(folder)
        kinds = (GENERATORS, TRIALS)
        generators, trials = (len(files.finished(record.jobs, kind)) for kind in kinds)
    except (DermaugError, OSError):  # the rights of one run do not hide the others
        return name, "unreadable", 0, 0, np.nan, NONE
    state, hours = "unfinished", np.nan
    if record.finished and generators + trials == len(record.jobs):
        ends = (datetime.fromisoformat(each) for each in (record.started, record.finished))
        started, finished = ends
        seconds = (finished - started).total_seconds()
        state, hours = "finished", seconds / 3600 if seconds >= 0 else np.nan
    return name, state, generators, trials, hours, answer


def _answer(folder: Path) -> str:
    """How many primary contrasts got which verdict; a dash before the run is scored.

    Those of arms with generated images come first; those of other arms are named as such.
    """
    if not (folder / FOLDER).exists():
        return NONE
    arms = read_run_experiment(folder).arms
    try:
        found = _contrasts(folder)
    except DermaugError:
        return "to be scored again"
    dosed = found["arm"].isin([arm.name for arm in arms if arm.is_synthetic])
    ours, others = _counts(found[dosed]), _counts(found[~dosed])
    return "; ".join([ours] * bool(ours) + [f"other arms: {others}"] * bool(others)) or NONE


def _counts(contrasts: pd.DataFrame) -> str:
    counts = contrasts["verdict"].value_counts()
    return ", ".join(f"{verdict} {count}" for verdict, count in counts.items())
