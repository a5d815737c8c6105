"""The difference between two arms with everything that is known of its uncertainty."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from dermaug.experiment.plan.comparisons import Contrast
from dermaug.experiment.run.results import RunResults
from dermaug.scoring.samples import answers_of, arm_samples, paired_samples
from dermaug.stats.hierarchy import RESAMPLES, Estimate, estimate_all
from dermaug.stats.metrics import Metric, metrics_of


@dataclass(frozen=True, eq=False)
class Effect:
    """Arm minus reference for one classifier.

    Args:
        contrast: The two arms.
        model: Key of the classifier.
        estimate: The differences, in the order of `metrics_of`.
        num_pairs: Pairs of networks of the same fold and seed.
        num_generators: Trainings of generators whose images the arm was given; 0 without any.
    """

    contrast: Contrast
    model: str
    estimate: Estimate
    num_pairs: int
    num_generators: int


@lru_cache(maxsize=6)  # every data size is asked for all contrasts, and for its gains
def effects_of(
    results: RunResults, contrasts: tuple[Contrast, ...], resamples: int = RESAMPLES
) -> tuple[Effect, ...]:
    """Effects of every contrast and classifier that has a pair of finished trials.

    Args:
        results: The run.
        contrasts: Arms to compare.
        resamples: Number of draws of the bootstrap; all contrasts of a classifier share them.
    """
    effects: list[Effect] = []
    for classifier in results.experiment.classifiers:
        answers = answers_of(results, classifier.key)
        samples = {each: paired_samples(answers, each.arm, each.reference) for each in contrasts}
        found = {contrast: folds for contrast, folds in samples.items() if folds}
        estimates = estimate_all(list(found.values()), results.catalog.classes, resamples)
        for (contrast, folds), estimate in zip(found.items(), estimates, strict=True):
            generators = {
                (fold, seed)
                for fold in folds
                for (arm, _), seed in answers[fold].generator_seed.items()
                if arm == contrast.arm and seed is not None
            }
            pairs = sum(len(sample.values) for sample in folds.values())
            effects.append(Effect(contrast, classifier.key, estimate, pairs, len(generators)))
    return tuple(effects)


def arm_estimates(
    results: RunResults, model: str, arms: Iterable[str], resamples: int = RESAMPLES
) -> dict[str, Estimate]:
    """Metrics of single arms, with the group draws of `effects_of`: points of a learning curve.

    Two arms' draws are paired by group, not by seed: take differences from `effects_of`.

    Args:
        results: The run.
        model: Key of the classifier.
        arms: Names of arms; those without a finished trial are left out.
        resamples: Number of draws.
    """
    answers = answers_of(results, model)
    samples = {arm: folds for arm in arms if (folds := arm_samples(answers, arm))}
    estimates = estimate_all(list(samples.values()), results.catalog.classes, resamples)
    return dict(zip(samples, estimates, strict=True))


def place_of(results: RunResults, metric: Metric) -> int:
    """Where a metric stands in an estimate."""
    return metrics_of(results.catalog.classes).index(metric)
