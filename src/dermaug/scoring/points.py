"""One data size of a run, with all that its tables are made of estimated once."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dermaug.experiment.plan.comparisons import baseline, contrasts
from dermaug.experiment.run.records import TrialRecord
from dermaug.experiment.run.results import RunResults, TrialResult
from dermaug.scoring.effects import Answers, Effect, effects_of, place_of
from dermaug.scoring.samples import predictions_of
from dermaug.scoring.scores import primary_metric, primary_on_validation
from dermaug.stats.answers import FoldPredictions, answers_of
from dermaug.stats.hierarchy import RESAMPLES

CHOSEN = ("model", "curve", "arm", "dose", "validation", "chosen")


@dataclass(frozen=True, eq=False)
class Point:
    """A run at one data size.

    Args:
        results: Its trials.
        predictions: Classifier -> fold -> test predictions, image by image.
        answers: The same, measured.
        doses: What `chosen_doses` gives.
        effects: Of every contrast and classifier.
        resamples: Number of draws that the effects were estimated with.
    """

    results: RunResults
    predictions: Mapping[str, Mapping[int, FoldPredictions]]
    answers: Answers
    doses: pd.DataFrame
    effects: tuple[Effect, ...]
    resamples: int

    @property
    def exploratory(self) -> set[tuple[str, str]]:
        """(model, arm) of doses that validation does not pick, and of their replays."""
        others = self.doses[~self.doses["chosen"].astype(bool)]
        return set(zip(others["model"], others["arm"], strict=True))

    @property
    def primary(self) -> int:
        """Where the study's primary metric stands in an estimate."""
        return place_of(self.results.catalog.classes, primary_metric(self.results.experiment))


def point_of(
    results: RunResults, resamples: int = RESAMPLES, doses: pd.DataFrame | None = None
) -> Point:
    """Estimate every contrast of a run at one data size.

    Args:
        results: The run.
        resamples: Number of draws of the bootstrap.
        doses: What `chosen_doses` gave for the trials' own validation parts; None asks for it.
    """
    arms, classes = results.experiment.arms, results.catalog.classes
    models = [classifier.key for classifier in results.experiment.classifiers]
    predictions = {model: predictions_of(results, model) for model in models}
    answers = {model: answers_of(folds) for model, folds in predictions.items()}
    replays = [(arm.name, baseline(arms, arm.name)) for arm in arms if arm.replay_of]
    negative = {arm for arm, other in replays if other and shows_the_same(results, arm, other)}
    effects = effects_of(answers, classes, contrasts(arms, negative), resamples)
    chosen = chosen_doses(results) if doses is None else doses
    return Point(results, predictions, answers, chosen, effects, resamples)


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
                    "dose": float(np.mean([_dose(c.record) for c in trials])),
                    "validation": float(
                        np.mean([primary_on_validation(c, results) for c in trials])
                    ),
                    "replay_of": arm.replay_of,
                }
            )
    if not rows:
        return pd.DataFrame(columns=list(CHOSEN))
    table = pd.DataFrame(rows).sort_values("dose", kind="stable")
    own = table[table["replay_of"] == ""]
    best = own.loc[own.groupby(["model", "curve"])["validation"].idxmax()]
    picked = set(zip(best["model"], best["arm"], strict=True))
    judged = table["replay_of"].where(table["replay_of"] != "", table["arm"])
    table["chosen"] = [place in picked for place in zip(table["model"], judged, strict=True)]
    return table.sort_index().drop(columns="replay_of")


def shows_the_same(results: RunResults, arm: str, reference: str) -> bool:
    """Whether two arms show every class equally often, in every pair of their trainings."""
    pairs: dict[tuple[str, int, int], list[TrialResult]] = {}
    for trial in results.trials:
        if trial.arm in (arm, reference):
            pairs.setdefault((trial.model, trial.fold, trial.seed), []).append(trial)
    both = [pair for pair in pairs.values() if len(pair) == 2]
    return bool(both) and all(_equal(*pair) for pair in both)


def _equal(one: TrialResult, other: TrialResult) -> bool:
    shown, also = one.record.shown, other.record.shown
    return np.allclose([shown[label] for label in shown], [also[label] for label in shown])


def _dose(trial: TrialRecord) -> int:
    return sum(count.synthetic for count in trial.train_counts.values())
