"""Scores of the trials of a run, overall and by class, in every readout."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from dermaug.config import Experiment
from dermaug.evaluation.discrimination import OVERALL, aucs, mean_defined, overall
from dermaug.evaluation.predictions import label_indices, probabilities_of
from dermaug.evaluation.readouts import (
    ADJUSTED,
    AUC,
    OVERALL_ADJUSTED,
    at_prevalence,
    overall_read,
    per_class_read,
    prior_adjusted,
    prior_array,
)
from dermaug.experiment.run.results import RunResults, TrialResult
from dermaug.stats.metrics import ALL, Metric

TRIAL = ["arm", "model", "fold", "seed"]
CLASS_COLUMNS = (
    *("label", "support", "sensitivity", "specificity", "ppv", "npv", "f1", "auc"),
    *("average_precision", "sensitivity_adjusted", "specificity_adjusted"),
)


def score_trials(results: RunResults) -> pd.DataFrame:
    """One row per finished trial: its coordinates, images, and the metrics of `overall_read`."""
    rows = [
        {**trial.record.coordinates, "images": len(test), **scores_of(trial, test, results)}
        for trial in results.trials
        for test in [on_test(trial)]
    ]
    return pd.DataFrame(rows, columns=[*TRIAL, "images", *OVERALL, *OVERALL_ADJUSTED])


def scores_of(trial: TrialResult, table: pd.DataFrame, results: RunResults) -> dict[str, float]:
    """All overall metrics of a table of predictions of a trial."""
    return overall_read(*label_arrays(table, results), prior_of(trial, results))


def score_classes(results: RunResults) -> pd.DataFrame:
    """One row per finished trial and class, on the test split: the columns of `per_class_read`."""
    classes, tables = results.catalog.classes, []
    for trial in results.trials:
        tested = label_arrays(on_test(trial), results)
        table = per_class_read(*tested, prior_of(trial, results), classes)
        tables.append(table.assign(**trial.record.coordinates))
    return joined(tables, [*TRIAL, *CLASS_COLUMNS])


def joined(tables: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """Concatenate tables; without any, return an empty table with the given columns."""
    if not tables:
        return pd.DataFrame(columns=list(columns))
    return pd.concat(tables, ignore_index=True)[list(columns)]


def primary_metric(experiment: Experiment) -> Metric:
    """The study's primary metric: mean sensitivity, prior-adjusted, or macro AUC."""
    name = experiment.verdict.primary
    return Metric(AUC if name == "macro_auc" else ADJUSTED, ALL, name)


def primary_words(experiment: Experiment) -> str:
    """Name of the primary metric, which is also the family of its verdicts."""
    return "macro AUC" if primary_metric(experiment).readout == AUC else "mean sensitivity"


def primary_rows(verdicts: pd.DataFrame, experiment: Experiment) -> pd.DataFrame:
    """Rows of the verdict table for the study's primary metric, judged and exploratory."""
    wanted = primary_metric(experiment)
    return verdicts[(verdicts[list(Metric._fields)] == list(wanted)).all(axis=1)]


def primary_on_validation(trial: TrialResult, results: RunResults) -> float:
    """The study's primary metric on a trial's validation split, used to select doses."""
    labels, probabilities = label_arrays(on_validation(trial), results)
    even = adjusted(trial, probabilities, results)
    if results.experiment.verdict.primary == "macro_auc":
        areas = aucs(labels, even)
        return float(mean_defined(areas))
    return overall(labels, even)["balanced_accuracy"]


def on_test(trial: TrialResult) -> pd.DataFrame:
    """The predictions of a trial's test split."""
    return trial.predictions[trial.predictions["part"] == "test"]


def on_validation(trial: TrialResult) -> pd.DataFrame:
    """The predictions of a trial's validation split."""
    return trial.predictions[trial.predictions["part"] == "validation"]


def label_arrays(table: pd.DataFrame, results: RunResults) -> tuple[np.ndarray, np.ndarray]:
    """Label indices (n,) and probabilities (n, k) of a table of predictions."""
    classes = results.catalog.classes
    return label_indices(table, classes), probabilities_of(table, classes)


def adjusted(
    trial: TrialResult, probabilities: Float[np.ndarray, "n k"], results: RunResults
) -> Float[np.ndarray, "n k"]:
    """Adjust a trial's probabilities to the uniform prior."""
    return prior_adjusted(probabilities, prior_of(trial, results))


def natural(
    trial: TrialResult, probabilities: Float[np.ndarray, "n k"], results: RunResults
) -> Float[np.ndarray, "n k"]:
    """Adjust a trial's probabilities to the prevalence in its fold's real training split."""
    (fold,) = (fold for fold in results.folds if fold.index == trial.fold)
    labels = results.catalog.labels[results.catalog.rows(fold.train)]
    prevalence = np.bincount(labels, minlength=results.catalog.num_classes) / len(labels)
    return at_prevalence(probabilities, prior_of(trial, results), prevalence)


def prior_of(trial: TrialResult, results: RunResults) -> Float[np.ndarray, " k"]:
    """The prior seen by a trial's loss, in the order of the classes."""
    return prior_array(trial.record.prior, results.catalog.classes)
