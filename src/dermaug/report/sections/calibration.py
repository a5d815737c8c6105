"""Whether the probabilities of the classifiers can be believed."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Block, Figure, Section, Table
from dermaug.report.drawing import GRID, colour, in_group, marker, panels, short
from dermaug.report.formats import AVERAGED, arm_rows, mean_and_spread
from dermaug.report.sections.intervals import proper_table
from dermaug.report.tips import add_tips
from dermaug.scoring.scoring import Scoring

_CALIBRATION = {
    "ece": "ECE",
    "brier": "Brier",
    "nll": "NLL",
    "temperature": "Temperature",
    "ece_scaled": "ECE after",
    "brier_scaled": "Brier after",
}
FEW_IMAGES = 10
"""A bin of fewer predictions is drawn hollow: its height is mostly chance."""


def calibration_section(results: RunResults, scoring: Scoring) -> Section:
    """Scores of the probabilities and their diagrams; empty before a trial has finished."""
    arms, content = results.arms, list[Block]()
    if len(scoring.calibration):
        tables = (calibration_table(scoring.calibration, arms), proper_table(scoring.decisions))
        content = [*tables, reliability_diagrams(scoring.reliability, arms)]
    return Section("calibration", "Calibration", content)


def calibration_table(calibration: pd.DataFrame, arms: Sequence[str]) -> Table:
    """Arm x classifier: ECE, Brier, NLL before and after the temperature; mean ± SD over trials."""

    def cells(trials: pd.DataFrame) -> tuple[str, ...]:
        return *(mean_and_spread(trials[name]) for name in _CALIBRATION), str(len(trials))

    caption = (
        "Calibration on the test split at the natural prevalence (that of the training split), "
        "mean ± SD over n trials; ECE, Brier and NLL: lower is better; exploratory. ECE: expected "
        "calibration error of the top label, 15 bins. Brier: squared error summed over classes, 0 "
        "to 2. NLL: negative log-likelihood in nats. After: with the temperature fitted on "
        "validation: above 1, softer probabilities had the lower NLL there, below 1 sharper ones. "
        f"{AVERAGED}"
    )
    header, rows = ("Arm", *_CALIBRATION.values(), "n"), arm_rows(calibration, arms, cells)
    return Table(caption, header, rows, source="scoring/calibration.csv")


def reliability_diagrams(bins: pd.DataFrame, arms: Sequence[str]) -> Figure:
    """Share of right answers against confidence, with the number of predictions below."""
    by, size = ["model", "arm"], (2.9, 3.0)
    drawn = panels(bins, by, "calibration", size, _draw_reliability, in_group, arms=arms)
    caption = (
        "Reliability: fraction of correct predictions by confidence (highest probability), in 15 "
        "bins of equal width. On the dotted line confidence equals accuracy; below it the "
        "classifier is overconfident. Bars: share of all predictions in the bin; hollow marks: "
        f"fewer than {FEW_IMAGES} predictions. Test splits of all folds and seeds together, before "
        "the temperature."
    )
    return Figure("reliability", caption, drawn, bins, width=220)


def _draw_reliability(
    axes: Axes, rows: pd.DataFrame, model: str, arm: str, arms: Sequence[str]
) -> str:
    series = arms.index(arm)
    shade, total = colour(series), max(int(rows["images"].sum()), 1)
    axes.plot([0, 1], [0, 1], color="#8a949e", linewidth=1, linestyle=":")
    middles, widths = (rows["low"] + rows["high"]) / 2, rows["high"] - rows["low"]
    axes.bar(middles, rows["images"] / total, 0.9 * widths, color=GRID)
    filled = rows.dropna()
    x, y = (filled[name].to_numpy(dtype=float) for name in ("confidence", "accuracy"))
    many = (filled["images"] >= FEW_IMAGES).to_numpy()
    axes.plot(x, y, color=shade, linewidth=1.2)
    faces = np.where(many, shade, "white")
    axes.scatter(x, y, s=30, marker=marker(series), c=faces.tolist(), edgecolors=shade, zorder=3)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel="confidence")
    told = (
        f"confidence {row['confidence']:.3f}: {row['accuracy']:.3f} correct of "
        f"{row['images']:,} predictions"
        for row in filled.to_dict("records")
    )
    add_tips(axes, x, y, told)
    axes.set(ylabel="fraction correct", title=short(arm, 28))
    return f"Reliability diagram of {arm}, {model}: " + ", ".join(
        f"confidence {row['confidence']:.2f} accuracy {row['accuracy']:.2f} (n {row['images']})"
        for row in filled.to_dict("records")
    )
