"""Tables over the cells of a run: calibration on test, with a temperature from validation."""

import pandas as pd

from dermaug.evaluation.calibration import (
    SCORES,
    calibration_scores,
    fit_temperature,
    reliability_bins,
    with_temperature,
)
from dermaug.experiment.results import CellResult, RunResults
from dermaug.experiment.scores import CELL, held_out, label_arrays

SCALED = tuple(f"{name}_scaled" for name in SCORES)


def score_calibration(results: RunResults) -> pd.DataFrame:
    """One row a finished cell, on the test part.

    Returns:
        arm, model, fold, seed, images; ece, brier and nll as the classifier gave its
        probabilities; temperature, fitted on validation; ece_scaled, brier_scaled and nll_scaled
        after it.
    """
    rows = []
    for cell in results.cells:
        labels, probabilities = label_arrays(held_out(cell), results)
        temperature = fit_temperature(*label_arrays(validated(cell), results))
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
    """One row a model, arm and bin of the confidence, test parts of all cells together.

    Returns:
        model, arm and the columns of `reliability_bins`; an image counts once a seed.
    """
    tables = []
    for model, arm in dict.fromkeys((cell.model, cell.arm) for cell in results.cells):
        cells = [cell for cell in results.cells if (cell.model, cell.arm) == (model, arm)]
        test = pd.concat([held_out(cell) for cell in cells])
        bins = reliability_bins(*label_arrays(test, results))
        tables.append(bins.assign(model=model, arm=arm))
    columns = ["model", "arm", "low", "high", "images", "confidence", "accuracy"]
    return (
        pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)
    )


def validated(cell: CellResult) -> pd.DataFrame:
    """The predictions of a cell's validation part."""
    return cell.predictions[cell.predictions["part"] == "validation"]
