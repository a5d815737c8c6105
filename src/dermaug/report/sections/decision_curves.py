"""The figure of the decision curves."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from dermaug.report.blocks import Figure
from dermaug.report.drawing import INK, colour, dashes, in_group, legend, panels
from dermaug.report.sections.intervals import SCOPE_WORDS
from dermaug.report.tips import add_tips

_TOLD = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4)
"""Thresholds at which a curve tells its numbers."""


def decision_figure(table: pd.DataFrame, arms: Sequence[str]) -> Figure:
    """Net benefit against the threshold, one panel per classifier and target."""
    drawn = panels(table, ["model", "target"], "benefit", (4.4, 3.0), _draw, in_group, arms=arms)
    caption = (
        "Decision curves: net benefit of calling an image positive from a threshold of its "
        "probability on, mean over folds and seeds: true positives per image, less false positives "
        "weighted by the odds of the threshold. Dotted: every image is called positive; zero: none "
        "is. Exploratory, without intervals, at the prevalence of the data set, which is not that "
        "of a clinic: what a threshold is worth there cannot be read off."
    )
    return Figure("decision_curves", caption, drawn, table, legend(arms), 340)


def _draw(axes: Axes, rows: pd.DataFrame, model: str, target: str, arms: Sequence[str]) -> str:
    first = rows[rows["arm"] == rows["arm"].iloc[0]]
    axes.axhline(0.0, color=INK, linewidth=0.8)
    axes.plot(first["threshold"], first["call_all"], ":", color="#8a949e")
    told = []
    for arm, curve in rows.groupby("arm", sort=False):
        place = arms.index(str(arm))
        x, y = (curve[name].to_numpy(dtype=float) for name in ("threshold", "net_benefit"))
        axes.plot(x, y, color=colour(place), linestyle=dashes(place), linewidth=1.4)
        values = np.interp(_TOLD, x, y)
        words = (
            f"{arm}: net benefit {value:.4f} at threshold {at:g}"
            for at, value in zip(_TOLD, values, strict=True)
        )
        add_tips(axes, _TOLD, values, words)
        told.append(f"{arm} {values[2]:.3f}")
    highest = max(float(rows["net_benefit"].max()), float(rows["call_all"].max()), 0.01)
    axes.set(xlim=(0, 0.51), ylim=(-0.3 * highest, 1.05 * highest), xlabel="Threshold")
    axes.set(ylabel="Net benefit", title=SCOPE_WORDS[target].capitalize())
    return f"Decision curves, {SCOPE_WORDS[target]}, {model}; at threshold 0.1: {', '.join(told)}"
