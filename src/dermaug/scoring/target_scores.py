"""Binary predictions of every network for each target (melanoma, malignancy) and rule."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from dermaug.evaluation.malignancy import called_by_top_class
from dermaug.evaluation.operating_points import (
    SENSITIVITIES,
    SPECIFICITIES,
    Scored,
    threshold_finding,
    threshold_for,
)
from dermaug.evaluation.readouts import ADJUSTED, ARGMAX
from dermaug.experiment.run.results import RunResults, TrialResult
from dermaug.scoring.operating_scores import targets
from dermaug.scoring.points import Point
from dermaug.scoring.scores import adjusted, label_arrays, natural, on_validation
from dermaug.stats.answers import FoldPredictions
from dermaug.stats.pooled import TargetFold


@dataclass(frozen=True, eq=False)
class Part:
    """The images of one split with the scores of one network for one target.

    Args:
        positive: Whether each image is of the target.
        plain: Probabilities of all classes.
        even: The same under the uniform prior.
        chosen: Classes of the target.
    """

    positive: Bool[np.ndarray, " n"]
    plain: Float[np.ndarray, "n k"]
    even: Float[np.ndarray, "n k"]
    chosen: Bool[np.ndarray, " k"]

    @property
    def scored(self) -> Scored:
        """The target's probability at the uniform prior."""
        return Scored(self.positive, self.even[:, self.chosen].sum(axis=1))


Rule = Callable[[Part, Part], Float[np.ndarray, " n"]]
"""Validation and test split -> 1 for each test image predicted positive, 0 for others; NaN for all
if no threshold can be chosen on validation."""


def above(choose: Callable[[Scored, float], float], wanted: float) -> Rule:
    """A rule that predicts positive above the threshold chosen on validation."""

    def rule(validation: Part, test: Part) -> Float[np.ndarray, " n"]:
        threshold = choose(validation.scored, wanted)
        scores = test.scored.scores
        return np.where(np.isnan(threshold), np.nan, scores > threshold)

    return rule


RULES: Mapping[str, Rule] = {
    ARGMAX: lambda _, test: called_by_top_class(test.plain, test.chosen).astype(float),
    ADJUSTED: lambda _, test: called_by_top_class(test.even, test.chosen).astype(float),
    **{f"{100 * each:.0f} % specificity": above(threshold_for, each) for each in SPECIFICITIES},
    **{f"{100 * each:.0f} % sensitivity": above(threshold_finding, each) for each in SENSITIVITIES},
}
"""When an image is predicted positive; another line adds another rule."""


def target_folds(point: Point, model: str) -> dict[int, TargetFold]:
    """Predictions of the networks of one classifier by fold; the classes must allow a target."""
    own = point.results.trials_of(model)
    return {
        fold: _answered(found, [trial for trial in own if trial.fold == fold], point.results)
        for fold, found in point.predictions[model].items()
    }


def _answered(found: FoldPredictions, trials: list[TrialResult], results: RunResults) -> TargetFold:
    masks = list(targets(results).values())
    called, scores, likely = {}, {}, {}
    for trial in trials:
        key = trial.arm, trial.seed
        plain, even = found.plain[key], found.even[key]
        labels, unsure = label_arrays(on_validation(trial), results)
        told = adjusted(trial, unsure, results)
        pairs = [
            (Part(mask[labels], unsure, told, mask), Part(mask[found.labels], plain, even, mask))
            for mask in masks
        ]
        called[key] = np.stack(
            [np.stack([rule(*pair) for rule in RULES.values()], axis=1) for pair in pairs], axis=2
        )
        scores[key] = np.stack([test.scored.scores for _, test in pairs], axis=1)
        at_home = natural(trial, plain, results)
        likely[key] = np.stack([at_home[:, mask].sum(axis=1) for mask in masks], axis=1)
    groups, names = pd.factorize(found.groups, sort=True)
    return TargetFold(
        positive=np.stack([mask[found.labels] for mask in masks], axis=1),
        groups=groups,
        num_groups=len(names),
        called=called,
        scores=scores,
        natural=likely,
        generator_seed=found.generator_seed,
        trained_on=found.trained_on,
    )
