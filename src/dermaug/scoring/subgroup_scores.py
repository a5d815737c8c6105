"""Subgroups: scores by sex, age, site, skin tone, diagnosis and device, with intervals."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from dermaug.evaluation.malignancy import malignant_classes
from dermaug.evaluation.readouts import ADJUSTED
from dermaug.evaluation.subgroups import UNKNOWN, age_band_names, age_bands
from dermaug.experiment.plan.comparisons import baseline
from dermaug.experiment.run.results import RunResults
from dermaug.scoring.points import Point
from dermaug.stats.answers import FoldPredictions, arm_samples, paired_samples
from dermaug.stats.estimate import Estimate
from dermaug.stats.hierarchy import estimate_all
from dermaug.stats.metrics import ALL, Metric, metrics_of, readout_metrics
from dermaug.whole_numbers import whole_number

RESAMPLES = 1_000
FEWEST = 20
"""A metric computed from fewer images than this has no interval."""
FEWEST_OF_CLASS = 5
"""A class with fewer images in a group is left out of the group's mean sensitivity: its sensitivity
would be all or nothing, and some bootstrap draws would lack the class."""
MOST_VALUES = 15
"""Number of body sites, and of skin tones, that are kept apart; rarer ones are merged."""
MERGED = {
    "site": ("localization", "other sites"),
    "skin_tone": ("skin_tone", "other skin tones"),
    "dx_type": ("dx_type", "other ways"),
    "device": ("device", "other devices"),
}
"""Grouping -> its column in the table of the images, and what rare values are called."""
COLUMNS = (
    *("model", "grouping", "group", "metric", "arm", "reference", "value", "low", "high"),
    *("images", "lesions", "support", "classes"),
)


def describe_groups(results: RunResults) -> pd.DataFrame:
    """The groups that each image belongs to, indexed by image_id.

    Returns:
        lesion_id, and as ordered categories sex, age, site, skin_tone, dx_type (how the diagnosis
        was made) and, where the data tell it, device; the last three with the values of the data's
        own columns.
    """
    table = results.catalog.table
    groups: dict[str, tuple[Iterable[str], list[str]]] = {
        "sex": (table["sex"], ["female", "male"]),
        "age": (age_bands(table["age"].to_numpy(dtype=float)), age_band_names()),
    }
    for name, (column, others) in MERGED.items():
        if column in table:
            values, frequent = _most_frequent(table[column], others)
            order = sorted(frequent, key=_scale_order) if name == "skin_tone" else frequent
            groups[name] = (values, [*order, others])
    columns = {
        name: pd.Categorical(list(values), categories=[*order, UNKNOWN], ordered=True)
        for name, (values, order) in groups.items()
    }
    described = pd.DataFrame({"lesion_id": table["lesion_id"].to_numpy(), **columns})
    return described.set_index(pd.Index(table["image_id"], name="image_id"))


def _most_frequent(column: pd.Series, others: str) -> tuple[pd.Series, list[str]]:
    """Replace rare values of a column by `others`; also return the frequent values in order."""
    values = column.astype(str)
    frequent = [name for name in values.value_counts().index if name != UNKNOWN][:MOST_VALUES]
    return values.where(values.isin([*frequent, UNKNOWN]), others), frequent


def _scale_order(tone: str) -> tuple[int, str]:
    """Sort numbers by size and other names alphabetically, which also orders I to VI."""
    return whole_number(tone) or 0, tone


def score_subgroups(point: Point, resamples: int = RESAMPLES) -> pd.DataFrame:
    """Score every arm, and its difference to its baseline, in each group of test images.

    All decisions are prior-adjusted. Values and intervals are computed by `estimate_all` on the
    test images of the group, with resampled lesions and moderated variances of the trainings. All
    rows are exploratory.

    Returns:
        model, grouping (sex, age, site, skin_tone, dx_type, device), group, metric
        (balanced_accuracy, malignant_sensitivity or malignant_specificity), arm, reference ("" for
        the arm's own score), value (a score or the difference arm - reference), low, high (95 %;
        NaN where support < `FEWEST`), images, lesions, support (the group's images; for
        malignant_sensitivity its malignant or pre-malignant ones, for malignant_specificity the
        others), and classes: the number of classes with at least `FEWEST_OF_CLASS` images in the
        group, over which balanced_accuracy is computed; it is missing for a group without such a
        class. A grouping with a single group is left out; so are malignant_sensitivity and
        malignant_specificity if the classes are not those of HAM10000.
    """
    results = point.results
    models = list(dict.fromkeys(trial.model for trial in results.trials))
    described = describe_groups(results) if models else pd.DataFrame()
    rows = [
        {"model": model, "grouping": grouping, "group": group, **row}
        for model in models
        for folds in [_complete(point.predictions[model])]
        if folds
        for tested in [described.loc[np.concatenate([each.image_ids for each in folds.values()])]]
        for grouping, group, inside in _each_group(tested)
        for row in _score_group(
            results, folds, set(tested.index[inside]), tested[inside], resamples
        )
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _complete(folds: Mapping[int, FoldPredictions]) -> dict[int, FoldPredictions]:
    """The folds in which every arm has been trained, so that arms are scored on the same images."""
    arms = {fold: {arm for arm, _ in each.plain} for fold, each in folds.items()}
    everyone = set().union(*arms.values())
    return {fold: each for fold, each in folds.items() if arms[fold] == everyone}


@dataclass(frozen=True, eq=False)
class _Question:
    """One evaluation of a group: the classes that are distinguished and the metrics computed."""

    metrics: Mapping[str, Metric]
    merged: Int[np.ndarray, " k"]
    names: tuple[str, ...]
    kept: Bool[np.ndarray, " k"]


def _questions(results: RunResults, images: Float[np.ndarray, " k"]) -> list[_Question]:
    """Mean sensitivity over the classes that are frequent enough; malignant or pre-malignant."""
    classes = results.catalog.classes
    frequent = images >= FEWEST_OF_CLASS
    mean = Metric(ADJUSTED, ALL, "balanced_accuracy")
    if frequent.sum() == 1:  # trainings vary as in this class, and more than in a mean of several
        mean = Metric(ADJUSTED, classes[int(frequent.argmax())], "sensitivity")
    found = [_Question({"balanced_accuracy": mean}, np.arange(len(classes)), classes, frequent)]
    malignant = malignant_classes(classes)
    if malignant is not None:
        both = {
            f"malignant_{name}": Metric(ADJUSTED, "malignant", name)
            for name in ("sensitivity", "specificity")
        }
        everyone = np.ones(len(classes), dtype=bool)
        found.append(_Question(both, malignant.astype(int), ("benign", "malignant"), everyone))
    return found


def _score_group(
    results: RunResults,
    folds: Mapping[int, FoldPredictions],
    inside: set[str],
    described: pd.DataFrame,
    resamples: int,
) -> Iterator[dict[str, str | float | int]]:
    """Rows of one group: for each metric every arm, then every difference."""
    labels = results.catalog.labels[results.catalog.rows(list(described.index))]
    images = np.bincount(labels, minlength=results.catalog.num_classes)
    for question in _questions(results, images):
        answers = {
            fold: each.answered(kept, question.merged)
            for fold, each in folds.items()
            for kept in [np.isin(each.image_ids, list(inside)) & question.kept[each.labels]]
            if kept.any()
        }
        arms = list(dict.fromkeys(arm for found in answers.values() for arm, _ in found.answers))
        samples = {(arm, ""): arm_samples(answers, arm) for arm in arms}
        samples |= {pair: paired_samples(answers, *pair) for pair in _references(results, arms)}
        there = {pair: sample for pair, sample in samples.items() if sample}
        estimates = estimate_all(list(there.values()), readout_metrics(question.names), resamples)
        support = _supports(images, question)
        for name, metric in question.metrics.items():
            if not support[name]:
                continue
            place = metrics_of(question.names).index(metric)
            for (arm, reference), estimate in zip(there, estimates, strict=True):
                yield {
                    "metric": name,
                    "arm": arm,
                    "reference": reference,
                    **_numbers(estimate.at(place), support[name], -1.0 if reference else 0.0),
                    "images": len(described),
                    "lesions": described["lesion_id"].nunique(),
                    "support": support[name],
                    "classes": int((images >= FEWEST_OF_CLASS).sum()),
                }


def _supports(images: Int[np.ndarray, " k"], question: _Question) -> dict[str, int]:
    """Number of images behind each metric of a question."""
    positive = int(images[question.merged == 1].sum())
    numbers = {
        "malignant_sensitivity": positive,
        "malignant_specificity": int(images.sum()) - positive,
        "balanced_accuracy": int(images[question.kept].sum()),
    }
    return {name: numbers[name] for name in question.metrics}


def _numbers(estimate: Estimate, support: int, least: float) -> dict[str, float]:
    low, high = (
        estimate.interval()[:, 0].clip(least, 1.0) if support >= FEWEST else (np.nan, np.nan)
    )
    return {"value": float(estimate.value[0]), "low": float(low), "high": float(high)}


def _references(results: RunResults, arms: Sequence[str]) -> list[tuple[str, str]]:
    """(arm, baseline) of every arm that has one."""
    pairs = [(arm, baseline(results.experiment.arms, arm)) for arm in arms]
    return [(arm, reference) for arm, reference in pairs if reference in arms and reference]


def _each_group(described: pd.DataFrame) -> Iterator[tuple[str, str, Bool[np.ndarray, " n"]]]:
    """Yield grouping, group and its images; groupings with a single group are left out."""
    for grouping in described.columns.drop("lesion_id"):
        present = described[grouping].cat.remove_unused_categories().cat.categories
        if len(present) > 1:
            for group in present:
                yield str(grouping), str(group), (described[grouping] == group).to_numpy()
