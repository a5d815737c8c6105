"""Figures of the scores: paired differences, scores by class, confusion matrices, ROC curves."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from dermaug.evaluation.readouts import ADJUSTED, AUC
from dermaug.experiment.plan.comparisons import NEGATIVE
from dermaug.report import figures
from dermaug.report.figures import Figure, Panel, drawing, file_name, svg
from dermaug.stats.outcomes import EXPLORATORY, NOT_JUDGED
from dermaug.stats.trainings import GROUPS_ONLY

_BY_CLASS = {"sensitivity_adjusted": "sensitivity", "specificity_adjusted": "specificity"}
MOST_AREAS = 6
"""Arms up to which a ROC panel has room for the areas; more would hide the curves."""


def forest(verdicts: pd.DataFrame, primary: str) -> Figure:
    """Paired differences in the primary metric with their intervals, one panel per classifier.

    Args:
        verdicts: What `verdict_table` gives.
        primary: balanced_accuracy (drawn prior-adjusted) or macro_auc.
    """
    readout = AUC if primary == "macro_auc" else ADJUSTED
    table = verdicts[(verdicts["metric"] == primary) & (verdicts["readout"] == readout)]
    words = "macro AUC" if primary == "macro_auc" else "mean sensitivity, prior-adjusted"
    bound = 1.1 * np.nanmax(np.abs(table[["difference", "low", "high"]].to_numpy(dtype=float)))
    panels = []
    for index, (model, rows) in enumerate(table.groupby("model", sort=False)):
        with drawing(4.7, 1.05 + 0.4 * len(rows)) as axes:
            _draw_forest(axes, rows, max(float(bound), 0.01))
            axes.set_xlabel(f"difference in {words}")
            axes.set_title(figures.short(str(model), 40))
            alt = f"{model}: " + "; ".join(
                f"{row.arm} minus {row.reference} {row.difference:+.3f} "
                f"({row.low:+.3f} to {row.high:+.3f}), {row.verdict}"
                for row in rows.itertuples()
            )
            panels.append(Panel(file_name("differences", index, model), alt, svg(axes)))
    caption = (
        f"Difference in {words} between two arms, on the same test groups, with 95 % intervals. "
        "Right of zero: the first-named is better. Blue: judged. Grey: replay controls and doses "
        "that were not chosen. Grey and dotted: one training per arm, not judged. A negative "
        "control is shown every class as often as its reference: it shows what training noise "
        "does here."
    )
    return Figure("differences", caption, tuple(panels), table, width=400)


def class_scores(class_table: pd.DataFrame, arms: Sequence[str], classes: Sequence[str]) -> Figure:
    """Sensitivity and specificity by class and arm, mean and SD over trials."""
    summary = (
        class_table.groupby(["model", "arm", "label"], sort=False)[list(_BY_CLASS)]
        .agg(["mean", "std", "count"])
        .sort_index(axis=1)
    )
    summary.columns = ["_".join(names) for names in summary.columns]
    table = summary.reset_index()
    panels = []
    for index, (model, rows) in enumerate(table.groupby("model", sort=False)):
        for metric, words in _BY_CLASS.items():
            with drawing(3.9, 0.95 + 0.42 * len(classes)) as axes:
                _draw_class_scores(axes, rows, metric, arms, classes)
                axes.set_title(words.capitalize())
                alt = f"{words} of each class by arm, classifier {model}; numbers in the table"
                name = file_name(words, index, model)
                panels.append(Panel(name, alt, svg(axes), group=str(model)))
    caption = (
        "Sensitivity and specificity of each class against the rest, prior-adjusted; mean over "
        "folds and seeds, "
        "line: ± 1 SD where there are several."
    )
    return Figure("class_scores", caption, tuple(panels), table, figures.legend(arms), 400)


def confusion_matrices(table: pd.DataFrame, classes: Sequence[str]) -> Figure:
    """One matrix a classifier and arm, test parts of all folds and seeds added up.

    Args:
        table: What `score_confusion` gives.
        classes: Labels, in the order of rows and columns.
    """
    panels = []
    for index, ((model, arm), rows) in enumerate(table.groupby(["model", "arm"], sort=False)):
        matrix = rows.pivot_table(index="true", columns="predicted", values="predictions")
        counts = matrix.loc[list(classes), list(classes)].to_numpy()
        room = 0.5 + 0.08 * max(len(figures.short(label)) for label in classes)
        with drawing(room + 0.46 * len(classes), 0.3 + room + 0.42 * len(classes)) as axes:
            _draw_confusion(axes, counts, classes)
            alt = f"Confusion matrix of {arm}, {model}; {counts.sum():.0f} predictions"
            name = file_name("confusion", index, model, arm)
            # The page sets the arm's name: a drawing this small would cut it off.
            panels.append(Panel(name, alt, svg(axes), title=str(arm), group=str(model)))
    caption = (
        "Rows: true class; columns: predicted class at argmax; per cent of the row, so the "
        "diagonal is the sensitivity. Test parts of all folds and seeds together; an image counts "
        "once per seed."
    )
    return Figure("confusion", caption, tuple(panels), table)


def roc_curves(table: pd.DataFrame, arms: Sequence[str]) -> Figure:
    """One panel a classifier and class, one-vs-rest; each arm's curve is the mean over trials.

    Args:
        table: What `score_roc` gives.
        arms: Names in the experiment's order.
    """
    panels = []
    for index, ((model, label), rows) in enumerate(table.groupby(["model", "label"], sort=False)):
        with drawing(3.1, 3.0) as axes:
            _draw_roc(axes, rows, arms)
            axes.set_title(figures.short(str(label), 30))
            means = rows.groupby("arm", sort=False)["auc"].first()
            alt = f"ROC curve of {label}, {model}; mean AUC " + ", ".join(
                f"{arm} {value:.3f}" for arm, value in means.items()
            )
            name = file_name("roc", index, model, label)
            panels.append(Panel(name, alt, svg(axes), group=str(model)))
    caption = (
        "ROC curves of each class against the rest, at the uniform prior: sensitivity averaged "
        "over folds and seeds at equal false-positive rate. Mean AUC in each panel; of more than "
        "six arms, in the file."
    )
    return Figure("roc", caption, tuple(panels), table, figures.legend(arms), 240)


def _draw_forest(axes: Axes, rows: pd.DataFrame, bound: float) -> None:
    axes.axvline(0, color=figures.INK, linewidth=1)
    names = []
    for height, row in enumerate(rows.to_dict("records")):
        is_judged = row["verdict"] not in (EXPLORATORY, NOT_JUDGED)
        shade = figures.colour(0) if is_judged else "#7b8794"
        style = ":" if row["levels"] == GROUPS_ONLY else "-"
        axes.plot([row["low"], row["high"]], [height] * 2, style, color=shade, linewidth=2.4)
        axes.plot(row["difference"], height, figures.marker(0), color=shade, markersize=8)
        arm, reference = (figures.short(row[name], 28) for name in ("arm", "reference"))
        below = row["role"] if row["role"] == NEGATIVE else f"minus {reference}"
        names.append(f"{arm}\n{below}")
    axes.set_yticks(range(len(rows)), names)
    axes.set(xlim=(-bound, bound), ylim=(len(rows) - 0.5, -0.5))
    axes.grid(visible=False, axis="y")


def _draw_class_scores(
    axes: Axes, rows: pd.DataFrame, metric: str, arms: Sequence[str], classes: Sequence[str]
) -> None:
    present = [arm for arm in arms if arm in set(rows["arm"])]
    offsets = np.linspace(-0.26, 0.26, len(present)) if len(present) > 1 else [0.0]
    for offset, arm in zip(offsets, present, strict=True):
        series = rows[rows["arm"] == arm].set_index("label").reindex(list(classes))
        axes.errorbar(
            series[f"{metric}_mean"],
            np.arange(len(classes)) + offset,
            xerr=series[f"{metric}_std"].fillna(0.0),
            fmt=figures.marker(arms.index(arm)),
            color=figures.colour(arms.index(arm)),
            elinewidth=1.4,
            markersize=5,
        )
    axes.set_yticks(range(len(classes)), [figures.short(label) for label in classes])
    axes.set(xlim=(-0.02, 1.02), ylim=(len(classes) - 0.5, -0.5))


def _draw_confusion(axes: Axes, counts: np.ndarray, classes: Sequence[str]) -> None:
    total = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    for (row, column), share in np.ndenumerate(shares):
        shade = "white" if share > 0.55 else figures.INK
        if total[row]:
            text = f"{100 * share:.0f}"
            axes.text(column, row, text, ha="center", va="center", color=shade, fontsize=9)
    names = [figures.short(label) for label in classes]
    axes.set_xticks(range(len(classes)), names, rotation=90)
    axes.set_yticks(range(len(classes)), names)
    axes.set(xlabel="predicted", ylabel="true")
    axes.grid(visible=False)


def _draw_roc(axes: Axes, rows: pd.DataFrame, arms: Sequence[str]) -> None:
    axes.plot([0, 1], [0, 1], color="#8a949e", linewidth=1, linestyle=":")
    for height, (arm, curve) in enumerate(rows.groupby("arm", sort=False)):
        index = arms.index(str(arm))
        shade, dashes = figures.colour(index), figures.dashes(index)
        x, y = (curve[name].astype(float) for name in ("false_positive_rate", "sensitivity"))
        axes.plot(x, y, color=shade, linestyle=dashes)
        if rows["arm"].nunique() <= MOST_AREAS:
            place, text = 0.04 + 0.09 * height, f"AUC {curve['auc'].iloc[0]:.3f}"
            axes.text(0.98, place, text, color=shade, ha="right", fontsize=9)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel="1 − specificity")
    axes.set_ylabel("sensitivity")
