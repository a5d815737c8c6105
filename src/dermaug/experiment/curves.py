"""Curves over the dose and over the number of real lesions, and what a dose is worth in lesions."""

import numpy as np
import pandas as pd

from dermaug.errors import DermaugError
from dermaug.experiment.comparisons import compare_arms, contrasts, control_arm
from dermaug.experiment.effects import Effect, arm_estimates, effects_of, place_of
from dermaug.experiment.results import RunResults
from dermaug.stats.bootstrap import percentile_interval
from dermaug.stats.learning_curve import MIN_SIZES, real_equivalents
from dermaug.stats.tally import ALL

METRIC = "balanced_accuracy"


def dose_curve(results: RunResults) -> pd.DataFrame:
    """One row a classifier and point of a dose curve.

    Returns:
        model, curve, arm, dose (images added in all, mean over cells), validation (mean balanced
        accuracy on the validation part), chosen (whether validation picks this dose), reference,
        difference, low, high (test part, balanced accuracy). Doses that were not chosen are
        exploratory: the test part is meant to be read once, for the chosen one.
    """
    compared = compare_arms(results)
    compared = compared[compared["metric"] == METRIC]
    rows = []
    for arm in results.experiment.arms:
        if not arm.curve or arm.replay_of:
            continue
        reference = control_arm(results, arm.name) or results.experiment.arms[0].name
        for model in dict.fromkeys(cell.model for cell in results.cells):
            cells = [cell for cell in results.cells if (cell.arm, cell.model) == (arm.name, model)]
            found = compared[
                (compared["arm"] == arm.name)
                & (compared["reference"] == reference)
                & (compared["model"] == model)
            ]
            if not cells or found.empty:
                continue
            rows.append(
                {
                    "model": model,
                    "curve": arm.curve,
                    "arm": arm.name,
                    "dose": np.mean([_dose(cell.manifest["train_counts"]) for cell in cells]),
                    "validation": np.mean([cell.manifest["best_score"] for cell in cells]),
                    "reference": reference,
                    "difference": found["pooled_difference"].iloc[0],
                    "low": found["low"].iloc[0],
                    "high": found["high"].iloc[0],
                }
            )
    table = pd.DataFrame(rows)
    if len(table):
        best = table.groupby(["model", "curve"])["validation"].transform("max")
        table["chosen"] = table["validation"] == best
    return table


def exploratory_doses(results: RunResults) -> set[tuple[str, str]]:
    """(model, arm) of the doses that validation does not pick: drawn, but not judged."""
    table = dose_curve(results)
    if table.empty:
        return set()
    others = table[~table["chosen"]]
    return set(zip(others["model"], others["arm"], strict=True))


def size_curve(results: RunResults) -> pd.DataFrame:
    """One row a number of training lesions, classifier and arm.

    Returns:
        lesions (mean number in the training part), model, arm, balanced_accuracy, low, high. Empty
        unless the study has several sizes.
    """
    if not results.reduced:
        return pd.DataFrame()
    rows = []
    arms = [arm.name for arm in results.experiment.arms]
    for point in (*results.reduced[::-1], results):
        place = place_of(point, ALL, METRIC)
        for model in dict.fromkeys(cell.model for cell in point.cells):
            for arm, estimate in arm_estimates(point, model, arms).items():
                low, high = percentile_interval(estimate.draws[:, place])
                rows.append(
                    {
                        "lesions": training_lesions(point),
                        "model": model,
                        "arm": arm,
                        METRIC: estimate.value[place],
                        "low": low,
                        "high": high,
                    }
                )
    return pd.DataFrame(rows)


def gain_curve(results: RunResults) -> pd.DataFrame:
    """One row a number of training lesions, classifier and synthetic arm: its gain, and its worth.

    Returns:
        lesions, model, arm, reference, difference, low, high (balanced accuracy), and worth: the
        extra real lesions that would have raised balanced accuracy as much, in words.
    """
    if not results.reduced:
        return pd.DataFrame()
    points = (*results.reduced[::-1], results)
    rows = []
    for point in points:
        place = place_of(point, ALL, METRIC)
        pairs = tuple(pair for pair in contrasts(point) if _is_gain(point, pair))
        for effect in effects_of(point, pairs):
            low, high = percentile_interval(effect.estimate.draws[:, place])
            rows.append(
                {
                    "lesions": training_lesions(point),
                    "model": effect.model,
                    "arm": effect.arm,
                    "reference": effect.reference,
                    "difference": effect.estimate.value[place],
                    "low": low,
                    "high": high,
                    "worth": _worth(points, point, effect),
                }
            )
    return pd.DataFrame(rows)


def training_lesions(results: RunResults) -> float:
    """Lesions in the training part, mean over folds."""
    table = results.catalog.table
    counts = [
        table["lesion_id"].iloc[results.catalog.rows(fold.train)].nunique()
        for fold in results.folds
    ]
    return float(np.mean(counts))


def _worth(points: tuple[RunResults, ...], point: RunResults, effect: Effect) -> str:
    """Real equivalents on the learning curve of the reference arm; "" without a curve."""
    place = place_of(point, ALL, METRIC)
    model, reference = effect.model, effect.reference
    known = [each for each in points if reference in arm_estimates(each, model, [reference])]
    if len(known) < MIN_SIZES:
        return ""
    sizes = np.array([training_lesions(each) for each in known])
    scores = np.stack(
        [arm_estimates(each, model, [reference])[reference].draws[:, place] for each in known], 1
    )
    gain = effect.estimate.draws[:, place]  # paired by seed, unlike two single arms
    try:
        return str(real_equivalents(sizes, scores, training_lesions(point), gain))
    except DermaugError:
        return ""


def _is_gain(results: RunResults, pair: tuple[str, str]) -> bool:
    """Whether a contrast is of an arm with a dose against the arm that lacks only the dose."""
    arm, reference = pair
    asked = next(each for each in results.experiment.arms if each.name == arm)
    return asked.synthetic is not None and reference == control_arm(results, arm)


def _dose(counts: dict[str, dict[str, int]]) -> int:
    return sum(each["synthetic"] for each in counts.values())
