"""Scores by arm and classifier, by class, confusion matrices and ROC curves."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from dermaug.data.class_names import class_words
from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Block, Details, Figure, Panel, Section, Table
from dermaug.report.drawing import (
    class_lines,
    colour,
    in_group,
    legend,
    marker,
    panels,
)
from dermaug.report.formats import AVERAGED, arm_rows, mean_and_spread, number
from dermaug.report.sections.confusion_roc import confusion_matrices, roc_curves
from dermaug.report.tips import add_tips
from dermaug.scoring.scoring import Scoring

_HEADINGS = {
    "balanced_accuracy_adjusted": "Mean sensitivity, prior-adjusted",
    "mean_specificity_adjusted": "Mean specificity, prior-adjusted",
    "macro_auc": "Macro AUC",
    "balanced_accuracy": "Mean sensitivity, argmax",
    "mean_specificity": "Mean specificity, argmax",
    "accuracy": "Accuracy, argmax",
}
_BY_CLASS = {"sensitivity_adjusted": "sensitivity", "specificity_adjusted": "specificity"}
_CLASSES = "Sensitivity and specificity by class"


def class_section(results: RunResults, scoring: Scoring) -> Section:
    """Sensitivity and specificity of each class; empty before a trial has finished."""
    if scoring.scores.empty:
        return Section("classes", _CLASSES, [])
    arms, classes = results.arms, results.catalog.classes
    by_class = scoring.class_scores
    tables = [
        class_table(by_class, arms, classes, str(model)) for model in by_class["model"].unique()
    ]
    numbers = Details("Numbers of the figure", tables)
    content: list[Block] = [class_scores(by_class, arms, classes), numbers]
    return Section("classes", _CLASSES, content, "Classes")


def score_sections(results: RunResults, scoring: Scoring) -> list[Section]:
    """Scores of the arms, confusion matrices and ROC curves; none before a trial has finished."""
    if scoring.scores.empty:
        return []
    arms, classes = results.arms, results.catalog.classes
    lesions = [lesion_table(scoring.lesion_scores, arms)] if len(scoring.lesion_scores) else []
    matrices = confusion_matrices(scoring.confusion, classes)
    title = "Scores by arm and classifier"
    return [
        Section("scores", title, [score_table(scoring.scores, arms), *lesions]),
        Section("confusion", "Confusion matrices", [matrices]),
        Section("roc", "ROC curves", [roc_curves(scoring.roc, arms)]),
    ]


def score_table(scores: pd.DataFrame, arms: Sequence[str]) -> Table:
    """Arm x classifier: overall metrics in every readout; mean ± SD over trials."""
    images = round(scores["images"].sum() / max(len(scores), 1))
    caption = (
        f"Test split, mean ± SD over n trials (folds × seeds), {images:,} test images per trial on "
        "average. Mean sensitivity is balanced accuracy; all means are over classes, unweighted. "
        "Argmax: the class with the highest probability. Prior-adjusted: after division by the "
        f"prior that the loss saw. The AUC is computed at the uniform prior. {AVERAGED}"
    )
    return _by_arm(scores, arms, caption, "scoring/scores.csv")


def lesion_table(scores: pd.DataFrame, arms: Sequence[str]) -> Table:
    """The same for lesions, the probabilities of whose images are averaged."""
    lesions = round(scores["lesions"].sum() / max(len(scores), 1))
    caption = (
        "Scores of lesions: the probabilities of all images of a lesion are averaged before it is "
        f"classified. Test split, mean ± SD over n trials, {lesions:,} lesions per trial on "
        "average. Exploratory; everything else in this report is scored by image."
    )
    return _by_arm(scores, arms, caption, "scoring/lesion_scores.csv")


def _by_arm(scores: pd.DataFrame, arms: Sequence[str], caption: str, source: str) -> Table:
    def cells(trials: pd.DataFrame) -> tuple[str, ...]:
        return *(mean_and_spread(trials[metric]) for metric in _HEADINGS), str(len(trials))

    header = ("Arm", *_HEADINGS.values(), "n")
    return Table(caption, header, arm_rows(scores, arms, cells), source=source)


def class_table(
    class_scores: pd.DataFrame, arms: Sequence[str], classes: Sequence[str], model: str
) -> Table:
    """Sensitivity and specificity of each class by arm, prior-adjusted; mean ± SD over trials."""
    part = class_scores[class_scores["model"] == model]
    rows: list[tuple[str, ...]] = []
    for metric in ("sensitivity", "specificity"):
        rows.append((metric.capitalize(),))
        for arm in (arm for arm in arms if arm in set(part["arm"])):
            trials = part[part["arm"] == arm]
            values = dict(tuple(trials.groupby("label")[f"{metric}_adjusted"]))
            rows.append((arm, *(mean_and_spread(values[label]) for label in classes)))
    first = part[part["arm"] == part["arm"].iloc[0]].drop_duplicates(["fold", "label"])
    counts = first.groupby("label")["support"].sum()
    header = ("Arm", *(f"{class_words(label)}, {counts[label]:,} images" for label in classes))
    caption = (
        f"{model}: each class against the rest, prior-adjusted, mean ± SD over folds and seeds; "
        f"test images of the class, all folds together. "
        f"{AVERAGED} Values at argmax are in scoring/class_scores.csv of the run."
    )
    return Table(caption, header, tuple(rows), source="scoring/class_scores.csv")


def class_scores(class_table: pd.DataFrame, arms: Sequence[str], classes: Sequence[str]) -> Figure:
    """Sensitivity and specificity by class and arm, mean and SD over trials."""
    summary = (
        class_table.groupby(["model", "arm", "label"], sort=False)[list(_BY_CLASS)]
        .agg(["mean", "std", "count"])
        .sort_index(axis=1)
    )
    summary.columns = ["_".join(names) for names in summary.columns]
    table = summary.reset_index()
    size, given = (4.9, 0.95 + 0.42 * len(classes)), {"arms": arms, "classes": classes}
    drawn: tuple[Panel, ...] = ()
    for metric, words in _BY_CLASS.items():
        drawn += panels(
            table, ["model"], words, size, _draw_class_scores, in_group, metric=metric, **given
        )
    caption = (
        "Sensitivity and specificity of each class against the rest, prior-adjusted; mean over "
        "folds and seeds, "
        "line: ± 1 SD where there are several."
    )
    return Figure("class_scores", caption, drawn, table, legend(arms), 400)


def _draw_class_scores(
    axes: Axes,
    rows: pd.DataFrame,
    model: str,
    metric: str,
    arms: Sequence[str],
    classes: Sequence[str],
) -> str:
    present = [arm for arm in arms if arm in set(rows["arm"])]
    offsets = np.linspace(-0.26, 0.26, len(present)) if len(present) > 1 else [0.0]
    for offset, arm in zip(offsets, present, strict=True):
        series = rows[rows["arm"] == arm].set_index("label").reindex(list(classes))
        axes.errorbar(
            series[f"{metric}_mean"],
            np.arange(len(classes)) + offset,
            xerr=series[f"{metric}_std"].fillna(0.0),
            fmt=marker(arms.index(arm)),
            color=colour(arms.index(arm)),
            elinewidth=1.4,
            markersize=5,
        )
        means, spreads = (series[f"{metric}_{name}"] for name in ("mean", "std"))
        told = (
            f"{class_words(label)}, {arm}: {number(mean)}" + (f" ± {std:.3f}" if std >= 0 else "")
            for label, mean, std in zip(classes, means, spreads, strict=True)
        )
        add_tips(axes, means, np.arange(len(classes)) + offset, told)
    axes.set_yticks(range(len(classes)), [class_lines(label) for label in classes])
    words = _BY_CLASS[metric]
    axes.set(xlim=(-0.02, 1.02), ylim=(len(classes) - 0.5, -0.5), title=words.capitalize())
    return f"{words} of each class by arm, classifier {model}; numbers in the table"
