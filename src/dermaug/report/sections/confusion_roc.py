"""Confusion matrices and ROC curves as drawings."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from dermaug.data.class_names import class_words
from dermaug.report.blocks import Figure
from dermaug.report.drawing import (
    INK,
    colour,
    dashes,
    in_group,
    legend,
    panels,
    short,
    titled,
)
from dermaug.report.formats import AVERAGED
from dermaug.report.tips import add_tips

MOST_AREAS = 6
"""Largest number of arms whose areas fit into a ROC panel without hiding the curves."""


def confusion_matrices(table: pd.DataFrame, classes: Sequence[str]) -> Figure:
    """One matrix per classifier and arm, summed over the test splits of all folds and seeds."""
    room = 0.5 + 0.08 * max(len(short(label)) for label in classes)
    size = room + 0.46 * len(classes), 0.3 + room + 0.42 * len(classes)
    # The page prints the arm's name, because a drawing this small would truncate it.
    by = ["model", "arm"]
    drawn = panels(table, by, "confusion", size, _draw_confusion, titled, classes=classes)
    caption = (
        "Rows: true class; columns: predicted class at argmax; per cent of the row, so the "
        "diagonal is the sensitivity. Test splits of all folds and seeds together (not the mean "
        "over trials); an image counts once per seed."
    )
    return Figure("confusion", caption, drawn, table)


def roc_curves(table: pd.DataFrame, arms: Sequence[str]) -> Figure:
    """One panel per classifier and class, one-vs-rest; each arm's curve is the mean over trials."""
    by = ["model", "label"]
    drawn = panels(table, by, "roc", (3.1, 3.0), _draw_roc, in_group, arms=arms)
    caption = (
        "ROC curves of each class against the rest, at the uniform prior: sensitivity averaged "
        "over folds and seeds at equal false-positive rate. Mean AUC over trials in each panel; of "
        f"more than six arms, in its file. {AVERAGED}"
    )
    return Figure("roc", caption, drawn, table, legend(arms), 240)


def _draw_confusion(
    axes: Axes, rows: pd.DataFrame, model: str, arm: str, classes: Sequence[str]
) -> str:
    matrix = rows.pivot_table(index="true", columns="predicted", values="predictions")
    counts = matrix.loc[list(classes), list(classes)].to_numpy()
    total = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    for (row, column), share in np.ndenumerate(shares):
        shade = "white" if share > 0.55 else INK
        if total[row]:
            text = f"{100 * share:.0f}"
            axes.text(column, row, text, ha="center", va="center", color=shade, fontsize=9)
    told = (
        f"{class_words(classes[true])} taken for {class_words(classes[seen])}: {count:,.0f} of "
        f"{total[true, 0]:,.0f}"
        for (true, seen), count in np.ndenumerate(counts)
    )
    height, place = np.indices(counts.shape).reshape(2, -1)
    add_tips(axes, place, height, told)
    names = [short(label) for label in classes]
    axes.set_xticks(range(len(classes)), names, rotation=90)
    axes.set_yticks(range(len(classes)), names)
    axes.set(xlabel="Predicted", ylabel="True")
    axes.grid(visible=False)
    return f"Confusion matrix of {arm}, {model}; {counts.sum():.0f} predictions"


def _draw_roc(axes: Axes, rows: pd.DataFrame, model: str, label: str, arms: Sequence[str]) -> str:
    axes.plot([0, 1], [0, 1], color="#8a949e", linewidth=1, linestyle=":")
    for height, (arm, curve) in enumerate(rows.groupby("arm", sort=False)):
        index = arms.index(str(arm))
        shade, style = colour(index), dashes(index)
        x, y = (curve[name].astype(float) for name in ("false_positive_rate", "sensitivity"))
        axes.plot(x, y, color=shade, linestyle=style)
        told_at = np.linspace(0.1, 0.9, 9)
        told = (
            f"{arm}: sensitivity {value:.3f} at specificity {1 - rate:.1f}"
            for rate, value in zip(told_at, np.interp(told_at, x, y), strict=True)
        )
        add_tips(axes, told_at, np.interp(told_at, x, y), told)
        if rows["arm"].nunique() <= MOST_AREAS:
            place, text = 0.04 + 0.09 * height, f"AUC {curve['auc'].iloc[0]:.3f}"
            axes.text(0.98, place, text, color=shade, ha="right", fontsize=9)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel="1 − specificity")
    axes.set(ylabel="Sensitivity", title=class_words(label))
    means = rows.groupby("arm", sort=False)["auc"].first()
    areas = (f"{arm} {value:.3f}" for arm, value in means.items())
    return f"ROC curve of {label}, {model}; mean AUC {', '.join(areas)}"
