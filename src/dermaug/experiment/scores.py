"""Tables over the cells of a run: scores and scores by class, in every readout."""

import numpy as np
import pandas as pd
from jaxtyping import Float

from dermaug.evaluation.discrimination import OVERALL, aucs, mean_defined, overall, per_class
from dermaug.evaluation.predictions import label_indices, probabilities_of
from dermaug.evaluation.readouts import at_prevalence, prior_adjusted, prior_array
from dermaug.experiment.results import CellResult, RunResults

CELL = ["arm", "model", "fold", "seed"]
ADJUSTED = ("balanced_accuracy_adjusted", "mean_specificity_adjusted")
"""Metrics of the decisions after the prior is taken out; `macro_auc` is at the uniform prior."""


def score_cells(results: RunResults) -> pd.DataFrame:
    """One row per finished cell: arm, model, fold, seed, images, and each metric of the test part.

    The metrics of `OVERALL` are those of the decisions at argmax, but for `macro_auc`; those of
    `ADJUSTED` are prior-adjusted.
    """
    rows = [
        {
            **coordinates(cell),
            "images": len(held_out(cell)),
            **scores_of(cell, held_out(cell), results),
        }
        for cell in results.cells
    ]
    return pd.DataFrame(rows, columns=[*CELL, "images", *OVERALL, *ADJUSTED])


def scores_of(cell: CellResult, table: pd.DataFrame, results: RunResults) -> dict[str, float]:
    """All overall metrics of some predictions of a cell."""
    labels, probabilities = label_arrays(table, results)
    even = adjusted(cell, probabilities, results)
    found = overall(labels, probabilities)
    again = overall(labels, even)
    found["macro_auc"] = again["macro_auc"]
    return found | {name: again[name.removesuffix("_adjusted")] for name in ADJUSTED}


def score_classes(results: RunResults) -> pd.DataFrame:
    """One row per finished cell and class, on the test part.

    Returns:
        The coordinates, the columns of `per_class` at argmax, with `auc` and `average_precision` at
        the uniform prior, and sensitivity_adjusted and specificity_adjusted.
    """
    tables = []
    for cell in results.cells:
        labels, probabilities = label_arrays(held_out(cell), results)
        table, even = (
            per_class(labels, each, results.catalog.classes)
            for each in (probabilities, adjusted(cell, probabilities, results))
        )
        for name in ("auc", "average_precision"):
            table[name] = even[name]
        for name in ("sensitivity", "specificity"):
            table[f"{name}_adjusted"] = even[name]
        tables.append(pd.DataFrame(coordinates(cell), index=table.index).join(table))
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
