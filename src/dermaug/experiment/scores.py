"""Tables over the cells of a run: scores, scores by class, and paired differences of arms."""

import numpy as np
import pandas as pd

from dermaug.evaluation.discrimination import OVERALL, overall, per_class
from dermaug.evaluation.predictions import label_indices, probabilities_of
from dermaug.experiment.results import CellResult, RunResults

CELL = ["arm", "model", "fold", "seed"]


def score_cells(results: RunResults) -> pd.DataFrame:
    """One row a finished cell: arm, model, fold, seed, images, and each metric of the test part."""
    rows = []
    for cell in results.cells:
        test = held_out(cell)
        labels, probabilities = label_arrays(test, results)
        scores = overall(labels, probabilities)
        rows.append({**_coordinates(cell), "images": len(test), **scores})
    return pd.DataFrame(rows, columns=[*CELL, "images", *OVERALL])


def score_classes(results: RunResults) -> pd.DataFrame:
    """One row a finished cell and class: the columns of `per_class`, on the test part."""
    tables = []
    for cell in results.cells:
        table = per_class(*label_arrays(held_out(cell), results), results.catalog.classes)
        tables.append(pd.DataFrame(_coordinates(cell), index=table.index).join(table))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=CELL)


def paired_differences(scores: pd.DataFrame, reference_arm: str) -> pd.DataFrame:
    """Differences of every other arm to the reference, paired over (fold, seed).

    Args:
        scores: What `score_cells` gives.
        reference_arm: Name of the arm that is subtracted.

    Returns:
        One row a model, arm and metric: model, arm, reference, metric, mean_difference,
        sd_difference (NaN for one pair), pairs, folds, seeds. Cells without a partner are left out.
    """
    pair = ["model", "fold", "seed"]
    reference = scores[scores["arm"] == reference_arm].set_index(pair)[list(OVERALL)]
    rows = []
    for (model, arm), table in scores.groupby(["model", "arm"], sort=False):
        if arm == reference_arm:
            continue
        differences = (table.set_index(pair)[list(OVERALL)] - reference).reindex(
            reference.index.intersection(pd.MultiIndex.from_frame(table[pair]))
        )
        folds, seeds = (differences.index.get_level_values(name).nunique() for name in pair[1:])
        rows += [
            {
                "model": model,
                "arm": arm,
                "reference": reference_arm,
                "metric": metric,
                "mean_difference": differences[metric].mean(),
                "sd_difference": differences[metric].std(ddof=1),
                "pairs": len(differences),
                "folds": folds,
                "seeds": seeds,
            }
            for metric in OVERALL
            if len(differences)
        ]
    columns = ["model", "arm", "reference", "metric", "mean_difference", "sd_difference"]
    return pd.DataFrame(rows, columns=[*columns, "pairs", "folds", "seeds"])


def held_out(cell: CellResult) -> pd.DataFrame:
    """The predictions of a cell's test part."""
    return cell.predictions[cell.predictions["part"] == "test"]


def label_arrays(test: pd.DataFrame, results: RunResults) -> tuple[np.ndarray, np.ndarray]:
    """Label indices (n,) and probabilities (n, k) of some predictions."""
    classes = results.catalog.classes
    return label_indices(test, classes), probabilities_of(test, classes)


def _coordinates(cell: CellResult) -> dict[str, str | int]:
    return {"arm": cell.arm, "model": cell.model, "fold": cell.fold, "seed": cell.seed}
