"""Areas of single classes and proper scores of whole predictions, for the hierarchical estimate."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from dermaug.evaluation.calibration import log_losses, squared_errors
from dermaug.stats.answers import FoldAnswers, FoldPredictions, Key
from dermaug.stats.influence import SCORED, Answer, mean_of
from dermaug.stats.metrics import ALL, Metric, MetricSet, metric_weights, metrics_of
from dermaug.stats.target_metrics import CALIBRATION

LOSSES = {"brier": squared_errors, "nll": log_losses}
"""What each image costs at the natural prevalence; a line more is a score more."""
Natural = Mapping[int, Mapping[Key, Float[np.ndarray, "n k"]]]
"""Fold -> network -> probabilities at the natural prevalence."""


def class_metrics(classes: Sequence[str]) -> MetricSet:
    """The metrics of `SCORED`, by class and as a mean over classes, and the mean of each loss."""
    scored = [each for each in metrics_of(classes) if each.readout in SCORED]
    losses = [Metric(CALIBRATION, ALL, name) for name in LOSSES]
    num_rows = len(SCORED) + len(losses)

    def weights(support: Float[np.ndarray, "2 k"]) -> Float[np.ndarray, "m r k"]:
        found = np.zeros((len(scored) + len(losses), num_rows, len(classes)))
        of_scored = metric_weights(support)[-len(scored) :, -len(SCORED) :]
        found[: len(scored), : len(SCORED)] = of_scored
        for place in range(-len(losses), 0):
            found[place, place] = support[0] / max(support[0].sum(), 1.0)
        return found

    return MetricSet((*scored, *losses), (0,) * num_rows, 0, weights)


def class_answers(
    predictions: Mapping[int, FoldPredictions], answers: Mapping[int, FoldAnswers], natural: Natural
) -> dict[int, FoldAnswers]:
    """Contributions of every network to the metrics of `class_metrics`, by fold."""
    return {
        fold: FoldAnswers(
            own.asked,
            {
                key: _answer(predictions[fold], answer, natural[fold][key])
                for key, answer in own.answers.items()
            },
            own.generator_seed,
            own.trained_on,
        )
        for fold, own in answers.items()
    }


def _answer(
    predictions: FoldPredictions, answer: Answer, natural: Float[np.ndarray, "n k"]
) -> Answer:
    """What was scored already, and below it the mean loss over images of each class."""
    labels, num_classes = predictions.labels, natural.shape[1]
    names, groups = np.unique(predictions.groups, return_inverse=True)
    values = list(answer.values[-len(SCORED) :])
    influence = list(answer.influence[:, -len(SCORED) :].transpose(1, 0, 2))
    for loss in LOSSES.values():
        costs = loss(labels, natural)
        means = [mean_of(costs, labels == each, groups, len(names)) for each in range(num_classes)]
        values.append(np.array([mean for mean, _ in means]))
        influence.append(np.stack([felt for _, felt in means], axis=1))
    return Answer(np.stack(values), np.stack(influence, axis=1))
