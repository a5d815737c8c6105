"""Scores on external data sets, apart from those of the study's own test part."""

from dataclasses import replace

import pandas as pd

from dermaug.evaluation.discrimination import overall
from dermaug.experiment.comparisons import compare_arms
from dermaug.experiment.curves import exploratory_doses
from dermaug.experiment.effects import RESAMPLES
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


def compare_external(results: RunResults, resamples: int = RESAMPLES) -> pd.DataFrame:
    """Differences of arms on external data sets, with intervals.

    Every network of every fold answers the same external lesions: they are one fold, in which each
    (fold, seed) of the study is a training of its own. Exploratory doses are left out.

    Args:
        results: The run.
        resamples: Number of draws of the bootstrap.

    Returns:
        data, then the columns of `compare_arms`; empty without external data.
    """
    unasked = exploratory_doses(results)
    tables = []
    for path in dict.fromkeys(path for cell in results.cells for path in cell.external):
        table = compare_arms(_as_one_fold(results, path), resamples)
        places = zip(table["model"], table["arm"], table["reference"], strict=True)
        judged = [not {(model, arm), (model, other)} & unasked for model, arm, other in places]
        tables.append(table[judged].assign(data=path))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _as_one_fold(results: RunResults, path: str) -> RunResults:
    """The study as if an external data set were the test part of its only fold."""
    cells = [cell for cell in results.cells if path in cell.external]
    trainings = list(dict.fromkeys((cell.fold, cell.seed) for cell in cells))
    generators = list(dict.fromkeys((cell.fold, cell.generator_seed) for cell in cells))
    one = tuple(
        replace(
            cell,
            fold=0,
            seed=trainings.index((cell.fold, cell.seed)),
            generator_seed=None
            if cell.generator_seed is None
            else generators.index((cell.fold, cell.generator_seed)),
            predictions=cell.external[path],
        )
        for cell in cells
    )
    return replace(results, cells=one, reduced=())
