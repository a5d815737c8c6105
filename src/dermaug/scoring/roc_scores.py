"""Confusion matrices and ROC curves of every classifier and arm, over all trials."""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from dermaug.evaluation.discrimination import confusion, roc
from dermaug.experiment.run.results import RunResults, TrialResult
from dermaug.scoring.scores import adjusted, joined, label_arrays, on_test

CONFUSION = ("true", "predicted", "predictions", "model", "arm")
ROC = ("false_positive_rate", "sensitivity", "auc", "trials", "model", "arm", "label")
FALSE_POSITIVE_RATES = np.linspace(0.0, 1.0, 101)


def score_confusion(results: RunResults) -> pd.DataFrame:
    """One row per classifier, arm, true and predicted class (argmax).

    Returns:
        true, predicted, predictions (sum over the test splits of all folds and seeds), model, arm.
    """
    classes, tables = list(results.catalog.classes), []
    for model, arm, trials in grouped_trials(results):
        arrays = [label_arrays(on_test(trial), results) for trial in trials]
        counts = np.sum([confusion(*each) for each in arrays], axis=0)
        frame = pd.DataFrame(counts, columns=classes).assign(true=classes)
        long = frame.melt("true", var_name="predicted", value_name="predictions")
        tables.append(long.assign(model=model, arm=arm))
    return joined(tables, CONFUSION)


def score_roc(results: RunResults) -> pd.DataFrame:
    """ROC curves of each class against the rest at the uniform prior, mean over trials.

    Returns:
        The columns of `mean_roc`, model, arm, label.
    """
    tables = [
        mean_roc(trials, index, results).assign(model=model, arm=arm, label=label)
        for model, arm, trials in grouped_trials(results)
        for index, label in enumerate(results.catalog.classes)
    ]
    return joined(tables, ROC)


def mean_roc(trials: Iterable[TrialResult], index: int, results: RunResults) -> pd.DataFrame:
    """Average the ROC curves of some trials at equal false-positive rates.

    Returns:
        false_positive_rate, sensitivity, auc (mean area under the curves, by trapezoids), trials;
        empty when no trial's test split has the class.
    """
    curves = []
    for trial in trials:
        labels, probabilities = label_arrays(on_test(trial), results)
        curves.append(roc(labels, adjusted(trial, probabilities, results), index))
    found = [curve for curve in curves if curve is not None]
    if not found:
        return pd.DataFrame(columns=["false_positive_rate", "sensitivity", "auc", "trials"])
    sampled = [
        np.interp(FALSE_POSITIVE_RATES, curve.false_positive_rate, curve.sensitivity)
        for curve in found
    ]
    areas = [np.trapezoid(curve.sensitivity, curve.false_positive_rate) for curve in found]
    return pd.DataFrame(
        {
            "false_positive_rate": FALSE_POSITIVE_RATES,
            "sensitivity": np.mean(sampled, axis=0),
            "auc": np.mean(areas),
            "trials": len(found),
        }
    )


def grouped_trials(results: RunResults) -> Iterator[tuple[str, str, list[TrialResult]]]:
    """Yield (classifier, arm, finished trials), in the experiment's order, none empty."""
    for model in (classifier.key for classifier in results.experiment.classifiers):
        for arm in (arm.name for arm in results.experiment.arms):
            if trials := results.trials_of(model, arm):
                yield model, arm, trials
