"""The difference between two arms with its uncertainty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dermaug.experiment.plan.comparisons import Contrast
from dermaug.stats.answers import FoldAnswers, arm_samples, paired_samples
from dermaug.stats.estimate import Estimate
from dermaug.stats.hierarchy import RESAMPLES, estimate_all
from dermaug.stats.metrics import Metric, MetricSet, metrics_of, readout_metrics

Answers = Mapping[str, Mapping[int, FoldAnswers]]
"""Classifier -> fold -> answers of its networks of every arm and seed."""


@dataclass(frozen=True, eq=False)
class Effect:
    """Arm minus reference for one classifier.

    Args:
        contrast: The two arms.
        model: Key of the classifier.
        estimate: The differences, in the order of `metrics_of`.
        num_pairs: Pairs of networks of the same fold and seed.
        num_generators: Number of trained generators whose images the arm used; 0 without any.
    """

    contrast: Contrast
    model: str
    estimate: Estimate
    num_pairs: int
    num_generators: int

    def interval_at(self, place: int) -> tuple[float, float, float]:
        """Difference and 95 % interval of one metric, clipped to the possible range."""
        low, high = self.estimate.at(place).interval()[:, 0].clip(-1.0, 1.0)
        return float(self.estimate.value[place]), float(low), float(high)


def effects_of(
    answers: Answers, metrics: MetricSet, contrasts: Sequence[Contrast], resamples: int = RESAMPLES
) -> tuple[Effect, ...]:
    """Effects of every contrast and classifier that has a pair of finished trials.

    All contrasts of a classifier share the draws of the bootstrap.
    """
    effects: list[Effect] = []
    for model, folds in answers.items():
        samples = {each: paired_samples(folds, each.arm, each.reference) for each in contrasts}
        found = {contrast: paired for contrast, paired in samples.items() if paired}
        estimates = estimate_all(list(found.values()), metrics, resamples)
        for (contrast, paired), estimate in zip(found.items(), estimates, strict=True):
            generators = {
                (fold, seed)
                for fold in paired
                for (arm, _), seed in folds[fold].generator_seed.items()
                if arm == contrast.arm and seed is not None
            }
            pairs = sum(len(sample.values) for sample in paired.values())
            effects.append(Effect(contrast, model, estimate, pairs, len(generators)))
    return tuple(effects)


def arm_estimates(
    folds: Mapping[int, FoldAnswers],
    classes: Sequence[str],
    arms: Sequence[str],
    resamples: int = RESAMPLES,
) -> dict[str, Estimate]:
    """Estimate the metrics of single arms, with the group draws of `effects_of`.

    They are the points of a data-size curve. The draws of two arms are paired by group but not by
    seed; differences must be taken from `effects_of`.

    Args:
        folds: Answers of one classifier.
        classes: Labels of the data set.
        arms: Names of arms; those without a finished trial are left out.
        resamples: Number of draws.
    """
    samples = {arm: own for arm in arms if (own := arm_samples(folds, arm))}
    estimates = estimate_all(list(samples.values()), readout_metrics(classes), resamples)
    return dict(zip(samples, estimates, strict=True))


def place_of(classes: Sequence[str], metric: Metric) -> int:
    """Index of a metric in an estimate."""
    return metrics_of(classes).index(metric)
