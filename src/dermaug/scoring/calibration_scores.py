"""Tables over the cells of a run: calibration on test, with a temperature from validation."""

import numpy as np
import pandas as pd

from dermaug.evaluation.calibration import (
    SCORES,
    calibration_scores,
    fit_temperature,
    reliability_bins,
    with_temperature,
)
from dermaug.experiment.run.results import CellResult, RunResults
from dermaug.scoring.scores import CELL, held_out, label_arrays, natural, validated

SCALED = tuple(f"{name}_scaled" for name in SCORES)


def score_calibration(results: RunResults) -> pd.DataFrame:
    """One row per finished cell, on the test part, at the natural prevalence.

    Arms are shown other mixes of classes; brought to the prevalence of the fold's training part,
    their probabilities mean the same.

    Returns:
        arm, model, fold, seed, images; ece, brier and nll; temperature, fitted on validation;
        ece_scaled, brier_scaled and nll_scaled after it.
    """
    rows = []
    for cell in results.cells:
        labels, probabilities = _naturally(cell, held_out(cell), results)
        temperature = fit_temperature(*_naturally(cell, validated(cell), results))
        scaled = calibration_scores(labels, with_temperature(probabilities, temperature))
        rows.append(
            {
                **{name: getattr(cell, name) for name in CELL},
                "images": len(labels),
                **calibration_scores(labels, probabilities),
                "temperature": temperature,
                **{f"{name}_scaled": value for name, value in scaled.items()},
            }
        )
    return pd.DataFrame(rows, columns=[*CELL, "images", *SCORES, "temperature", *SCALED])


def reliability(results: RunResults) -> pd.DataFrame:
    """One row per model, arm and bin of the confidence, test parts of all cells together.

    Returns:
        model, arm and the columns of `reliability_bins`; an image counts once per seed.
    """
    tables = []
    for model, arm in dict.fromkeys((cell.model, cell.arm) for cell in results.cells):
        cells = [cell for cell in results.cells if (cell.model, cell.arm) == (model, arm)]
        parts = [_naturally(cell, held_out(cell), results) for cell in cells]
        labels, probabilities = (np.concatenate(each) for each in zip(*parts, strict=True))
        bins = reliability_bins(labels, probabilities)
        tables.append(bins.assign(model=model, arm=arm))
    columns = ["model", "arm", "low", "high", "images", "confidence", "accuracy"]
    return (
        pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)
    )


def _naturally(
    cell: CellResult, table: pd.DataFrame, results: RunResults
) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and probabilities at the natural prevalence."""
    labels, probabilities = label_arrays(table, results)
    return labels, natural(cell, probabilities, results)
