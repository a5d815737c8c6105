"""Metrics that are not means over images, pooled over all folds and trainings of an arm.

Predictive values and the parameters of calibration are not linear: their mean over small folds is
not that of the arm. They are computed once, on everything the arm was tested on, and each fold and
training contributes its influence to first order (the delta method; for a regression, Huber 1964).
Weighted like those of other metrics, these contributions sum to the value itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from dermaug.evaluation.predictive_values import PredictiveValue, npv, ppv
from dermaug.evaluation.recalibration import Fitted, calibration_intercept, calibration_slope
from dermaug.stats.answers import Key
from dermaug.stats.influence import Answer

VALUES: dict[str, Callable[[float, float, float], PredictiveValue]] = {"ppv": ppv, "npv": npv}
"""Functions of sensitivity, specificity and prevalence."""
PARAMETERS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], Fitted]] = {
    "slope": calibration_slope,
    "intercept": calibration_intercept,
}
"""Functions of outcomes, natural probabilities and weights."""
Own = Mapping[int, Sequence[Key]]
"""Fold -> networks of one arm."""
Answered = Mapping[int, Mapping[Key, Answer]]
"""Fold -> network -> what was measured."""


@dataclass(frozen=True, eq=False)
class TargetFold:
    """The test images of a fold, with the predictions of every network for each target.

    Args:
        positive: Whether each image is of each target.
        groups: Group of each image, 0 to `num_groups` - 1.
        num_groups: Number of groups.
        called: (arm, seed) -> whether each rule calls each image positive, 1 or 0; NaN for a rule
            that validation could not set.
        scores: (arm, seed) -> probability of each target at the uniform prior.
        natural: (arm, seed) -> probability of each target at the natural prevalence.
        generator_seed: As for `FoldAnswers`.
        trained_on: As for `FoldAnswers`.
    """

    positive: Bool[np.ndarray, "n t"]
    groups: Int[np.ndarray, " n"]
    num_groups: int
    called: dict[Key, Float[np.ndarray, "n u t"]]
    scores: dict[Key, Float[np.ndarray, "n t"]]
    natural: dict[Key, Float[np.ndarray, "n t"]]
    generator_seed: dict[Key, int | None]
    trained_on: dict[Key, int]

    @property
    def asked(self) -> Float[np.ndarray, "g 2 t"]:
        """Images of each target, and others, per group."""
        found = np.zeros((self.num_groups, 2, self.positive.shape[1]))
        np.add.at(found, self.groups, np.stack([self.positive, ~self.positive], axis=1))
        return found


def parameters_of(folds: Mapping[int, TargetFold], own: Own) -> dict[int, dict[Key, Answer]]:
    """Parameters of calibration of an arm; the trainings of a fold have weight one together."""
    networks = [(fold, key) for fold, keys in own.items() for key in keys]
    sizes = [len(folds[fold].groups) for fold, _ in networks]
    weights = np.repeat([1.0 / len(own[fold]) for fold, _ in networks], sizes)
    positive = np.concatenate([folds[fold].positive for fold, _ in networks])
    natural = np.concatenate([folds[fold].natural[key] for fold, key in networks])
    fitted = [
        [
            fit(positive[:, target], natural[:, target], weights)
            for target in range(positive.shape[1])
        ]
        for fit in PARAMETERS.values()
    ]
    images = sum(len(folds[fold].groups) for fold in own)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    found: dict[int, dict[Key, Answer]] = {fold: {} for fold in own}
    for (fold, key), start, size in zip(networks, starts[:-1], sizes, strict=True):
        share = size / images
        influence = np.zeros((folds[fold].num_groups, len(fitted), positive.shape[1]))
        of_images = np.array(
            [[each.influence[start : start + size] for each in row] for row in fitted]
        )
        np.add.at(influence, folds[fold].groups, of_images.transpose(2, 0, 1) / share)
        value = np.array([[each.value for each in row] for row in fitted])
        found[fold][key] = Answer(value + influence.sum(axis=0), influence)
    return found


def values_of(
    folds: Mapping[int, TargetFold], measured: Answered, own: Own, prevalences: Sequence[float]
) -> dict[int, dict[Key, Answer]]:
    """Predictive values in two rows each: contributions of sensitivity, and of specificity."""
    totals = {fold: folds[fold].asked.sum(axis=0) for fold in own}  # 2 t
    support = np.sum(list(totals.values()), axis=0)
    num_rules = next(iter(next(iter(folds.values())).called.values())).shape[1]
    pooled = np.zeros((2 * num_rules, len(prevalences)))
    for fold, keys in own.items():
        mean = np.mean([measured[fold][key].values[: 2 * num_rules] for key in keys], axis=0)
        share = np.tile(totals[fold] / np.maximum(support, 1.0), (num_rules, 1))
        pooled += np.where(share > 0, mean * share, 0.0)
    value, steepness = (np.zeros((num_rules, len(VALUES), 2, len(prevalences))) for _ in range(2))
    for rule in range(num_rules):
        for place, function in enumerate(VALUES.values()):
            for target, prevalence in enumerate(prevalences):
                sensitivity, specificity = pooled[2 * rule : 2 * rule + 2, target]
                found = function(float(sensitivity), float(specificity), prevalence)
                value[rule, place, 0, target] = found.value
                steepness[rule, place, :, target] = found[1:]

    def moved(answer: Answer) -> Answer:
        rates = answer.values[: 2 * num_rules] - pooled
        influence = answer.influence[:, : 2 * num_rules]
        split = (num_rules, 1, 2, len(prevalences))
        values = value + steepness * rates.reshape(split)
        felt = np.nan_to_num(steepness) * influence.reshape(len(influence), *split)
        flat = (-1, len(prevalences))
        return Answer(values.reshape(flat), felt.reshape(len(felt), *values.reshape(flat).shape))

    return {fold: {key: moved(measured[fold][key]) for key in keys} for fold, keys in own.items()}
