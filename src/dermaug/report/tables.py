"""Tables of the report: numbers rounded for reading, each with its n."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dermaug.experiment.run.results import RunResults

NONE = "–"
_HEADINGS = {
    "balanced_accuracy_adjusted": "Mean sensitivity, prior-adjusted",
    "mean_specificity_adjusted": "Mean specificity, prior-adjusted",
    "macro_auc": "Macro AUC",
    "balanced_accuracy": "Mean sensitivity, argmax",
    "mean_specificity": "Mean specificity, argmax",
    "accuracy": "Accuracy, argmax",
}
_COMPARED = (
    ("prior-adjusted", "balanced_accuracy", "Mean sensitivity, prior-adjusted"),
    ("auc", "macro_auc", "Macro AUC"),
    ("argmax", "balanced_accuracy", "Mean sensitivity, argmax"),
    ("prior-adjusted", "mean_specificity", "Mean specificity, prior-adjusted"),
)


@dataclass(frozen=True)
class Table:
    """A table as it is read.

    Args:
        caption: What it holds, of how many.
        header: One name a column.
        rows: Text of the cells; a row of one cell is a heading between groups of rows.
        texts: Leading columns that hold text; the others are numbers, aligned right.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 1


def score_table(scores: pd.DataFrame, arms: Sequence[str]) -> Table:
    """Arm x classifier: overall metrics in every readout; mean ± SD over trials."""
    rows: list[tuple[str, ...]] = []
    for model, part in scores.groupby("model", sort=False):
        rows.append((str(model),))
        for arm in arms:
            trials = part[part["arm"] == arm]
            if len(trials):
                numbers = (mean_and_spread(trials[metric]) for metric in _HEADINGS)
                rows.append((arm, *numbers, str(len(trials))))
    images = int(scores["images"].sum() / max(len(scores), 1))
    caption = (
        f"Test part, mean ± SD over n trials (folds × seeds), {images:,} test images per trial on "
        "average. Mean sensitivity is balanced accuracy; all means are over classes, unweighted. "
        "Argmax: the most probable class, as the network decides. Prior-adjusted: after division "
        "by the prior that its loss saw. The AUC is taken at the uniform prior."
    )
    return Table(caption, ("Arm", *_HEADINGS.values(), "n"), tuple(rows))


def comparison_table(verdicts: pd.DataFrame) -> Table:
    """Every contrast in every readout, with intervals.

    Args:
        verdicts: What `verdict_table` gives.
    """
    overall = verdicts[verdicts["scope"] == "all"]
    rows: list[tuple[str, ...]] = []
    for model, part in overall.groupby("model", sort=False):
        rows.append((str(model),))
        for (arm, reference, role), pair in part.groupby(["arm", "reference", "role"], sort=False):
            lines = {(row["readout"], row["metric"]): row for row in pair.to_dict("records")}
            first = next(iter(lines.values()))
            rows.append(
                (
                    f"{arm} − {reference}",
                    str(role),
                    *(with_interval(lines[readout, metric]) for readout, metric, _ in _COMPARED),
                    f"{first['num_pairs']:,}",
                )
            )
    header = ("Comparison", "Reference is its", *(words for *_, words in _COMPARED), "pairs")
    caption = (
        "First-named minus second with 95 % intervals, not adjusted for the number of comparisons "
        f"and clipped to what is possible. They cover {', or '.join(_levels(overall))}. Pairs: "
        "trainings of the same fold and seed. A difference at argmax that is absent from the other "
        "columns may be a moved threshold."
    )
    return Table(caption, header, tuple(rows), texts=2)


def _levels(verdicts: pd.DataFrame) -> list[str]:
    return [str(level) for level in dict.fromkeys(verdicts["levels"])]


def class_table(class_scores: pd.DataFrame, results: RunResults, model: str) -> Table:
    """Sensitivity and specificity of each class by arm, prior-adjusted; mean ± SD over trials."""
    part = class_scores[class_scores["model"] == model]
    arms = [arm.name for arm in results.experiment.compared_arms if arm.name in set(part["arm"])]
    rows = []
    for label in results.catalog.classes:
        trials = part[part["label"] == label]
        first = trials[trials["arm"] == arms[0]].drop_duplicates("fold")
        values = (
            mean_and_spread(trials.loc[trials["arm"] == arm, f"{metric}_adjusted"])
            for metric in ("sensitivity", "specificity")
            for arm in arms
        )
        rows.append((label, f"{first['support'].sum():,}", *values))
    header = (
        "Class",
        "Test images",
        *(f"{metric}: {arm}" for metric in ("Sensitivity", "Specificity") for arm in arms),
    )
    caption = (
        f"{model}: each class against the rest, prior-adjusted, mean ± SD over folds and seeds. "
        "The same at argmax is in class_scores.csv."
    )
    return Table(caption, header, tuple(rows))


def plain_table(caption: str, frame: pd.DataFrame, texts: int = 1) -> Table:
    """Any table: whole numbers with separators, others with one decimal."""
    rows = tuple(tuple(_text(value) for value in row) for row in frame.itertuples(index=False))
    header = tuple(str(name).replace("_", " ") for name in frame.columns)
    return Table(caption, header, rows, texts)


def mean_and_spread(values: pd.Series) -> str:
    """Mean ± SD with three decimals; the mean alone of a single value."""
    defined = values.dropna()
    if len(defined) < 2:
        return number(defined.mean())
    return f"{defined.mean():.3f} ± {defined.std(ddof=1):.3f}"


def with_interval(row: Mapping[Any, Any]) -> str:
    """Signed difference and its interval, if it has one, with three decimals."""
    middle, low, high = (float(row[name]) for name in ("difference", "low", "high"))
    if np.isnan(middle):
        return NONE
    return signed(middle) + ("" if np.isnan(low) else f" ({signed(low)} to {signed(high)})")


def number(value: float) -> str:
    """Three decimals, or a dash when undefined."""
    return NONE if np.isnan(value) else f"{value:.3f}"


def signed(value: float) -> str:
    """Three decimals with a sign; a true minus.

    Example:
        >>> signed(-0.0251), signed(0.0)
        ('−0.025', '0.000')
    """
    text = f"{value:+.3f}".replace("-", "−")
    return text[1:] if float(f"{value:.3f}") == 0 else text


def _text(value: object) -> str:
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if isinstance(value, float | np.floating):
        return NONE if np.isnan(value) else f"{value:,.1f}"
    return str(value)
