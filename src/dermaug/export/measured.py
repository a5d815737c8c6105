"""The scores of one classifier on the test split of its fold, with intervals over lesions."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.stats import rankdata

from dermaug.evaluation.discrimination import (
    confusion,
    mean_defined,
    ratio,
    sensitivities,
    specificities,
)
from dermaug.evaluation.predictions import label_indices, probabilities_of
from dermaug.evaluation.readouts import prior_adjusted, prior_array
from dermaug.experiment.run.artefacts import recorded_predictions
from dermaug.experiment.run.layout import JobFolder
from dermaug.experiment.run.records import TrialRecord
from dermaug.stats.bootstrap import percentile_interval, stratified_totals

RESAMPLES = 500
ALL = "all classes"


@dataclass(frozen=True, eq=False)
class Measured:
    """Scores of a classifier, prior-adjusted.

    Args:
        table: One row per metric (mean sensitivity, macro AUC, then sensitivity, specificity and
            AUC of each class): scope, metric, value, low, high. The 95 % intervals are a bootstrap
            over test groups (lesions or patients) and do not cover other trainings.
        images: Number of test images.
        groups: Number of test groups.
    """

    table: pd.DataFrame
    images: int
    groups: int

    @property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """The table as text: scope, metric, value and interval."""
        return [
            (
                row["scope"],
                row["metric"],
                "–" if pd.isna(row["value"]) else f"{row['value']:.3f}",
                "–" if pd.isna(row["low"]) else f"{row['low']:.3f} to {row['high']:.3f}",
            )
            for row in self.table.to_dict("records")
        ]


def measure(folder: Path, record: TrialRecord) -> Measured | None:
    """Score the stored predictions of a trial; None if there are none.

    Raises:
        DermaugError: The predictions are damaged.
    """
    path, classes = JobFolder(folder).predictions, record.classes
    if not path.is_file():
        return None
    table = recorded_predictions(path, record)
    table = table[table["part"] == "test"]
    labels = label_indices(table, classes)
    prior = prior_array(record.prior, classes)
    even = prior_adjusted(probabilities_of(table, classes), prior)
    codes, names = pd.factorize(table["group"])
    rows = [np.flatnonzero(codes == code) for code in range(len(names))]
    counts = np.stack([confusion(labels[own], even[own]) for own in rows])
    found, drawn = _rates(counts.sum(axis=0)), _rates(stratified_totals([counts], RESAMPLES))
    area, areas = _areas(labels, even), _resampled_areas(labels, even, rows)
    found |= {"AUC": area, "macro AUC": mean_defined(area)}
    drawn |= {"AUC": areas, "macro AUC": mean_defined(areas)}
    lines = [
        _line(ALL, name, float(found[name]), drawn[name])
        for name in ("mean sensitivity", "macro AUC")
    ]
    lines += [
        _line(label, name, float(found[name][place]), drawn[name][:, place])
        for place, label in enumerate(classes)
        for name in ("sensitivity", "specificity", "AUC")
    ]
    columns = ["scope", "metric", "value", "low", "high"]
    return Measured(pd.DataFrame(lines, columns=columns), len(table), len(names))


def _line(
    scope: str, name: str, value: float, drawn: Float[np.ndarray, " r"]
) -> tuple[str, str, float, float, float]:
    low, high = percentile_interval(drawn)
    # Where no resample differs, nothing is known of the variation: no interval of width zero.
    return (scope, name, value, *((np.nan, np.nan) if low == high else (low, high)))


def _rates(counts: Float[np.ndarray, "... k k"]) -> dict[str, Float[np.ndarray, "..."]]:
    own = sensitivities(counts)
    return {
        "sensitivity": own,
        "specificity": specificities(counts),
        "mean sensitivity": mean_defined(own),
    }


def _resampled_areas(
    labels: np.ndarray, even: Float[np.ndarray, "n k"], rows: list[np.ndarray]
) -> Float[np.ndarray, "r k"]:
    random = np.random.default_rng(0)
    areas = []
    for _ in range(RESAMPLES):
        drawn = np.concatenate([rows[each] for each in random.integers(len(rows), size=len(rows))])
        areas.append(_areas(labels[drawn], even[drawn]))
    return np.array(areas)


def _areas(labels: np.ndarray, even: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " k"]:
    """Area under the ROC curve of each class by rank sums (Mann and Whitney 1947)."""
    own = labels[:, None] == np.arange(even.shape[1])
    positives = own.sum(axis=0)
    ranks = (rankdata(even, axis=0) * own).sum(axis=0) - positives * (positives + 1) / 2
    return ratio(ranks, positives * (len(labels) - positives))
