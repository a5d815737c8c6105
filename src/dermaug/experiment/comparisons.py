"""Comparisons of arms with an interval: a bootstrap over lesions of the pooled test predictions."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import pandas as pd
from jaxtyping import Float

from dermaug.evaluation.discrimination import FROM_COUNTS, rates
from dermaug.experiment.results import CellResult, RunResults
from dermaug.experiment.scores import held_out, label_arrays, paired_differences, score_cells
from dermaug.stats.bootstrap import percentile_interval, resampled_totals

RESAMPLES = 2_000
INTERVAL = ("pooled_difference", "low", "high", "lesions", "images")
Cells = dict[tuple[int, int], CellResult]  # (fold, seed) -> cell


def contrasts(results: RunResults) -> list[tuple[str, str]]:
    """Pairs (arm, reference) worth comparing, in the experiment's order.

    Every arm is compared with the first. A synthetic arm is also compared with the arm that has
    its classic augmentation but no synthetic images: only that difference is owed to the images.
    """
    arms = results.experiment.arms
    pairs = []
    for arm in arms:
        if arm is not arms[0]:
            pairs.append((arm.name, arms[0].name))
        if (control := control_arm(results, arm.name)) and (arm.name, control) not in pairs:
            pairs.append((arm.name, control))
    return pairs


def control_arm(results: RunResults, name: str) -> str | None:
    """The arm that differs from a synthetic arm in the synthetic images only; None without one."""
    arms = {arm.name: arm for arm in results.experiment.arms}
    if arms[name].synthetic is None:
        return None
    alike = (
        arm.name
        for arm in arms.values()
        if arm.synthetic is None and arm.policy == arms[name].policy
    )
    return next(alike, None)


def compare_arms(results: RunResults, resamples: int = RESAMPLES) -> pd.DataFrame:
    """Every contrast, model and metric, with an interval where one can be given.

    The interval is a percentile bootstrap over lesions: the test predictions of all folds are
    pooled for each seed, the metric is taken on the pool and averaged over seeds, and both arms
    see the same draws. It covers the choice of test lesions, given the networks as trained.

    Returns:
        The columns of `paired_differences`, then pooled_difference, low, high (95 %), lesions and
        images of the pool; NaN for metrics that are not computed from counts (AUC, kappa).
    """
    scores = score_cells(results)
    tables = []
    for arm, reference in contrasts(results):
        table = paired_differences(scores, reference)
        for model, rows in table[table["arm"] == arm].groupby("model", sort=False):
            pooled = pooled_differences(results, str(model), arm, reference, resamples)
            tables.append(rows.merge(pooled, on="metric", how="left"))
    if not tables:
        empty = paired_differences(scores.head(0), results.experiment.arms[0].name)
        return empty.reindex(columns=[*empty.columns, *INTERVAL])
    return pd.concat(tables, ignore_index=True)


def pooled_differences(
    results: RunResults, model: str, arm: str, reference: str, resamples: int = RESAMPLES
) -> pd.DataFrame:
    """Difference arm - reference of the pooled test predictions, by metric of `FROM_COUNTS`.

    Returns:
        One row a metric: metric, pooled_difference, low, high, lesions, images.
    """
    first, second = (_cells_of(results, model, name) for name in (arm, reference))
    shared = sorted(first.keys() & second.keys(), key=lambda pair: (pair[1], pair[0]))
    lesions = pd.Index(sorted({*_lesions(first, shared), *_lesions(second, shared)}))
    seeds = [list(group) for _, group in groupby(shared, key=lambda pair: pair[1])]
    counts = np.stack(  # (lesions, arms, seeds, k, k)
        [
            np.stack([_lesion_counts(cells, pairs, lesions, results) for pairs in seeds], axis=1)
            for cells in (first, second)
        ],
        axis=1,
    )
    pooled = _arm_difference(counts.sum(axis=0))
    drawn = _arm_difference(resampled_totals(counts, resamples))
    images = {image for pair in shared for image in held_out(first[pair])["image_id"]}
    rows = [
        (metric, float(pooled[metric]), *percentile_interval(drawn[metric]))
        for metric in FROM_COUNTS
    ]
    table = pd.DataFrame(rows, columns=["metric", *INTERVAL[:3]])
    return table.assign(lesions=len(lesions), images=len(images))


def _arm_difference(counts: Float[np.ndarray, "... a s k k"]) -> dict[str, np.ndarray]:
    """First arm minus second, averaged over seeds."""
    by_arm = {name: values.mean(axis=-1) for name, values in rates(counts).items()}
    return {name: values[..., 0] - values[..., 1] for name, values in by_arm.items()}


def _lesion_counts(
    cells: Cells,
    pairs: Sequence[tuple[int, int]],
    lesions: pd.Index,
    results: RunResults,
) -> Float[np.ndarray, "g k k"]:
    """Confusion matrix of each lesion over some cells' test parts."""
    num_classes = results.catalog.num_classes
    test = pd.concat([held_out(cells[pair]) for pair in pairs])
    labels, probabilities = label_arrays(test, results)
    entries = labels * num_classes + probabilities.argmax(axis=1)
    groups = lesions.get_indexer(pd.Index(test["lesion_id"])) * num_classes**2 + entries
    flat = np.bincount(groups, minlength=len(lesions) * num_classes**2)
    return flat.reshape(len(lesions), num_classes, num_classes).astype(np.float64)


def _lesions(cells: Cells, pairs: Sequence[tuple[int, int]]) -> set[str]:
    return {lesion for pair in pairs for lesion in held_out(cells[pair])["lesion_id"]}


def _cells_of(results: RunResults, model: str, arm: str) -> Cells:
    return {
        (cell.fold, cell.seed): cell
        for cell in results.cells
        if (cell.model, cell.arm) == (model, arm)
    }
