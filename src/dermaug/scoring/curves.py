"""Curves over the dose and over the number of real lesions, and what a dose is worth in lesions."""

from functools import lru_cache

import numpy as np
import pandas as pd
from jaxtyping import Float

from dermaug.errors import DermaugError
from dermaug.evaluation.readouts import ADJUSTED, AUC
from dermaug.experiment.plan.comparisons import Contrast, baseline, contrasts, control_arm
from dermaug.experiment.run.results import RunResults
from dermaug.scoring.effects import Effect, arm_estimates, effects_of, place_of
from dermaug.scoring.scores import primary_on_validation
from dermaug.stats.learning_curve import MIN_SIZES, real_equivalents
from dermaug.stats.metrics import ALL, Metric


def primary_metric(results: RunResults) -> Metric:
    """The study's primary metric: mean sensitivity, prior-adjusted, or macro AUC."""
    name = results.experiment.verdict.primary
    return Metric(AUC if name == "macro_auc" else ADJUSTED, ALL, name)


def primary_words(results: RunResults) -> str:
    """Name of the primary metric."""
    return "macro AUC" if primary_metric(results).readout == AUC else "mean sensitivity"


def chosen_doses(results: RunResults) -> pd.DataFrame:
    """One row a classifier and point of a dose curve: what validation picks; the test is not read.

    Returns:
        model, curve, arm, dose (images added in all, mean over trials), validation (the primary
        metric on the validation part, mean over trials), chosen (the best on validation, the
        smaller dose of equals). The replay of a dose has a curve of its own and is chosen with its
        dose.
    """
    rows = []
    for arm in results.experiment.arms:
        for model in dict.fromkeys(trial.model for trial in results.trials):
            trials = [
                trial for trial in results.trials if (trial.arm, trial.model) == (arm.name, model)
            ]
            if not arm.curve or not trials:
                continue
            rows.append(
                {
                    "model": model,
                    "curve": arm.curve,
                    "arm": arm.name,
                    "dose": float(np.mean([_dose(c.manifest["train_counts"]) for c in trials])),
                    "validation": float(
                        np.mean([primary_on_validation(c, results) for c in trials])
                    ),
                    "replay_of": arm.replay_of,
                }
            )
    if not rows:
        return pd.DataFrame()
    table = pd.DataFrame(rows).sort_values("dose", kind="stable")
    own = table[table["replay_of"] == ""]
    best = own.loc[own.groupby(["model", "curve"])["validation"].idxmax()]
    picked = set(zip(best["model"], best["arm"], strict=True))
    judged = table["replay_of"].where(table["replay_of"] != "", table["arm"])
    table["chosen"] = [place in picked for place in zip(table["model"], judged, strict=True)]
    return table.sort_index().drop(columns="replay_of")


def dose_curve(results: RunResults) -> pd.DataFrame:
    """One row per classifier and point of a dose curve, or of the curve of its replays.

    Returns:
        The columns of `chosen_doses`, then reference, difference, low, high (test part, primary
        metric, against the arm without the dose). Doses that were not chosen are exploratory:
        the test part is meant to be read once, for the chosen one.
    """
    chosen = chosen_doses(results)
    if chosen.empty:
        return chosen
    place = place_of(results, primary_metric(results))
    pairs = tuple(
        pair for pair in contrasts(results) if pair.reference == baseline(results, pair.arm)
    )
    numbers = pd.DataFrame(
        [
            (
                effect.model,
                effect.contrast.arm,
                effect.contrast.reference,
                *_interval(effect, place),
            )
            for effect in effects_of(results, pairs)
        ],
        columns=["model", "arm", "reference", "difference", "low", "high"],
    )
    return chosen.merge(numbers, on=["model", "arm"])


def _interval(effect: Effect, place: int) -> tuple[float, float, float]:
    low, high = effect.estimate.at(place).interval()[:, 0].clip(-1.0, 1.0)
    return float(effect.estimate.value[place]), float(low), float(high)


