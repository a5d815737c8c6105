"""Figures of the groups of patients: each arm's scores, and what an arm gains over its control."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from dermaug.report import figures
from dermaug.report.figures import Figure, Panel, drawing, file_name, svg
from dermaug.scoring.subgroup_scores import FEWEST, FEWEST_OF_CLASS

METRIC_WORDS: Mapping[str, str] = {
    "balanced_accuracy": "mean sensitivity",
    "malignant_sensitivity": "sensitivity to malignant or pre-malignant lesions",
}
GROUPING_WORDS: Mapping[str, str] = {
    "sex": "Sex",
    "age": "Age in years",
    "site": "Body site",
    "skin_tone": "Skin tone",
}
_SIZE_NOTE = (
    f"n: the group's images, or its malignant or pre-malignant ones; below {FEWEST} no interval is "
    f"given. Mean sensitivity is over the classes with {FEWEST_OF_CLASS} and more images in the "
    "group, which differ between groups: compare arms, not groups."
)


def subgroup_scores(table: pd.DataFrame, arms: Sequence[str]) -> Figure:
    """Each arm's scores in each group with their intervals.

    Args:
        table: What `score_subgroups` gives.
        arms: Names in the experiment's order.
    """
    rows = table[(table["reference"] == "") & table["metric"].isin(list(METRIC_WORDS))]
    caption = (
        "Scores in groups of patients, with 95 % intervals of a bootstrap over the group's "
        f"lesions; test parts of all folds together, mean over seeds. {_SIZE_NOTE}"
    )
    panels = _panels(rows, "subgroups", [(arm, "") for arm in arms])
    scored = set(rows["arm"])
    names = tuple(entry for entry in figures.legend(arms) if entry[0] in scored)
    return Figure("subgroup_scores", caption, panels, rows, names, 330)


def subgroup_gains(table: pd.DataFrame) -> Figure | None:
    """Each arm's difference to its control in each group; None with a single arm.

    Args:
        table: What `score_subgroups` gives.
    """
    rows = table[(table["reference"] != "") & table["metric"].isin(list(METRIC_WORDS))]
    if rows.empty:
        return None
    pairs = list(dict.fromkeys(zip(rows["arm"], rows["reference"], strict=True)))
    caption = (
        "Who gains: difference between an arm and its control in each group, same test lesions, "
        "with 95 % intervals; right of zero the first-named arm is better. So many intervals are "
        "drawn that some miss zero by chance: nothing is adjusted for their number. "
        f"{_SIZE_NOTE}"
    )
    names = figures.legend([f"{arm} − {reference}" for arm, reference in pairs])
    return Figure("subgroup_gains", caption, _panels(rows, "gains", pairs), rows, names, 330)


def _panels(table: pd.DataFrame, stem: str, series: Sequence[tuple[str, str]]) -> tuple[Panel, ...]:
    panels = []
    keys = ["model", "metric", "grouping"]
    for index, (place, rows) in enumerate(table.groupby(keys, sort=False)):
        model, metric, grouping = map(str, place)
        groups = list(dict.fromkeys(rows["group"]))
        height = 1.1 + len(groups) * max(0.34, 0.13 * len(series) + 0.1)
        with drawing(4.4, height) as axes:
            _draw_groups(axes, rows, groups, series)
            axes.set_title(GROUPING_WORDS[grouping])
            words = METRIC_WORDS[metric]
            axes.set_xlabel(f"difference in {words}" if series[0][1] else words)
            alt = f"{words} by {grouping}, classifier {model}; numbers in the CSV file"
            name = file_name(stem, index, model, metric, grouping)
            panels.append(Panel(name, alt, svg(axes), group=f"{model}: {words}"))
    return tuple(panels)


def _draw_groups(
    axes: Axes, rows: pd.DataFrame, groups: Sequence[str], series: Sequence[tuple[str, str]]
) -> None:
    differences = bool(series[0][1])
    if differences:
        axes.axvline(0, color=figures.INK, linewidth=1)
    offsets = np.linspace(-0.3, 0.3, len(series)) if len(series) > 1 else [0.0]
    for index, (offset, (arm, reference)) in enumerate(zip(offsets, series, strict=True)):
        ours = rows[(rows["arm"] == arm) & (rows["reference"] == reference)]
        ours = ours.set_index("group").reindex(list(groups))
        value, low, high = (ours[name].to_numpy(dtype=float) for name in ("value", "low", "high"))
        heights, shade = np.arange(len(groups)) + offset, figures.colour(index)
        axes.hlines(heights, low, high, color=shade, linewidth=1.4)
        axes.plot(
            value, heights, figures.marker(index), color=shade, markersize=5, linestyle="none"
        )
    support = rows.groupby("group", sort=False)["support"].first()
    names = [f"{figures.short(name, 20)} (n {support[name]:,})" for name in groups]
    axes.set_yticks(range(len(groups)), names)
    axes.set_ylim(len(groups) - 0.5, -0.5)
    if not differences:
        axes.set_xlim(-0.02, 1.02)
    axes.grid(visible=False, axis="y")
