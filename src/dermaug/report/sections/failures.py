"""Test images that the classifiers get wrong, the gravest first: real ones, for this page only.

Nothing of this is part of the scoring, so that `dermaug publish` cannot write it.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool

from dermaug.data.class_names import class_words
from dermaug.evaluation.malignancy import malignant_classes
from dermaug.evaluation.predictions import probability_column
from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Block, Figure, Panel, Section
from dermaug.report.drawing import file_name, png, thumbnail
from dermaug.report.formats import counted, number
from dermaug.scoring.scores import adjusted, label_arrays, on_test

MOST = 6
"""Largest number of images shown of each class."""
CAUTION = (
    "These are real images of the test split. They are in this page and beside it in figures/ "
    "only; dermaug publish leaves them out. A change to the study that was made after looking at "
    "them has used its test split, and must be tested on other lesions."
)


def failure_section(results: RunResults) -> Section:
    """A gallery of failures by class; empty before a trial has finished, and without failures."""
    found = failures(results) if results.trials else pd.DataFrame()
    content: list[Block] = [CAUTION, failure_figure(results, found)] if len(found) else []
    return Section("failures", "Failure cases", content)


def failures(results: RunResults) -> pd.DataFrame:
    """Images that the mean prediction of all compared arms calls wrongly, in the page's order.

    Malignant or pre-malignant classes come first, and in them lesions that are called benign. Of
    several images of a lesion, the first in this order is kept.

    Returns:
        label, image_id, lesion_id, called (the class with the highest probability), probability
        (of that class, prior-adjusted), trainings (number of classifiers behind it), missed
        (whether the lesion is malignant or pre-malignant and called benign).
    """
    classes, columns = results.catalog.classes, ["label", "image_id", "lesion_id"]
    table = mean_predictions(results)
    even = table[[probability_column(label) for label in classes]].to_numpy(dtype=np.float64)
    called, labels = even.argmax(axis=1), pd.Categorical(table["label"], classes).codes
    grave = grave_classes(classes)
    table = table[[*columns, "trainings"]].assign(
        called=np.array(classes)[called],
        probability=even.max(axis=1),
        missed=grave[labels] & ~grave[called],
        rank=np.argsort(np.argsort(~grave, kind="stable"))[labels],
    )
    wrong: pd.DataFrame = table[labels != called]
    order = wrong.sort_values(["rank", "missed", "probability"], ascending=[True, False, False])
    kept: pd.DataFrame = order.drop_duplicates("lesion_id", ignore_index=True)
    return kept.reindex(columns=[*columns, "called", "probability", "trainings", "missed"])


def mean_predictions(results: RunResults) -> pd.DataFrame:
    """One row per test image: prior-adjusted probabilities, the mean over the compared arms."""
    classes = results.catalog.classes
    names = [probability_column(label) for label in classes]
    keys, tables = ["image_id", "lesion_id", "label"], []
    for trial in results.trials:
        test = on_test(trial)
        even = adjusted(trial, label_arrays(test, results)[1], results)
        tables.append(test[keys].assign(**dict(zip(names, even.T, strict=True))))
    images = pd.concat(tables, ignore_index=True).groupby(keys, sort=False)
    means = images[names].mean().assign(trainings=images.size())
    return pd.DataFrame(means).reset_index()


def grave_classes(classes: Sequence[str]) -> Bool[np.ndarray, " k"]:
    """Mask of the malignant or pre-malignant classes; of none where the labels do not tell."""
    known = malignant_classes(classes)
    return np.zeros(len(classes), dtype=bool) if known is None else known


def failure_figure(results: RunResults, found: pd.DataFrame) -> Figure:
    """The first of the `failures` of each class."""
    panels, shown = [], found.groupby("label", sort=False).head(MOST)
    totals, unit = found["label"].value_counts(), "lesion" if results.catalog.grouped else "image"
    for index, row in enumerate(shown.to_dict("records")):
        (place,) = results.catalog.rows([row["image_id"]])
        title = f"{row['called']} {number(row['probability'], 2)}"
        alt = f"Real image of class {row['label']}, called {title}"
        name = file_name("failures", index, row["label"], row["called"], ending="png")
        few = "" if totals[row["label"]] <= MOST else f", {MOST} shown"
        group = f"{class_words(row['label'])}: {counted(totals[row['label']], unit)}{few}"
        pixels = png(thumbnail(results.images[place]))
        panels.append(Panel(name, alt, pixels, title, group))
    first = (
        " Malignant or pre-malignant classes come first; in them, images that are called benign "
        "come before the others."
    )
    what, averaged = "Images of the test splits that are called wrongly", ""
    if results.catalog.grouped:
        what = (
            "Lesions of the test splits of which at least one image is called wrongly, each by its "
            "first such image"
        )
        averaged = " Averaged over its images, a lesion may be called rightly."
    caption = (
        f"{what}, by their true class and in the order of confidence; above it the class "
        "that it is called and that class's probability, prior-adjusted and averaged over the "
        "classifiers that tested the image (all compared arms, networks and seeds; not the "
        f"shorter trainings).{averaged}"
        f"{first if grave_classes(results.catalog.classes).any() else ''}"
    )
    return Figure("failures", caption, tuple(panels), found, width=88)
