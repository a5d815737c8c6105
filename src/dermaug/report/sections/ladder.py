"""Where a gain comes from: each synthetic arm against every reference, in four read-outs."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from dermaug.evaluation.readouts import ADJUSTED, ARGMAX, AUC
from dermaug.report.blocks import Block, Details, Figure, Section, Table
from dermaug.report.drawing import INK, colour, marker, panels, short
from dermaug.report.formats import with_interval
from dermaug.report.tips import add_tips
from dermaug.scoring.ladder import FREE
from dermaug.scoring.scoring import Scoring

WORDS = {
    ARGMAX: "argmax",
    ADJUSTED: "prior-adjusted",
    AUC: "macro AUC",
    FREE: "argmax against a prior-adjusted reference",
}
HEADER = ("Argmax", "Prior-adjusted", "Macro AUC", "Argmax against prior-adjusted reference")
MOST_TICKS = 5
"""Intervals between ticks: longer numbers than 0.05 would run into each other."""
_CAPTION = (
    "Difference between the synthetic arm and each arm without generated images (of the replays, "
    "its own), with 95 % intervals, not adjusted for their number: in mean sensitivity at argmax "
    "and prior-adjusted, in macro AUC at the uniform prior, and in mean sensitivity with the "
    "synthetic arm at argmax and the reference prior-adjusted. Differences from its baseline and "
    "from arms named for it are judged under Verdicts, prior-adjusted and in macro AUC; all others "
    "are exploratory. A gain at argmax that is absent from the other read-outs may be a moved "
    "threshold. A gain over weak references that is absent over stronger ones may come from what "
    "the weak ones lack, and not from the images."
)
_EQUAL = (
    "Here argmax and prior-adjusted are the same in every row: the trainings of these arms favour "
    "no class, so that there is nothing to adjust."
)


def ladder_section(scoring: Scoring) -> Section:
    """The figure and its numbers; empty if no synthetic arm was compared."""
    table = scoring.ladder
    content: list[Block] = [ladder_figure(table)] if len(table) else []
    if content:
        content.append(Details("Numbers of the figure", [ladder_table(table)]))
    return Section("ladder", "Where a gain comes from", content, "Where a gain comes from")


def ladder_figure(table: pd.DataFrame) -> Figure:
    """One panel per classifier and synthetic arm: references as rows, read-outs as markers."""
    drawn = panels(table, ["model", "arm"], "ladder", _size, _draw)
    found = table.pivot(index=["model", "arm", "reference"], columns="readout", values="difference")
    is_equal = np.array_equal(found[ARGMAX], found[ADJUSTED], equal_nan=True)
    caption = f"{_CAPTION} {_EQUAL}" if is_equal else _CAPTION
    return Figure("ladder", caption, drawn, table, width=480)


def ladder_table(table: pd.DataFrame) -> Table:
    """The numbers of the figure."""
    rows: list[tuple[str, ...]] = []
    for (model, arm), part in table.groupby(["model", "arm"], sort=False):
        rows.append((f"{arm} with {model}",))
        for (reference, kind), pair in part.groupby(["reference", "kind"], sort=False):
            found = {row["readout"]: row for row in pair.to_dict("records")}
            cells = (with_interval(found[readout]) for readout in WORDS)
            rows.append((f"{reference}: {kind}", *cells))
    return Table("The numbers of the figure.", ("Reference", *HEADER), tuple(rows))


def _size(rows: pd.DataFrame) -> tuple[float, float]:
    return 6.2, 1.5 + 0.72 * rows["reference"].nunique()


def _draw(axes: Axes, rows: pd.DataFrame, model: str, arm: str) -> str:
    references = list(dict.fromkeys(rows["reference"]))
    axes.axvline(0, color=INK, linewidth=1)
    for place, readout in enumerate(WORDS):
        own = rows[rows["readout"] == readout].set_index("reference").loc[references]
        heights = [height + 0.17 * (place - 1.5) for height in range(len(references))]
        shade, label = colour(place), WORDS[readout]
        axes.hlines(heights, own["low"], own["high"], color=shade, linewidth=2)
        axes.plot(own["difference"], heights, marker(place), color=shade, markersize=6, label=label)
        told = (
            f"{arm} minus {row['reference']}, {WORDS[readout]}: {with_interval(row)}"
            for row in own.reset_index().to_dict("records")
        )
        add_tips(axes, own["difference"], heights, told)
    names = [f"minus {short(reference, 28)}" for reference in references]
    axes.set_yticks(range(len(references)), names)
    axes.set_ylim(len(references) - 0.45, -0.55)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(MOST_TICKS))
    # Within the drawing, so that it stands by itself where a study is published.
    canvas = axes.get_figure(root=True)
    assert canvas is not None
    canvas.legend(loc="outside lower center", ncols=2, frameon=False)
    axes.set(
        xlabel="Difference in mean sensitivity or macro AUC", title=short(f"{arm} ({model})", 60)
    )
    return f"{arm}, {model}: " + "; ".join(
        f"{WORDS[row['readout']]} {row['difference']:+.3f} against {row['reference']}"
        for row in rows.to_dict("records")
    )
