"""Exploratory numbers for decisions, with intervals, for arms and for comparisons."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from dermaug.scoring.operating_scores import targets
from dermaug.scoring.points import Point
from dermaug.scoring.scores import natural
from dermaug.scoring.target_scores import RULES, target_folds
from dermaug.stats.answers import FoldAnswers, Key, arm_samples, paired_samples
from dermaug.stats.class_metrics import class_answers, class_metrics
from dermaug.stats.hierarchy import estimate_all
from dermaug.stats.metrics import Metric, MetricSet
from dermaug.stats.outcomes import FEWEST_GROUPS
from dermaug.stats.target_metrics import target_answers, target_metrics

COLUMNS = (
    *("model", "arm", "reference", "role", "readout", "scope", "metric"),
    *("value", "low", "high", "num_groups", "levels"),
)
_LARGEST = {"brier": 2.0, "nll": np.inf, "slope": np.inf, "intercept": np.inf}
_SIGNED = ("slope", "intercept")


def decisions(point: Point) -> pd.DataFrame:
    """Areas, operating points, predictive values, proper scores and calibration, with intervals.

    All of it is exploratory: nothing is judged or adjusted by Holm's rule.

    Returns:
        The columns of `COLUMNS`: one row per classifier, arm, read-out, scope and metric, and the
        same for each comparison that is judged. reference is "" for the arm itself, else value is
        the difference arm minus reference. readout is auc, calibration, or a rule of `RULES`;
        scope is `all`, a class or a target; low and high (95 %, not adjusted, clipped to what is
        possible) are NaN where fewer than ten test groups hold the scope. levels tells what the
        interval covers.
    """
    rows = [
        row
        for model in point.answers
        for answers, metrics in measured(point, model)
        for row in _rows(point, model, answers, metrics)
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    # A target may be a class, whose area has been measured as one.
    return table.drop_duplicates(list(COLUMNS[:7]), ignore_index=True)


def measured(point: Point, model: str) -> Iterator[tuple[Mapping[int, FoldAnswers], MetricSet]]:
    """Groups of metrics that are estimated together: over all classes, and of targets, if any."""
    results, predictions = point.results, point.predictions[model]
    naturally: dict[int, dict[Key, np.ndarray]] = {fold: {} for fold in predictions}
    for trial in results.trials:
        if trial.model == model:
            key = trial.arm, trial.seed
            plain = predictions[trial.fold].plain[key]
            naturally[trial.fold][key] = natural(trial, plain, results)
    answers = class_answers(predictions, point.answers[model], naturally)
    yield answers, class_metrics(results.catalog.classes)
    assumed = results.experiment.verdict.prevalence
    asked = {name: float(getattr(assumed, name)) for name in targets(results)}
    if asked:
        found = target_answers(target_folds(point, model), list(asked.values()))
        yield found, target_metrics(asked, list(RULES))


def _rows(
    point: Point, model: str, answers: Mapping[int, FoldAnswers], metrics: MetricSet
) -> Iterator[dict[str, object]]:
    """Arms, then comparisons, estimated on the same draws of groups."""
    judged = [each.contrast for each in point.effects if each.model == model and point.asks(each)]
    samples = {
        (arm.name, "", ""): arm_samples(answers, arm.name)
        for arm in point.results.experiment.compared_arms
    } | {
        (each.arm, each.reference, each.role): paired_samples(answers, each.arm, each.reference)
        for each in judged
    }
    found = {names: sample for names, sample in samples.items() if sample}
    estimates = estimate_all(list(found.values()), metrics, point.resamples)
    for (arm, reference, role), estimate in zip(found, estimates, strict=True):
        intervals = estimate.interval()
        for place, metric in enumerate(metrics.metrics):
            few = estimate.groups[place] < FEWEST_GROUPS
            low, high = intervals[:, place].clip(*_possible(metric, is_difference=bool(reference)))
            yield {
                "model": model,
                "arm": arm,
                "reference": reference,
                "role": role,
                **metric._asdict(),
                "value": float(estimate.value[place]),
                "low": np.nan if few else float(low),
                "high": np.nan if few else float(high),
                "num_groups": int(estimate.groups[place]),
                "levels": estimate.levels,
            }


def _possible(metric: Metric, *, is_difference: bool) -> tuple[float, float]:
    """Smallest and largest possible value of a metric, or of a difference."""
    largest = _LARGEST.get(metric.metric, 1.0)
    return (-largest if is_difference or metric.metric in _SIGNED else 0.0), largest
