"""Figure of the calibration: reliability diagrams, one panel a classifier and arm."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from dermaug.report import figures
from dermaug.report.figures import Figure, Panel, drawing, file_name, svg

FEW_IMAGES = 10
"""A bin of fewer predictions is drawn hollow: its height is mostly chance."""


def reliability_diagrams(bins: pd.DataFrame, arms: Sequence[str]) -> Figure:
    """Share of right answers against confidence, with the number of predictions below.

    Args:
        bins: What `reliability` gives.
        arms: Names in the experiment's order.
    """
    panels = []
    for index, ((model, arm), rows) in enumerate(bins.groupby(["model", "arm"], sort=False)):
        with drawing(2.9, 3.0) as axes:
            _draw_reliability(axes, rows, arms.index(str(arm)))
            axes.set_title(figures.short(str(arm), 28))
            alt = f"Reliability diagram of {arm}, {model}: " + ", ".join(
                f"confidence {row.confidence:.2f} accuracy {row.accuracy:.2f} (n {row.images})"
                for row in rows.dropna().itertuples()
            )
            name = file_name("calibration", index, model, arm)
            panels.append(Panel(name, alt, svg(axes), group=str(model)))
    caption = (
        "Reliability: of the predictions made with a confidence (highest probability), the share "
        "that was right, in 15 bins of equal width. On the dotted line the classifier is as often "
        "right as it says; below it, too sure. Bars: share of all predictions in the bin; hollow "
        f"marks: fewer than {FEW_IMAGES} predictions. Test parts of all folds and seeds together, "
        "before the temperature."
    )
    return Figure("reliability", caption, tuple(panels), bins, width=220)


def _draw_reliability(axes: Axes, rows: pd.DataFrame, series: int) -> None:
    shade, total = figures.colour(series), max(int(rows["images"].sum()), 1)
    axes.plot([0, 1], [0, 1], color="#8a949e", linewidth=1, linestyle=":")
    middles, widths = (rows["low"] + rows["high"]) / 2, rows["high"] - rows["low"]
    axes.bar(middles, rows["images"] / total, 0.9 * widths, color=figures.GRID)
    filled = rows.dropna()
    x, y = (filled[name].to_numpy(dtype=float) for name in ("confidence", "accuracy"))
    many = (filled["images"] >= FEW_IMAGES).to_numpy()
    axes.plot(x, y, color=shade, linewidth=1.2)
    faces = np.where(many, shade, "white")
    axes.scatter(
        x, y, s=30, marker=figures.marker(series), c=faces.tolist(), edgecolors=shade, zorder=3
    )
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel="confidence")
    axes.set_ylabel("share right")