def exploratory_doses(results: RunResults) -> set[tuple[str, str]]:
    """(model, arm) of doses that validation does not pick, and of their replays: not judged."""
    table = chosen_doses(results)
    if table.empty:
        return set()
    others = table[~table["chosen"]]
    return set(zip(others["model"], others["arm"], strict=True))


def size_curve(results: RunResults) -> pd.DataFrame:
    """One row a number of training lesions, classifier and arm.

    Returns:
        lesions (mean number in the training part), model, arm, curve (the dose curve it is a point
        of, or ""), chosen (whether validation picks this dose at this size; true for arms without
        a dose curve), score (the primary metric), low, high. Empty unless the study has several
        sizes.
    """
    if not results.reduced:
        return pd.DataFrame()
    rows = []
    curves = {arm.name: arm.curve for arm in results.experiment.arms}
    for point in (*results.reduced[::-1], results):
        place, exploratory = place_of(point, primary_metric(point)), exploratory_doses(point)
        for model in dict.fromkeys(trial.model for trial in point.trials):
            for arm, estimate in arm_estimates(point, model, curves).items():
                low, high = estimate.at(place).interval()[:, 0].clip(0.0, 1.0)
                rows.append(
                    {
                        "lesions": training_lesions(point),
                        "model": model,
                        "arm": arm,
                        "curve": curves[arm],
                        "chosen": (model, arm) not in exploratory,
                        "score": float(estimate.value[place]),
                        "low": float(low),
                        "high": float(high),
                    }
                )
    return pd.DataFrame(rows)


def gain_curve(results: RunResults) -> pd.DataFrame:
    """One row a number of training lesions, classifier and synthetic arm: its gain, and its worth.

    Returns:
        lesions, model, arm, reference, difference, low, high (primary metric), and worth: the
        extra real lesions that would have raised it as much, in words. Of a dose curve only the
        dose that validation picks at that size.
    """
    if not results.reduced:
        return pd.DataFrame()
    points = (*results.reduced[::-1], results)
    rows = []
    for point in points:
        place, exploratory = place_of(point, primary_metric(point)), exploratory_doses(point)
        pairs = tuple(pair for pair in contrasts(point) if _is_gain(point, pair))
        for effect in effects_of(point, pairs):
            if (effect.model, effect.contrast.arm) in exploratory:
                continue
            difference, low, high = _interval(effect, place)
            rows.append(
                {
                    "lesions": training_lesions(point),
                    "model": effect.model,
                    "arm": effect.contrast.arm,
                    "reference": effect.contrast.reference,
                    "difference": difference,
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
    sizes, scores = _learning_curve(points, effect.model, effect.contrast.reference)
    if len(sizes) < MIN_SIZES:
        return ""
    gain = effect.estimate.draws[:, place_of(point, primary_metric(point))]  # paired by seed
    try:
        return str(real_equivalents(sizes, scores, training_lesions(point), gain))
    except DermaugError:
        return ""


@lru_cache(maxsize=32)
def _learning_curve(
    points: tuple[RunResults, ...], model: str, arm: str
) -> tuple[Float[np.ndarray, " p"], Float[np.ndarray, "r p"]]:
    """Lesions of each point that has the arm, and its resampled scores; every gain asks for it."""
    sizes, scores = [], []
    for point in points:
        if found := arm_estimates(point, model, [arm]):
            sizes.append(training_lesions(point))
            scores.append(found[arm].draws[:, place_of(point, primary_metric(point))])
    return np.array(sizes), np.stack(scores, 1) if scores else np.empty((0, 0))


def _is_gain(results: RunResults, pair: Contrast) -> bool:
    """Whether a contrast is of an arm with a dose against the arm that lacks only the dose."""
    asked = next(each for each in results.experiment.arms if each.name == pair.arm)
    return asked.synthetic is not None and pair.reference == control_arm(results, pair.arm)


def _dose(counts: dict[str, dict[str, int]]) -> int:
    return sum(each["synthetic"] for each in counts.values())
