"""Advice for each class: a sentence that a user can act on, no stronger than the verdict."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dermaug.data.class_names import class_words
from dermaug.experiment.plan.comparisons import BASELINE
from dermaug.experiment.run.results import RunResults
from dermaug.scoring.verdict_words import interval_words, signed
from dermaug.stats.outcomes import EQUIVALENT, FEWEST_GROUPS, HELPS, HURTS, NOT_JUDGED, UNATTAINABLE
from dermaug.stats.trainings import GROUPS_ONLY

COLUMNS = ("model", "arm", "reference", "label", "per_real", "verdict", "sentence")


def advice(results: RunResults, verdicts: pd.DataFrame) -> pd.DataFrame:
    """One row per classifier, judged arm with generated images, and class.

    Returns:
        The columns of `COLUMNS`; per_real is the number of synthetic images added per real
        training image of the class, mean over trials.
    """
    synthetic = results.dosed
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
        shares = added[row["model"], row["arm"]][row["scope"]]
        words = class_sentence(row, shares)
        place = (row["model"], row["arm"], row["reference"], row["scope"])
        rows.append((*place, float(np.mean(shares)), row["verdict"], words))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def class_sentence(row: Mapping[Any, Any], per_real: Sequence[float]) -> str:
    """Put the verdict on the sensitivity of one class into a sentence for the owner of the data.

    `per_real` has the synthetic images of the class per real one, in each training of the arm.
    """
    label = class_words(row["scope"])
    fewest, most = (f"{end(per_real):.2g}" for end in (min, max))
    span = fewest if fewest == most else f"{fewest} to {most}"
    images = f"{span} synthetic images per real one"
    if np.isnan(row["difference"]) or row["num_groups"] < FEWEST_GROUPS:
        return f"{label}: cannot be told with {row['num_groups']} {GROUPS_ONLY}."
    if row["verdict"] == NOT_JUDGED:
        return f"{label}: cannot be told from one training per arm."
    change = f"prior-adjusted sensitivity {signed(row['difference'])}, {interval_words(row)}"
    if not any(per_real):
        return f"{label}: got no synthetic images of its own; {row['verdict']} ({change})."
    if row["verdict"] == HELPS:
        return f"{label}: gains with this dose ({images}; {change})."
    if row["verdict"] == HURTS:
        return f"{label}: loses with this dose, do not use it ({images}; {change})."
    if row["verdict"] == EQUIVALENT:
        margin = f"{row['margin']:g}"
        return f"{label}: this dose is harmless within {margin} ({images}; {change})."
    groups = f"{row['num_groups']:,} {GROUPS_ONLY}"
    none = "" if row["attainable"] else f", with which {UNATTAINABLE}"
    return f"{label}: {row['verdict']} with {groups}{none} ({images}; {change})."


def _added(results: RunResults, model: str, arm: str) -> dict[str, list[float]]:
    """Map each label to the synthetic images added per real training image, in each trial."""
    counts = [trial.record.train_counts for trial in results.trials_of(model, arm)]
    return {
        label: [each[label].synthetic / max(each[label].real, 1) for each in counts]
        for label in results.catalog.classes
    }
