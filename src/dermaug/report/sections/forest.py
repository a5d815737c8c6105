"""The paired differences of a study with their intervals, as a drawing."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from dermaug.evaluation.readouts import ADJUSTED, AUC
from dermaug.experiment.plan.comparisons import NEGATIVE
from dermaug.report.blocks import Figure
from dermaug.report.drawing import INK, colour, marker, panels, short
from dermaug.report.formats import with_interval
from dermaug.report.tips import add_tips
from dermaug.stats.outcomes import (
    EXPLORATORY,
    NOT_JUDGED,
)
from dermaug.stats.trainings import GROUPS_ONLY


def forest(verdicts: pd.DataFrame, primary: str) -> Figure:
    """Paired differences in the primary metric with their intervals, one panel per classifier.

    `primary` is balanced_accuracy, which is drawn prior-adjusted, or macro_auc.
    """
    readout = AUC if primary == "macro_auc" else ADJUSTED
    table = verdicts[(verdicts["metric"] == primary) & (verdicts["readout"] == readout)]
    words = "macro AUC" if primary == "macro_auc" else "mean sensitivity, prior-adjusted"
    bound = 1.1 * np.nanmax(np.abs(table[["difference", "low", "high"]].to_numpy(dtype=float)))
    drawn = panels(
        table,
        ["model"],
        "differences",
        lambda rows: (4.7, 1.05 + 0.4 * len(rows)),
        _draw_forest,
        bound=max(float(bound), 0.01),
        words=words,
    )
    caption = (
        f"Difference in {words}, between two arms on the same test groups, with 95 % intervals. "
        f"Right of zero: the first-named arm is better. {_forest_colours(table)}"
    )
    return Figure("differences", caption, drawn, table, width=400)


def _forest_colours(table: pd.DataFrame) -> str:
    """What the colours say that the figure has."""
    single = table["levels"] == GROUPS_ONLY
    kinds = {
        "Blue: judged.": ~table["verdict"].isin([EXPLORATORY, NOT_JUDGED]),
        "Grey: exploratory (replay controls, and doses that were not selected).": ~single
        & (table["verdict"] == EXPLORATORY),
        "Grey and dotted: one training per arm in fewer than three folds, not judged.": single,
        "A negative control shows every class as often as its baseline: no difference "
        "is expected by design, so that the one seen shows what chance does here.": table["role"]
        == NEGATIVE,
    }
    return " ".join(words for words, shown in kinds.items() if shown.any())


def _draw_forest(axes: Axes, rows: pd.DataFrame, model: str, bound: float, words: str) -> str:
    axes.axvline(0, color=INK, linewidth=1)
    names, told = [], []
    for height, row in enumerate(rows.to_dict("records")):
        is_judged = row["verdict"] not in (EXPLORATORY, NOT_JUDGED)
        shade = colour(0) if is_judged else "#7b8794"
        style = ":" if row["levels"] == GROUPS_ONLY else "-"
        axes.plot([row["low"], row["high"]], [height] * 2, style, color=shade, linewidth=2.4)
        axes.plot(row["difference"], height, marker(0), color=shade, markersize=8)
        arm, reference = (short(row[name], 28) for name in ("arm", "reference"))
        role = f"\n({NEGATIVE})" if row["role"] == NEGATIVE else ""
        names.append(f"{arm}\nminus {reference}{role}")
        pair = f"{row['arm']} minus {row['reference']}"
        told.append(f"{pair}: {with_interval(row)}, {row['verdict']}")
    axes.set_yticks(range(len(rows)), names)
    axes.set(xlim=(-bound, bound), ylim=(len(rows) - 0.5, -0.5))
    axes.set(xlabel=f"Difference in {words}", title=short(model, 40))
    add_tips(axes, rows["difference"], range(len(rows)), told)
    axes.grid(visible=False, axis="y")
    return f"{model}: " + "; ".join(
        f"{row.arm} minus {row.reference} {row.difference:+.3f} "
        f"({row.low:+.3f} to {row.high:+.3f}), {row.verdict}"
        for row in rows.itertuples()
    )
