"""Scores on external data sets, kept apart from those on the study's own test split."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from dermaug.evaluation.discrimination import OVERALL
from dermaug.evaluation.readouts import OVERALL_ADJUSTED
from dermaug.experiment.run.results import RunResults
from dermaug.scoring.decisions import COLUMNS as DECISIONS
from dermaug.scoring.decisions import decisions
from dermaug.scoring.points import Point, point_of
from dermaug.scoring.scores import TRIAL, joined, on_validation, scores_of
from dermaug.scoring.verdicts import COLUMNS, verdict_table
from dermaug.stats.target_metrics import CALIBRATION

DIFFERENCES = (*COLUMNS, "data")
EXTERNAL_DECISIONS = (*DECISIONS, "data")


def score_external(results: RunResults) -> pd.DataFrame:
    """One row per trial and external data set.

    Returns:
        data, arm, model, fold, seed, images, and the overall metrics; empty without external data.
    """
    rows = [
        {
            "data": path,
            **trial.record.coordinates,
            "images": len(predictions),
            **scores_of(trial, predictions, results),
        }
        for trial in results.trials
        for path, predictions in trial.external.items()
    ]
    columns = ["data", *TRIAL, "images", *OVERALL, *OVERALL_ADJUSTED]
    return pd.DataFrame(rows, columns=columns)


def compare_external(points: Mapping[str, Point]) -> pd.DataFrame:
    """Compare arms on external data sets, with intervals and verdicts.

    The networks of all folds predict the same external lesions. The external data therefore count
    as one fold, in which each (fold, seed) of the study is a separate training.

    Returns:
        The columns of `verdict_table` and data. Holm's adjustment uses separate families for each
        data set. Empty without external data.
    """
    tables = []
    for path, external in points.items():
        table = verdict_table(external)
        sentences = [f"On {Path(path).name}: {words}" for words in table["sentence"]]
        tables.append(table.assign(data=path, sentence=sentences))
    return joined(tables, DIFFERENCES)


def external_decisions(points: Mapping[str, Point]) -> pd.DataFrame:
    """Areas, operating points and predictive values on external data sets, with intervals.

    Thresholds are those that each network has from its own validation split. Calibration is left
    out: the prevalence of the training split says nothing about other data.

    Returns:
        The columns of `decisions` and data. Empty without external data.
    """
    tables = [decisions(external).assign(data=path) for path, external in points.items()]
    table = joined(tables, EXTERNAL_DECISIONS)
    return table[table["readout"] != CALIBRATION].reset_index(drop=True)


def external_points(point: Point) -> dict[str, Point]:
    """External data set -> the study as if that were its test split; empty without any."""
    paths = dict.fromkeys(path for trial in point.results.trials for path in trial.external)
    return {
        path: point_of(_as_one_fold(point.results, path), point.resamples, point.doses)
        for path in paths
    }


def _as_one_fold(results: RunResults, path: str) -> RunResults:
    """Present the study as if an external data set were the test split of its only fold.

    Every network keeps the validation split that chose its thresholds.
    """
    trials = [trial for trial in results.trials if path in trial.external]
    trainings = list(dict.fromkeys((trial.fold, trial.seed) for trial in trials))
    generators = list(dict.fromkeys((trial.fold, trial.generator_seed) for trial in trials))
    one = tuple(
        replace(
            trial,
            record=trial.record.model_copy(
                update={
                    "fold": 0,
                    "seed": trainings.index((trial.fold, trial.seed)),
                    "generator_seed": None
                    if trial.generator_seed is None
                    else generators.index((trial.fold, trial.generator_seed)),
                }
            ),
            predictions=pd.concat([on_validation(trial), trial.external[path]], ignore_index=True),
        )
        for trial in trials
    )
    fold = replace(results.folds[0], index=0)
    return replace(results, trials=one, folds=(fold,), reduced=())
