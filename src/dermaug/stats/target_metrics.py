"""Metrics of a yes-or-no question, such as melanoma or not, for the hierarchical estimate."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from dermaug.evaluation.readouts import AUC
from dermaug.stats.answers import FoldAnswers, Key, joined
from dermaug.stats.influence import Answer, Asked, areas_of, mean_of
from dermaug.stats.metrics import BY_CLASS, EVERYONE, Metric, MetricSet
from dermaug.stats.pooled import PARAMETERS, VALUES, TargetFold, parameters_of, values_of

CALIBRATION = "calibration"
"""Read-out of the numbers that say whether probabilities mean what they say."""


def target_metrics(prevalences: Mapping[str, float], rules: Sequence[str]) -> MetricSet:
    """Metrics of some targets at some rules, to be estimated from the result of `target_answers`.

    Each target has its prevalence: its share where the classifier is used.
    """
    num_rates, num_targets = 2 * len(rules), len(prevalences)
    leading = [
        *((rule, name) for rule in rules for name in BY_CLASS),
        (AUC, "auc"),
        *((CALIBRATION, name) for name in PARAMETERS),
    ]
    derived = [(rule, name) for rule in rules for name in VALUES]
    made_of = [[row] for row in range(len(leading))]
    made_of += [
        [len(leading) + 2 * each, len(leading) + 2 * each + 1] for each in range(len(derived))
    ]
    num_rows = len(leading) + 2 * len(derived)

    def weights(support: Float[np.ndarray, "2 t"]) -> Float[np.ndarray, "m r t"]:
        present = np.where((support > 0).all(axis=0), 1.0, np.nan)
        found = np.zeros((len(made_of), num_targets, num_rows, num_targets))
        for place, rows in enumerate(made_of):
            for target in range(num_targets):
                found[place, target, rows, target] = present[target]
        return found.reshape(-1, num_rows, num_targets)

    def gradients(values: Float[np.ndarray, " m"]) -> Float[np.ndarray, "m b"]:
        found = np.eye(len(values), len(leading) * num_targets)
        for place, (rule, name) in enumerate(derived, start=len(leading)):
            first = 2 * rules.index(rule) * num_targets
            for target, prevalence in enumerate(prevalences.values()):
                rates = [first + target, first + num_targets + target]
                sensitivity, specificity = values[rates]
                value = VALUES[name](float(sensitivity), float(specificity), prevalence)
                found[place * num_targets + target, rates] = value[1:]
        return found

    return MetricSet(
        metrics=tuple(
            Metric(readout, target, name)
            for readout, name in (*leading, *derived)
            for target in prevalences
        ),
        sides=(
            *((0, 1) * len(rules)),
            0,
            *(EVERYONE for _ in PARAMETERS),
            *((0, 1) * len(derived)),
        ),
        num_rates=num_rates,
        weights=weights,
        gradients=gradients,
    )


def target_answers(
    folds: Mapping[int, TargetFold], prevalences: Sequence[float]
) -> dict[int, FoldAnswers]:
    """Contributions of every network to the metrics of `target_metrics`, by fold."""
    measured = {
        fold: {key: _rates_and_area(found, key) for key in found.called}
        for fold, found in folds.items()
    }
    answers: dict[int, dict[Key, Answer]] = {fold: {} for fold in folds}
    for arm in dict.fromkeys(arm for found in folds.values() for arm, _ in found.called):
        own = {
            fold: keys
            for fold, found in folds.items()
            if (keys := [key for key in found.called if key[0] == arm])
        }
        parts = [measured, parameters_of(folds, own), values_of(folds, measured, own, prevalences)]
        for fold, keys in own.items():
            for key in keys:
                answers[fold][key] = joined([part[fold][key] for part in parts])
    return {
        fold: FoldAnswers(found.asked, answers[fold], found.generator_seed, found.trained_on)
        for fold, found in folds.items()
    }


def _rates_and_area(found: TargetFold, key: Key) -> Answer:
    """Sensitivity and specificity at each rule, and the area under the curve."""
    called, scores = found.called[key], found.scores[key]
    columns = []
    for target in range(found.positive.shape[1]):
        positive = found.positive[:, target]
        place = (found.groups, found.num_groups)
        rates = [
            mean_of(amounts, kept, *place)
            for rule in range(called.shape[1])
            for amounts, kept in (
                (called[:, rule, target], positive),
                (1.0 - called[:, rule, target], ~positive),
            )
        ]
        asked = Asked(positive.astype(int), *place, 2)
        area = areas_of(asked, np.stack([-scores[:, target], scores[:, target]], axis=1))
        columns.append((*rates, (area.values[0, 1], area.influence[:, 0, 1])))
    values, influence = (
        np.array([[pair[side] for pair in column] for column in columns]) for side in (0, 1)
    )
    return Answer(values.T, influence.transpose(2, 1, 0))
