"""Dose curves, data-size curves, and the equivalent of a dose in real lesions."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from dermaug.errors import DermaugError
from dermaug.experiment.plan.comparisons import REPLAY, is_gain
from dermaug.experiment.run.results import RunResults
from dermaug.scoring.effects import arm_estimates
from dermaug.scoring.points import CHOSEN, Point
from dermaug.stats.estimate import Estimate
from dermaug.stats.learning_curve import MIN_SIZES, real_equivalents

INTERVAL = ("difference", "low", "high")
DOSES = (*CHOSEN, "reference", *INTERVAL)
SIZES = ("lesions", "model", "arm", "curve", "chosen", "score", "low", "high")
GAINS = ("lesions", "model", "arm", "reference", *INTERVAL, "worth")
Scores = Mapping[tuple[str, str], Estimate]
"""(classifier, arm) -> its metrics at one data size."""


def dose_curve(point: Point) -> pd.DataFrame:
    """One row per classifier and point of a dose curve, or of the curve of its replays.

    Returns:
        The columns of `chosen_doses`, then reference, difference, low, high (test split, primary
        metric, against the arm without the dose). Doses that were not chosen are exploratory,
        because the test split should be used only once, for the chosen dose.
    """
    numbers = [
        (
            effect.model,
            effect.contrast.arm,
            effect.contrast.reference,
            *effect.interval_at(point.primary),
        )
        for effect in point.effects
        if effect.contrast.role != REPLAY
    ]
    differences = pd.DataFrame(numbers, columns=["model", "arm", "reference", *INTERVAL])
    return point.doses.merge(differences, on=["model", "arm"])[list(DOSES)]


def arm_scores(point: Point) -> dict[tuple[str, str], Estimate]:
    """Metrics of every single arm with a finished trial."""
    results = point.results
    arms, classes = [arm.name for arm in results.experiment.arms], results.catalog.classes
    return {
        (model, arm): estimate
        for model, folds in point.answers.items()
        for arm, estimate in arm_estimates(folds, classes, arms, point.resamples).items()
    }


def size_curve(points: Sequence[Point], scores: Sequence[Scores]) -> pd.DataFrame:
    """One row per number of training lesions, classifier and arm.

    Args:
        points: The run at every data size, the smallest first.
        scores: The result of `arm_scores` for each point.

    Returns:
        lesions (mean number in the training split), model, arm, curve (the dose curve to which it
        belongs, or ""), chosen (whether this dose is selected on validation at this size; true for
        arms without a dose curve), score (the primary metric), low, high.
    """
    rows = []
    for point, own in zip(points, scores, strict=True):
        curves = {arm.name: arm.curve for arm in point.results.experiment.arms}
        for (model, arm), estimate in own.items():
            low, high = estimate.at(point.primary).interval()[:, 0].clip(0.0, 1.0)
            rows.append(
                {
                    "lesions": training_lesions(point.results),
                    "model": model,
                    "arm": arm,
                    "curve": curves[arm],
                    "chosen": (model, arm) not in point.exploratory,
                    "score": float(estimate.value[point.primary]),
                    "low": float(low),
                    "high": float(high),
                }
            )
    return pd.DataFrame(rows, columns=list(SIZES))


def gain_curve(points: Sequence[Point], scores: Sequence[Scores]) -> pd.DataFrame:
    """Gain of each synthetic arm, and its equivalent in real lesions, by number of lesions.

    Returns:
        One row per number of training lesions, classifier and synthetic arm: lesions, model, arm,
        reference, difference, low, high (primary metric), and worth: the number of additional
        real lesions with the same effect, in words. Of a dose curve, only the dose selected on
        validation at that size is included.
    """
    rows = []
    for point in points:
        arms, exploratory = point.results.experiment.arms, point.exploratory
        for effect in point.effects:
            contrast = effect.contrast
            if (effect.model, contrast.arm) in exploratory or not is_gain(arms, contrast):
                continue
            curve = _learning_curve(points, scores, effect.model, contrast.reference)
            gain = effect.estimate.draws[:, point.primary]  # paired by seed
            rows.append(
                (
                    training_lesions(point.results),
                    effect.model,
                    contrast.arm,
                    contrast.reference,
                    *effect.interval_at(point.primary),
                    _worth(*curve, training_lesions(point.results), gain),
                )
            )
    return pd.DataFrame(rows, columns=list(GAINS))


def training_lesions(results: RunResults) -> float:
    """Lesions in the training split, mean over folds."""
    table = results.catalog.table
    counts = [
        table["lesion_id"].iloc[results.catalog.rows(fold.train)].nunique()
        for fold in results.folds
    ]
    return float(np.mean(counts))


def _learning_curve(
    points: Sequence[Point], scores: Sequence[Scores], model: str, arm: str
) -> tuple[Float[np.ndarray, " p"], Float[np.ndarray, "r p"]]:
    """Number of lesions and resampled scores of an arm at each point that has it."""
    found = [
        (training_lesions(point.results), own[model, arm].draws[:, point.primary])
        for point, own in zip(points, scores, strict=True)
        if (model, arm) in own
    ]
    sizes = np.array([size for size, _ in found])
    return sizes, np.stack([draws for _, draws in found], 1)


def _worth(
    sizes: Float[np.ndarray, " p"],
    scores: Float[np.ndarray, "r p"],
    lesions: float,
    gain: Float[np.ndarray, " r"],
) -> str:
    """Equivalent in real lesions, read off the reference arm's data-size curve; "" without one."""
    if len(sizes) < MIN_SIZES:
        return ""
    try:
        return str(real_equivalents(sizes, scores, lesions, gain))
    except DermaugError:
        return ""
