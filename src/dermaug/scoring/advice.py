"""Advice for each class: a sentence that a user can act on, no stronger than the verdict."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from dermaug.experiment.plan.comparisons import BASELINE
from dermaug.experiment.run.results import RunResults
from dermaug.scoring.verdict_words import signed
from dermaug.stats.outcomes import EQUIVALENT, FEWEST_GROUPS, HELPS, HURTS, NOT_JUDGED
from dermaug.stats.trainings import GROUPS_ONLY

COLUMNS = ("model", "arm", "reference", "label", "per_real", "verdict", "sentence")


def advice(results: RunResults, verdicts: pd.DataFrame) -> pd.DataFrame:
    """One row per classifier, judged arm with generated images, and class.

    Args:
        results: The run.
        verdicts: Returned by `verdict_table`.

    Returns:
        The columns of `COLUMNS`; per_real is the number of synthetic images added per real
        training image of the class, mean over trials.
    """
    synthetic = {arm.name for arm in results.experiment.arms if arm.is_synthetic}
    judged = verdicts[
        (verdicts["family"] == "class sensitivity")
        & (verdicts["role"] == BASELINE)
        & verdicts["arm"].isin(synthetic)
    ]
    added = {
        (model, arm): _added(results, str(model), str(arm))
        for model, arm in judged[["model", "arm"]].drop_duplicates().itertuples(index=False)
    }
    rows = []
    for row in judged.to_dict("records"):
        share = added[row["model"], row["arm"]][row["scope"]]
        words = class_sentence(row, share)
        place = (row["model"], row["arm"], row["reference"], row["scope"])
        rows.append((*place, share, row["verdict"], words))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def class_sentence(row: Mapping[Any, Any], per_real: float) -> str:
    """Put the verdict on the sensitivity of one class into a sentence for the owner of the data.

    Args:
        row: A row of the verdict table.
        per_real: Synthetic images of the class per real one.
    """
    label = row["scope"]
    images = f"{per_real:.2g} synthetic images per real one"
    if np.isnan(row["difference"]) or row["num_groups"] < FEWEST_GROUPS:
        return f"{label}: cannot be told with {row['num_groups']} {GROUPS_ONLY}."
    if row["verdict"] == NOT_JUDGED:
        return f"{label}: cannot be told from one training per arm."
    change = f"prior-adjusted sensitivity {signed(row['difference'])}"
    change += f", 95 % interval {signed(row['low'])} to {signed(row['high'])}"
    if not per_real:
        return f"{label}: got no synthetic images of its own; {row['verdict']} ({change})."
    if row["verdict"] == HELPS:
        return f"{label}: gains with this dose ({images}; {change})."
    if row["verdict"] == HURTS:
        return f"{label}: loses with this dose, do not use it ({images}; {change})."
    if row["verdict"] == EQUIVALENT:
        margin = f"{row['margin']:g}"
        return f"{label}: this dose is harmless within {margin} ({images}; {change})."
    shown = f"{row['verdict']} with {row['num_groups']:,} {GROUPS_ONLY}"
    return f"{label}: {shown} ({images}; {change})."


def _added(results: RunResults, model: str, arm: str) -> dict[str, float]:
    """Map each label to the synthetic images added per real training image, mean over trials."""
    counts = [trial.record.train_counts for trial in results.trials_of(model, arm)]
    return {
        label: float(np.mean([each[label].synthetic / max(each[label].real, 1) for each in counts]))
        for label in results.catalog.classes
    }
