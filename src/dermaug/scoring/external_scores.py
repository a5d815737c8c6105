"""Scores on external data sets, kept apart from those on the study's own test split."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from dermaug.evaluation.discrimination import OVERALL
from dermaug.evaluation.readouts import OVERALL_ADJUSTED
from dermaug.experiment.run.results import RunResults
from dermaug.scoring.points import Point, point_of
from dermaug.scoring.scores import TRIAL, coordinates, joined, scores_of
from dermaug.scoring.verdicts import COLUMNS, verdict_table

DIFFERENCES = (*COLUMNS, "data")


def score_external(results: RunResults) -> pd.DataFrame:
    """One row per trial and external data set.

    Returns:
        data, arm, model, fold, seed, images, and the overall metrics; empty without external data.
    """
    rows = [
        {
            "data": path,
            **coordinates(trial),
            "images": len(predictions),
            **scores_of(trial, predictions, results),
        }
        for trial in results.trials
        for path, predictions in trial.external.items()
    ]
    columns = ["data", *TRIAL, "images", *OVERALL, *OVERALL_ADJUSTED]
    return pd.DataFrame(rows, columns=columns)


def compare_external(point: Point) -> pd.DataFrame:
    """Compare arms on external data sets, with intervals and verdicts.

    The networks of all folds predict the same external lesions. The external data therefore count
    as one fold, in which each (fold, seed) of the study is a separate training.

    Args:
        point: The study on its own test split.

    Returns:
        The columns of `verdict_table` and data. Holm's adjustment uses separate families for each
        data set. Empty without external data.
    """
    tables = []
    for path in dict.fromkeys(path for trial in point.results.trials for path in trial.external):
        one = _as_one_fold(point.results, path)
        table = verdict_table(point_of(one, point.resamples, point.doses))
        sentences = [f"On {Path(path).name}: {words}" for words in table["sentence"]]
        tables.append(table.assign(data=path, sentence=sentences))
    return joined(tables, DIFFERENCES)


def _as_one_fold(results: RunResults, path: str) -> RunResults:
    """Present the study as if an external data set were the test split of its only fold."""
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
            predictions=trial.external[path],
        )
        for trial in trials
    )
    return replace(results, trials=one, reduced=())
