"""Tables of the report: numbers rounded for reading, each with its n."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dermaug.experiment.results import RunResults

NONE = "–"
_HEADINGS = {
    "balanced_accuracy": "Mean sensitivity",
    "mean_specificity": "Mean specificity",
    "accuracy": "Accuracy",
    "macro_auc": "Macro AUC",
}


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
    """Arm x classifier: mean sensitivity, mean specificity, accuracy, AUC; mean ± SD over cells."""
    rows: list[tuple[str, ...]] = []
    for model, part in scores.groupby("model", sort=False):
        rows.append((str(model),))
        for arm in arms:
            cells = part[part["arm"] == arm]
            if len(cells):
                numbers = (mean_and_spread(cells[metric]) for metric in _HEADINGS)
                rows.append((arm, *numbers, str(len(cells))))
    images = int(scores["images"].sum() / max(len(scores), 1))
    caption = (
        f"Test part, mean ± SD over n cells (folds × seeds), {images:,} test images a cell on "
        "average. Mean sensitivity is balanced accuracy; all means are over classes, unweighted."
    )
    return Table(caption, ("Arm", *_HEADINGS.values(), "n"), tuple(rows))


def comparison_table(comparisons: pd.DataFrame) -> Table:
    """Paired differences in mean sensitivity and mean specificity with their intervals."""
    keys = ["model", "arm", "reference"]
    rows: list[tuple[str, ...]] = []
    for model, part in comparisons.groupby("model", sort=False):
        rows.append((str(model),))
        for (_, arm, reference), pair in part.groupby(keys, sort=False):
            lines = {str(row["metric"]): row for _, row in pair.iterrows()}
            sensitivity, specificity = (lines[name] for name in list(_HEADINGS)[:2])
            rows.append(
                (
                    f"{arm} − {reference}",
                    with_interval(sensitivity),
                    with_interval(specificity),
                    number(sensitivity["sd_difference"]),
                    f"{sensitivity['pairs']:,.0f}",
                    f"{sensitivity['lesions']:,.0f}",
                )
            )
    header = ("Comparison", "Mean sensitivity", "Mean specificity", "SD", "pairs", "lesions")
    caption = (
        "Paired differences with 95 % intervals: bootstrap over the lesions of the pooled test "
        "predictions, averaged over seeds, and, where a fold was trained with several seeds, the "
        "variation of training. SD is the spread of the difference in mean sensitivity "
        "over pairs (same fold and seed). Not adjusted for the number of comparisons."
    )
    return Table(caption, header, tuple(rows))


def class_table(class_scores: pd.DataFrame, results: RunResults, model: str) -> Table:
    """Sensitivity / specificity of each class by arm, mean ± SD over cells."""
    part = class_scores[class_scores["model"] == model]
    arms = [arm.name for arm in results.experiment.arms if arm.name in set(part["arm"])]
    rows = []
    for label in results.catalog.classes:
        cells = part[part["label"] == label]
        first = cells[cells["arm"] == arms[0]].drop_duplicates("fold")
        values = (
            mean_and_spread(cells.loc[cells["arm"] == arm, metric])
            for metric in ("sensitivity", "specificity")
            for arm in arms
        )
        rows.append((label, f"{first['support'].sum():,}", *values))
    header = (
        "Class",
        "Test images",
        *(f"{metric}: {arm}" for metric in ("Sensitivity", "Specificity") for arm in arms),
    )
    caption = f"{model}: each class against the rest, mean ± SD over folds and seeds."
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


def with_interval(row: pd.Series) -> str:
    """Signed difference and its interval with three decimals."""
    middle, low, high = (row[name] for name in ("pooled_difference", "low", "high"))
    if np.isnan(middle):
        return NONE
    return f"{signed(middle)} ({signed(low)} to {signed(high)})"


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
