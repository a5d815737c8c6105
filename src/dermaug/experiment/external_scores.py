"""Scores on external data sets, apart from those of the study's own test part."""

import pandas as pd

from dermaug.evaluation.discrimination import overall
from dermaug.experiment.results import RunResults
from dermaug.experiment.scores import label_arrays


def score_external(results: RunResults) -> pd.DataFrame:
    """One row a cell and external data set.

    Returns:
        data, arm, model, fold, seed, images, and the overall metrics; empty without external data.
    """
    rows = []
    for cell in results.cells:
        for path, predictions in cell.external.items():
            scores = overall(*label_arrays(predictions, results))
            place = {"arm": cell.arm, "model": cell.model, "fold": cell.fold, "seed": cell.seed}
            rows.append({"data": path} | place | {"images": len(predictions)} | scores)
    return pd.DataFrame(rows)
