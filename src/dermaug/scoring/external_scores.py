"""Scores on external data sets, apart from those of the study's own test part."""

from dataclasses import replace

import pandas as pd

from dermaug.experiment.run.results import RunResults
from dermaug.scoring.scores import coordinates, scores_of
from dermaug.scoring.verdicts import verdict_table
from dermaug.stats.hierarchy import RESAMPLES
from dermaug.stats.outcomes import EXPLORATORY


def score_external(results: RunResults) -> pd.DataFrame:
    """One row a trial and external data set.

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
    return pd.DataFrame(rows)


def compare_external(results: RunResults, resamples: int = RESAMPLES) -> pd.DataFrame:
    """Differences of arms on external data sets, with intervals.

    Every network of every fold answers the same external lesions: they are one fold, in which each
    (fold, seed) of the study is a training of its own.

    Args:
        results: The run.
        resamples: Number of draws of the bootstrap.

    Returns:
        data, then the columns of `verdict_table`, every row exploratory: external sets give no
        verdicts. Empty without external data.
    """
    tables = []
    for path in dict.fromkeys(path for trial in results.trials for path in trial.external):
        table = verdict_table(_as_one_fold(results, path), resamples)
        judged = table[table["family"] != ""].index
        table.loc[judged, "verdict"] = EXPLORATORY
        tables.append(table.drop(columns=["sentence", "p_holm", "p_equivalence"]).assign(data=path))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _as_one_fold(results: RunResults, path: str) -> RunResults:
    """The study as if an external data set were the test part of its only fold."""
    trials = [trial for trial in results.trials if path in trial.external]
    trainings = list(dict.fromkeys((trial.fold, trial.seed) for trial in trials))
    generators = list(dict.fromkeys((trial.fold, trial.generator_seed) for trial in trials))
    one = tuple(
        replace(
            trial,
            fold=0,
            seed=trainings.index((trial.fold, trial.seed)),
            generator_seed=None
            if trial.generator_seed is None
            else generators.index((trial.fold, trial.generator_seed)),
            predictions=trial.external[path],
        )
        for trial in trials
    )
    return replace(results, trials=one, reduced=())
