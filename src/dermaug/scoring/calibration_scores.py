"""Tables over the trials of a run: calibration on test, with a temperature from validation."""

import numpy as np
import pandas as pd

from dermaug.evaluation.calibration import (
    SCORES,
    calibration_scores,
    fit_temperature,
    reliability_bins,
    with_temperature,
)
from dermaug.experiment.run.results import RunResults, TrialResult
from dermaug.scoring.scores import TRIAL, joined, label_arrays, natural, on_test, on_validation

SCALED = tuple(f"{name}_scaled" for name in SCORES)


def score_calibration(results: RunResults) -> pd.DataFrame:
    """One row per finished trial, on the test split, at the natural prevalence.

    Arms differ in the class shares they are shown; at the prevalence of the fold's training split,
    their probabilities are comparable.

    Returns:
        arm, model, fold, seed, images; ece, brier and nll; temperature, fitted on validation;
        ece_scaled, brier_scaled and nll_scaled after it.
    """
    rows: list[dict[str, object]] = []
    for trial in results.trials:
        labels, probabilities = _naturally(trial, on_test(trial), results)
        temperature = fit_temperature(*_naturally(trial, on_validation(trial), results))
        scaled = calibration_scores(labels, with_temperature(probabilities, temperature))
        rows.append(
            {
                **trial.record.coordinates,
                "images": len(labels),
                **calibration_scores(labels, probabilities),
                "temperature": temperature,
                **{f"{name}_scaled": value for name, value in scaled.items()},
            }
        )
    return pd.DataFrame(rows, columns=[*TRIAL, "images", *SCORES, "temperature", *SCALED])


def reliability(results: RunResults) -> pd.DataFrame:
    """One row per model, arm and bin of the confidence, test splits of all trials together.

    Returns:
        model, arm and the columns of `reliability_bins`; an image counts once per seed.
    """
    tables = []
    for model, arm in dict.fromkeys((trial.model, trial.arm) for trial in results.trials):
        trials = results.trials_of(model, arm)
        parts = [_naturally(trial, on_test(trial), results) for trial in trials]
        labels, probabilities = (np.concatenate(each) for each in zip(*parts, strict=True))
        bins = reliability_bins(labels, probabilities)
        tables.append(bins.assign(model=model, arm=arm))
    columns = ["model", "arm", "low", "high", "images", "confidence", "accuracy"]
    return joined(tables, columns)


def _naturally(
    trial: TrialResult, table: pd.DataFrame, results: RunResults
) -> tuple[np.ndarray, np.ndarray]:
    labels, probabilities = label_arrays(table, results)
    return labels, natural(trial, probabilities, results)
