"""The difference between two arms with everything that is known of its uncertainty."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from dermaug.experiment.answers import answers_of, arm_samples, paired_samples
from dermaug.experiment.results import RunResults
from dermaug.stats.hierarchy import Comparison, Estimate, estimate_all
from dermaug.stats.tally import metric_names

RESAMPLES = 10_000
Contrast = tuple[str, str]  # (arm, reference)


@dataclass(frozen=True, eq=False)
class Effect:
    """Arm minus reference for one classifier.

    Args:
        arm: The arm.
        reference: What is subtracted.
        model: Key of the classifier.
        estimate: The differences, in the order of `metric_names`.
        gains: Additional hits of the arm, by lesion and class, summed over networks.
        num_lesions: Test lesions with an image of each class.
        num_images: Test images of the folds in which both arms were trained.
        num_pairs: Pairs of networks of the same fold and seed.
    """

    arm: str
    reference: str
    model: str
    estimate: Estimate
    gains: Float[np.ndarray, "g k"]
    num_lesions: Float[np.ndarray, " k"]
    num_images: int
    num_pairs: int


@lru_cache(maxsize=6)  # every data size is asked for all contrasts, and for its gains
def effects_of(
    results: RunResults, contrasts: tuple[Contrast, ...], resamples: int = RESAMPLES
) -> tuple[Effect, ...]:
    """Effects of every contrast and classifier that has a pair of finished cells.

    Args:
        results: The run.
        contrasts: Pairs (arm, reference).
        resamples: Number of draws of the bootstrap; all contrasts of a classifier share them.
    """
    effects: list[Effect] = []
    for classifier in results.experiment.classifiers:
        answers = answers_of(results, classifier.key)
        samples = {pair: paired_samples(answers, *pair) for pair in contrasts}
        found = {pair: folds for pair, folds in samples.items() if folds}
        estimates = estimate_all(list(found.values()), resamples)
        effects += [
            _effect(pair, classifier.key, folds, estimate)
            for (pair, folds), estimate in zip(found.items(), estimates, strict=True)
        ]
    return tuple(effects)


def arm_estimates(
    results: RunResults, model: str, arms: Iterable[str], resamples: int = RESAMPLES
) -> dict[str, Estimate]:
    """Metrics of single arms, with the lesion draws of `effects_of`: points of a learning curve.

    Two arms' draws are paired by lesion, not by seed: take differences from `effects_of`.

    Args:
        results: The run.
        model: Key of the classifier.
        arms: Names of arms; those without a finished cell are left out.
        resamples: Number of draws.
    """
    answers = answers_of(results, model)
    samples = {arm: folds for arm in arms if (folds := arm_samples(answers, arm))}
    estimates = estimate_all(list(samples.values()), resamples)
    return dict(zip(samples, estimates, strict=True))


def place_of(results: RunResults, scope: str, metric: str) -> int:
    """Where a metric stands in an estimate."""
    return metric_names(results.catalog.classes).index((scope, metric))


def _effect(pair: Contrast, model: str, folds: Comparison, estimate: Estimate) -> Effect:
    asked = [sample.asked[:, 0] for sample in folds.values()]
    return Effect(
        *pair,
        model=model,
        estimate=estimate,
        gains=np.concatenate([sample.right[:, :, 0].sum(axis=0) for sample in folds.values()]),
        num_lesions=np.sum([(part > 0).sum(axis=0) for part in asked], axis=0),
        num_images=int(sum(part.sum() for part in asked)),
        num_pairs=sum(len(sample.right) for sample in folds.values()),
    )
