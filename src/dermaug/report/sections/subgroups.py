"""Subgroups: each arm's scores in groups of patients, and its differences to its baseline."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Block, Details, Figure, Panel, Section, Table
from dermaug.report.drawing import INK, colour, legend, marker, panels, short
from dermaug.report.formats import counted, interval, number, with_interval
from dermaug.report.tips import add_tips
from dermaug.scoring.scoring import Scoring
from dermaug.scoring.subgroup_scores import FEWEST, FEWEST_OF_CLASS
from dermaug.scoring.verdict_words import NONE, signed

Series = Mapping[tuple[str, str], int]
"""(arm, reference, or "" for the arm's own score) -> number of its colour and marker."""
METRIC_WORDS: Mapping[str, str] = {
    "balanced_accuracy": "mean sensitivity",
    "malignant_sensitivity": "sensitivity to malignant or pre-malignant lesions",
}
GROUPING_WORDS: Mapping[str, str] = {
    "sex": "Sex",
    "age": "Age in years",
    "site": "Body site",
    "skin_tone": "Skin tone",
    "dx_type": "Diagnosis by",
    "device": "Device or source",
}
_SIZE_NOTE = (
    "n: the subgroup's images of the classes that count, or its malignant or pre-malignant ones; "
    f"subgroups with fewer than {FEWEST} of them are not drawn. The classes that "
    f"count have {FEWEST_OF_CLASS} and more images in the subgroup. They differ between "
    "subgroups: compare arms, not subgroups."
)


def subgroup_section(results: RunResults, scoring: Scoring) -> Section:
    """Differences by group, then scores and numbers; empty if the data describe no groups."""
    table, arms = scoring.subgroups, results.arms
    if table.empty:
        return Section("subgroups", "Subgroups", [])
    gains = subgroup_gains(table, arms)
    scores = Details("Each arm's scores by subgroup", [subgroup_scores(table, arms)])
    content: list[Block] = [scores]
    if gains is not None:
        numbers = Details("Table of the differences", [subgroup_table(table)])
        content = [gains, scores, numbers]
    return Section("subgroups", "Subgroups", content)


def subgroup_scores(table: pd.DataFrame, arms: Sequence[str]) -> Figure:
    """Each arm's scores in each group with their intervals."""
    rows = _drawn(table[table["reference"] == ""])
    caption = (
        "Scores in each subgroup, with 95 % intervals as for the whole test split; test splits of "
        f"all folds together, mean over seeds. {_SIZE_NOTE}"
    )
    series = {(arm, ""): place for place, arm in enumerate(arms)}
    panels = _panels(rows, "subgroups", series)
    scored = set(rows["arm"])
    names = tuple(entry for entry in legend(arms) if entry[0] in scored)
    return Figure("subgroup_scores", caption, panels, rows, names, 330)


def subgroup_gains(table: pd.DataFrame, arms: Sequence[str]) -> Figure | None:
    """Each arm's difference to its control in each group; None with a single arm.

    A difference has the mark that its arm has in other figures, and further ones of the same arm
    have marks of their own.
    """
    rows = _drawn(table[table["reference"] != ""])
    if rows.empty:
        return None
    series: dict[tuple[str, str], int] = {}
    for arm, reference in dict.fromkeys(zip(rows["arm"], rows["reference"], strict=True)):
        own = arms.index(arm)
        series[arm, reference] = own if own not in series.values() else len(arms) + len(series)
    caption = (
        "Difference between an arm and its baseline in each subgroup, on the same images, with "
        "95 % intervals; right of zero the number of the first-named arm is higher. Where a "
        "sensitivity is shown alone, the specificity may be lower; it is in "
        "scoring/subgroups.csv. The intervals are not "
        f"adjusted for their number, so that some exclude zero by chance. {_SIZE_NOTE}"
    )
    names = legend([f"{arm} − {reference}" for arm, reference in series], list(series.values()))
    return Figure("subgroup_gains", caption, _panels(rows, "gains", series), rows, names, 330)


def _drawn(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a figure: without those of a few images, which would stretch its axis."""
    return table[table["metric"].isin(list(METRIC_WORDS)) & (table["support"] >= FEWEST)]


def _panels(table: pd.DataFrame, stem: str, series: Series) -> tuple[Panel, ...]:
    row = max(0.34, 0.13 * len(series) + 0.1)
    return panels(
        table,
        ["model", "metric", "grouping"],
        stem,
        lambda rows: (4.4, 1.1 + row * rows["group"].nunique()),
        _draw_groups,
        lambda model, metric, _: {"group": f"{model}: {METRIC_WORDS[metric]}"},
        series=series,
    )


def _draw_groups(
    axes: Axes, rows: pd.DataFrame, model: str, metric: str, grouping: str, series: Series
) -> str:
    groups, words = list(dict.fromkeys(rows["group"])), METRIC_WORDS[metric]
    differences = any(reference for _, reference in series)
    written = signed if differences else number
    if differences:
        axes.axvline(0, color=INK, linewidth=1)
    offsets = np.linspace(-0.3, 0.3, len(series)) if len(series) > 1 else [0.0]
    for offset, ((arm, reference), index) in zip(offsets, series.items(), strict=True):
        ours = rows[(rows["arm"] == arm) & (rows["reference"] == reference)]
        ours = ours.set_index("group").reindex(list(groups))
        value, low, high = (ours[name].to_numpy(dtype=float) for name in ("value", "low", "high"))
        heights, shade = np.arange(len(groups)) + offset, colour(index)
        axes.hlines(heights, low, high, color=shade, linewidth=1.4)
        axes.plot(value, heights, marker(index), color=shade, markersize=5, linestyle="none")
        against = f"{arm} − {reference}" if reference else arm
        told = (
            f"{group}, {against}: {interval(*map(written, row))}"
            for group, *row in zip(groups, value, low, high, strict=True)
        )
        add_tips(axes, value, heights, told)
    support = rows.groupby("group", sort=False)["support"].first()
    names = [f"{short(name, 20)} (n {support[name]:,})" for name in groups]
    axes.set_yticks(range(len(groups)), names)
    axes.set_ylim(len(groups) - 0.5, -0.5)
    if not differences:
        axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel(f"Difference in {words}" if differences else words.capitalize())
    axes.set_title(GROUPING_WORDS[grouping])
    axes.grid(visible=False, axis="y")
    return f"{words} by {grouping}, classifier {model}; numbers in the CSV file"


def subgroup_table(table: pd.DataFrame) -> Table:
    """Difference of each arm to its control in each group, with interval and group size."""
    gains = table[table["reference"] != ""]
    rows: list[tuple[str, ...]] = []
    metrics = [name for name in METRIC_WORDS if name in set(gains["metric"])]
    keys = ["model", "arm", "reference", "grouping"]
    for (model, arm, reference, grouping), part in gains.groupby(keys, sort=False):
        rows.append((f"{model}, {arm} − {reference}: {GROUPING_WORDS[str(grouping)].lower()}",))
        for group, lines in part.groupby("group", sort=False):
            found = {str(line["metric"]): line for _, line in lines.iterrows()}
            size = next(iter(found.values()))
            cells = (
                text
                for metric in metrics
                for text in (
                    with_interval(dict(found[metric]), "value") if metric in found else NONE,
                    _behind(found.get(metric)),
                )
            )
            rows.append((str(group), f"{size['lesions']:,}", *cells))
    names = (name for metric in metrics for name in (METRIC_WORDS[metric].capitalize(), "Images"))
    caption = (
        "Exploratory: differences by subgroup with 95 % intervals, prior-adjusted. Lesions: all of "
        "the subgroup. Images: those behind each number, which are the images of classes with at "
        f"least {FEWEST_OF_CLASS} images in the subgroup (the mean is over these classes; of one "
        "class it is that class's sensitivity), or its malignant or pre-malignant ones; "
        f"there is no interval below {FEWEST} of them."
    )
    header = ("Subgroup", "Lesions", *names)
    return Table(caption, header, tuple(rows), source="scoring/subgroups.csv")


def _behind(row: pd.Series | None) -> str:
    """Images behind a number and, of a mean over classes, the number of classes."""
    if row is None:
        return "0"
    if row["metric"] != "balanced_accuracy":
        return f"{row['support']:,}"
    return f"{row['support']:,} in {counted(int(row['classes']), 'class', 'classes')}"
