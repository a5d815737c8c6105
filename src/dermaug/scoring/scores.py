"""Tables over the cells of a run: scores and scores by class, in every readout."""

import numpy as np
import pandas as pd
from jaxtyping import Float

from dermaug.evaluation.discrimination import OVERALL, aucs, mean_defined, overall
from dermaug.evaluation.predictions import label_indices, probabilities_of
from dermaug.evaluation.readouts import (
    OVERALL_ADJUSTED,
    at_prevalence,
    overall_read,
    per_class_read,
    prior_adjusted,
    prior_array,
)
from dermaug.experiment.run.results import CellResult, RunResults

CELL = ["arm", "model", "fold", "seed"]


def score_cells(results: RunResults) -> pd.DataFrame:
    """One row per finished cell: its coordinates, images, and the metrics of `overall_read`."""
    rows = [
        {**coordinates(cell), "images": len(test), **scores_of(cell, test, results)}
        for cell in results.cells
        for test in [held_out(cell)]
    ]
    return pd.DataFrame(rows, columns=[*CELL, "images", *OVERALL, *OVERALL_ADJUSTED])


def scores_of(cell: CellResult, table: pd.DataFrame, results: RunResults) -> dict[str, float]:
    """All overall metrics of some predictions of a cell."""
    return overall_read(*label_arrays(table, results), prior_of(cell, results))


def score_classes(results: RunResults) -> pd.DataFrame:
    """One row per finished cell and class, on the test part: the columns of `per_class_read`."""
    classes = results.catalog.classes
    tables = [
        table.assign(**coordinates(cell))[[*CELL, *table.columns]]
        for cell in results.cells
        for table in [
            per_class_read(*label_arrays(held_out(cell), results), prior_of(cell, results), classes)
        ]
    ]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=CELL)


def primary_on_validation(cell: CellResult, results: RunResults) -> float:
    """The study's primary metric on a cell's validation part, which picks doses."""
    labels, probabilities = label_arrays(validated(cell), results)
    even = adjusted(cell, probabilities, results)
    if results.experiment.verdict.primary == "macro_auc":
        areas = aucs(labels, even)
        return float(mean_defined(areas, ~np.isnan(areas)))
    return overall(labels, even)["balanced_accuracy"]


def held_out(cell: CellResult) -> pd.DataFrame:
    """The predictions of a cell's test part."""
    return cell.predictions[cell.predictions["part"] == "test"]


def validated(cell: CellResult) -> pd.DataFrame:
    """The predictions of a cell's validation part."""
    return cell.predictions[cell.predictions["part"] == "validation"]


def label_arrays(table: pd.DataFrame, results: RunResults) -> tuple[np.ndarray, np.ndarray]:
    """Label indices (n,) and probabilities (n, k) of some predictions."""
    classes = results.catalog.classes
    return label_indices(table, classes), probabilities_of(table, classes)


def adjusted(
    cell: CellResult, probabilities: Float[np.ndarray, "n k"], results: RunResults
) -> Float[np.ndarray, "n k"]:
    """A cell's probabilities brought to the uniform prior."""
    return prior_adjusted(probabilities, prior_of(cell, results))


def natural(
    cell: CellResult, probabilities: Float[np.ndarray, "n k"], results: RunResults
) -> Float[np.ndarray, "n k"]:
    """A cell's probabilities at the natural prevalence: that of its fold's real training images."""
    (fold,) = (fold for fold in results.folds if fold.index == cell.fold)
    labels = results.catalog.labels[results.catalog.rows(fold.train)]
    prevalence = np.bincount(labels, minlength=results.catalog.num_classes) / len(labels)
    return at_prevalence(probabilities, prior_of(cell, results), prevalence)


def prior_of(cell: CellResult, results: RunResults) -> Float[np.ndarray, " k"]:
    """The prior that a cell's loss saw, in the order of the classes."""
    return prior_array(cell.manifest["prior"], results.catalog.classes)


def coordinates(cell: CellResult) -> dict[str, str | int]:
    """Arm, model, fold and seed of a cell."""
    return {"arm": cell.arm, "model": cell.model, "fold": cell.fold, "seed": cell.seed}
