"""One data size of a run, with the estimates that several tables share."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dermaug.experiment.plan.comparisons import JUDGED, baseline, contrasts
from dermaug.experiment.run.results import RunResults
from dermaug.scoring.effects import Answers, Effect, effects_of, place_of
from dermaug.scoring.samples import predictions_of
from dermaug.scoring.scores import primary_metric, primary_on_validation
from dermaug.stats.answers import FoldPredictions, answers_of
from dermaug.stats.hierarchy import RESAMPLES
from dermaug.stats.metrics import readout_metrics

CHOSEN = ("model", "curve", "arm", "dose", "validation", "chosen")


@dataclass(frozen=True, eq=False)
class Point:
    """A run at one data size.

    Args:
        results: Its trials.
        predictions: Classifier -> fold -> test predictions, image by image.
        answers: The same predictions reduced to metrics and the influence of each test group.
        doses: Returned by `chosen_doses`.
        effects: Effect of every contrast and classifier.
        resamples: Number of bootstrap draws behind the effects.
    """

    results: RunResults
    predictions: Mapping[str, Mapping[int, FoldPredictions]]
    answers: Answers
    doses: pd.DataFrame
    effects: tuple[Effect, ...]
    resamples: int

    @property
    def exploratory(self) -> set[tuple[str, str]]:
        """(model, arm) of doses that were not selected on validation, and of their replays."""
        others = self.doses[~self.doses["chosen"].astype(bool)]
        return set(zip(others["model"], others["arm"], strict=True))

    def asks(self, effect: Effect) -> bool:
        """Whether verdicts are given on an effect; others are exploratory."""
        arms = {(effect.model, effect.contrast.arm), (effect.model, effect.contrast.reference)}
        return effect.contrast.role in JUDGED and not arms & self.exploratory

    @property
    def primary(self) -> int:
        """Index of the study's primary metric in an estimate."""
        return place_of(self.results.catalog.classes, primary_metric(self.results.experiment))


def point_of(
    results: RunResults, resamples: int = RESAMPLES, doses: pd.DataFrame | None = None
) -> Point:
    """Estimate every contrast of a run at one data size.

    Without `doses`, they are chosen on the trials' own validation splits (`chosen_doses`).
    """
    arms, classes = results.experiment.arms, results.catalog.classes
    models = [classifier.key for classifier in results.experiment.classifiers]
    predictions = {model: predictions_of(results, model) for model in models}
    answers = {model: answers_of(folds) for model, folds in predictions.items()}
    replays = [(arm.name, baseline(arms, arm.name)) for arm in arms if arm.replay_of]
    negative = {arm for arm, other in replays if other and shows_the_same(results, arm, other)}
    effects = effects_of(answers, readout_metrics(classes), contrasts(arms, negative), resamples)
    chosen = chosen_doses(results) if doses is None else doses
    return Point(results, predictions, answers, chosen, effects, resamples)


def chosen_doses(results: RunResults) -> pd.DataFrame:
    """Select the dose of each dose curve on validation, without reading the test split.

    Returns:
        One row per classifier and point of a dose curve: model, curve, arm, dose (total number of
        images added, mean over trials), validation (the primary metric on the validation split,
        mean over trials), chosen (the best on validation; the smaller of equally good doses). The
        replay of a dose has its own curve and is chosen with its dose.
    """
    rows = []
    for arm in results.experiment.arms:
        for model in dict.fromkeys(trial.model for trial in results.trials):
            trials = results.trials_of(model, arm.name)
            if not arm.curve or not trials:
                continue
            added = [
                sum(count.synthetic for count in trial.record.train_counts.values())
                for trial in trials
            ]
            scores = [primary_on_validation(trial, results) for trial in trials]
            means = float(np.mean(added)), float(np.mean(scores))
            rows.append((model, arm.curve, arm.name, *means, arm.replay_of))
    if not rows:
        return pd.DataFrame(columns=list(CHOSEN))
    columns = ["model", "curve", "arm", "dose", "validation", "replay_of"]
    table = pd.DataFrame(rows, columns=columns).sort_values("dose", kind="stable")
    own = table[table["replay_of"] == ""]
    best = own.loc[own.groupby(["model", "curve"])["validation"].idxmax()]
    picked = set(zip(best["model"], best["arm"], strict=True))
    judged = table["replay_of"].where(table["replay_of"] != "", table["arm"])
    table["chosen"] = [place in picked for place in zip(table["model"], judged, strict=True)]
    return table.sort_index().drop(columns="replay_of")


def shows_the_same(results: RunResults, arm: str, reference: str) -> bool:
    """Whether two arms show every class equally often, in every pair of trainings."""
    pairs: dict[tuple[str, int, int], list[Mapping[str, float]]] = {}
    for trial in results.trials:
        if trial.arm in (arm, reference):
            place = (trial.model, trial.fold, trial.seed)
            pairs.setdefault(place, []).append(trial.record.shown)
    both = [pair for pair in pairs.values() if len(pair) == 2]
    return bool(both) and all(
        np.allclose([one[label] for label in one], [other[label] for label in one])
        for one, other in both
    )
