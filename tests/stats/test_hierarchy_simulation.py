"""Hundreds of simulated studies: intervals cover, tests keep their level, effects are found."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from dermaug.stats.bootstrap import percentile_interval, two_sided_p
from dermaug.stats.hierarchy import estimate_all
from dermaug.stats.multiplicity import holm
from dermaug.stats.verdicts import smallest_detectable

RESAMPLES = 400


def simulate(design: Any, studies: int) -> list:
    random = np.random.default_rng(1)
    return [
        estimate_all([design.draw(random)], RESAMPLES, seed=study)[0] for study in range(studies)
    ]


def coverage(estimates: list, truth: float, places: list[int]) -> float:
    """Share of intervals that hold the truth, over studies and metrics."""
    intervals = [percentile_interval(one.draws[:, place]) for one in estimates for place in places]
    return float(np.mean([low <= truth <= high for low, high in intervals]))


@pytest.mark.parametrize(
    "effects",
    [
        {"seeds": 1, "training": 0.0, "shared": 0.0},  # lesions are all that varies
        {"seeds": 2, "training": 0.35},
        {"seeds": 3, "gain": 0.3},
        {"seeds": 4, "generators": 2, "generator": 0.3, "gain": 0.2},
        {"seeds": 5, "taste": 0.0, "shared": 0.0, "training": 0.0},  # chance flips alone
    ],
    ids=str,
)
def test_intervals_cover_the_truth(design: Callable[..., Any], effects: dict) -> None:
    chosen = design(**effects)
    estimates = simulate(chosen, 500)
    # 93 to 97 % is asked; 500 studies tell a share to ± 2 % (two standard errors).
    assert 0.93 <= coverage(estimates, chosen.truth, [0, 3, 4]) <= 0.98
    values = np.array([one.value[0] for one in estimates])
    assert values.mean() == pytest.approx(chosen.truth, abs=4 * values.std() / np.sqrt(500))
    errors = np.array([one.standard_error[0] for one in estimates])
    assert np.sqrt((errors**2).mean()) == pytest.approx(values.std(), rel=0.15)


@pytest.mark.parametrize("folds", [1, 2])
def test_two_seeds_and_few_folds_are_never_too_sure(design: Callable[..., Any], folds: int) -> None:
    chosen = design(folds=folds, seeds=2, lesions=(60, 40, 25), training=0.3)
    assert coverage(simulate(chosen, 400), chosen.truth, [0, 3]) >= 0.93


def test_a_single_seed_that_varies_is_said_to_be_unseen(design: Callable[..., Any]) -> None:
    chosen = design(seeds=1, training=0.5)
    estimates = simulate(chosen, 200)
    assert {one.levels for one in estimates} == {"lesions"}
    assert coverage(estimates, chosen.truth, [0, 3]) < 0.9  # why a second seed is worth its price


def test_without_an_effect_few_verdicts_are_wrong(design: Callable[..., Any]) -> None:
    studies = 500
    estimates = simulate(design(seeds=2, lesions=(40, 25, 12)), studies)
    p_values = np.array([[two_sided_p(column) for column in one.draws.T] for one in estimates])
    most = binom.ppf(0.999, studies, 0.05)  # what a test of exactly 5 % stays below
    assert (p_values[:, 0] <= 0.05).sum() <= most
    any_class = [(holm(row[3:6]) <= 0.05).any() for row in p_values]
    assert sum(any_class) <= most


def test_a_known_effect_is_found_as_often_as_promised(design: Callable[..., Any]) -> None:
    null = simulate(design(lesions=(60, 40, 25)), 40)
    promised = float(
        np.mean([smallest_detectable(one.draws[:, 0], one.standard_error[0]) for one in null])
    )
    gains = np.linspace(0.05, 0.6, 112)
    gain = gains[np.argmin([abs(design(gain=each).truth - promised) for each in gains])]
    found = [
        two_sided_p(one.draws[:, 0]) <= 0.05 and one.value[0] > 0
        for one in simulate(design(lesions=(60, 40, 25), gain=float(gain)), 300)
    ]
    assert 0.72 <= np.mean(found) <= 0.88  # 80 % is promised
