"""Hundreds of simulated studies: intervals cover, tests keep their level, effects are found."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from dermaug.evaluation.readouts import ADJUSTED
from dermaug.stats.estimate import Estimate
from dermaug.stats.hierarchy import estimate_all
from dermaug.stats.metrics import ALL, Metric, metrics_of, readout_metrics
from dermaug.stats.multiplicity import holm
from dermaug.stats.outcomes import detectable
from dermaug.stats.trainings import GROUPS_ONLY, TRAINING_SETS

pytestmark = pytest.mark.slow

RESAMPLES = 400
CLASSES = ("c0", "c1", "c2")
PLACES = metrics_of(CLASSES)
MEAN = PLACES.index(Metric(ADJUSTED, ALL, "balanced_accuracy"))
EACH = [PLACES.index(Metric(ADJUSTED, label, "sensitivity")) for label in CLASSES]


def simulate(design: Any, studies: int) -> list[Estimate]:
    random = np.random.default_rng(1)
    return [
        estimate_all([design.draw(random)], readout_metrics(CLASSES), RESAMPLES, seed=study)[0]
        for study in range(studies)
    ]


def coverage(estimates: list[Estimate], truth: float, places: list[int]) -> float:
    """Share of intervals that hold the truth, over studies and metrics."""
    inside = []
    for one in estimates:
        for place in places:
            low, high = one.at(place).interval()[:, 0]
            inside.append(low <= truth <= high)
    return float(np.mean(inside))


@pytest.mark.parametrize(
    "effects",
    [
        {"seeds": 2, "training": 0.35},
        {"seeds": 3, "gain": 0.3},
        {"seeds": 4, "generators": 2, "generator": 0.3, "gain": 0.2},
        {"seeds": 5, "taste": 0.0, "shared": 0.0, "training": 0.0},  # chance flips alone
        {"seeds": 1, "gain": 0.2},  # single trainings of five folds
        {"seeds": 1, "folds": 3, "training": 0.5},
    ],
    ids=str,
)
def test_intervals_cover_the_truth(design: Callable[..., Any], effects: dict) -> None:
    chosen = design(**effects)
    estimates = simulate(chosen, 120)
    # 95 % is asked; more is given where little is known, never less: 120 studies of 3 metrics.
    assert coverage(estimates, chosen.truth, [MEAN, *EACH[:2]]) >= 0.915
    values = np.array([one.value[MEAN] for one in estimates])
    assert values.mean() == pytest.approx(chosen.truth, abs=4 * values.std() / np.sqrt(120))


@pytest.mark.parametrize("folds", [1, 2])
def test_two_seeds_and_few_folds_are_never_too_sure(design: Callable[..., Any], folds: int) -> None:
    chosen = design(folds=folds, seeds=2, lesions=(60, 40, 25), training=0.3)
    assert coverage(simulate(chosen, 120), chosen.truth, [MEAN, EACH[0]]) >= 0.915


def test_rare_classes_are_covered_too(design: Callable[..., Any]) -> None:
    chosen = design(folds=1, seeds=2, lesions=(60, 40, 10), gain=0.2)
    assert coverage(simulate(chosen, 120), chosen.truth, [EACH[2]]) >= 0.915


def test_a_single_training_is_not_judged_and_three_folds_of_it_are(
    design: Callable[..., Any],
) -> None:
    (one,) = simulate(design(seeds=1, folds=2, training=0.5), 1)
    assert (one.levels, one.is_judged) == (GROUPS_ONLY, False)
    (three,) = simulate(design(seeds=1, folds=3, training=0.5), 1)
    assert (three.levels, three.is_judged) == (TRAINING_SETS, True)


@pytest.mark.parametrize("shape", [(1, 2), (2, 2), (3, 1), (5, 1)])
def test_without_an_effect_few_verdicts_are_wrong(
    design: Callable[..., Any], shape: tuple[int, int]
) -> None:
    studies = 120
    chosen = design(folds=shape[0], seeds=shape[1], lesions=(60, 40, 25))
    p_values = np.stack([one.p_value() for one in simulate(chosen, studies)])
    most = binom.ppf(0.999, studies, 0.05)  # what a test of exactly 5 % stays below
    assert (p_values[:, MEAN] <= 0.05).sum() <= most
    any_class = [(holm(row[EACH]) <= 0.05).any() for row in p_values]
    assert sum(any_class) <= most


def test_arms_that_differ_by_the_margin_are_seldom_called_equivalent(
    design: Callable[..., Any],
) -> None:
    chosen = design(folds=5, seeds=2, lesions=(300, 300, 300), gain=0.06, taste=0.1)
    wrong = [one.at(MEAN).equivalence_p(chosen.truth)[0] <= 0.05 for one in simulate(chosen, 100)]
    assert sum(wrong) <= binom.ppf(0.999, 100, 0.05)


def test_a_known_effect_is_found_as_often_as_promised(design: Callable[..., Any]) -> None:
    sizes = {"lesions": (60, 40, 25), "seeds": 4}
    null = simulate(design(**sizes), 30)
    promised = float(np.mean([detectable(one.at(MEAN))[0] for one in null]))
    gains = np.linspace(0.05, 0.6, 112)
    gain = gains[np.argmin([abs(design(gain=each).truth - promised) for each in gains])]
    found = [
        one.at(MEAN).p_value()[0] <= 0.05 and one.value[MEAN] > 0
        for one in simulate(design(**sizes, gain=float(gain)), 100)
    ]
    assert 0.66 <= np.mean(found) <= 0.95  # 80 % is promised
