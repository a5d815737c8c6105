from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dermaug.stats.hierarchy import estimate_all
from dermaug.stats.metrics import metrics_of, readout_metrics
from dermaug.stats.outcomes import detectable
from dermaug.stats.power import DISCORDANCE, Design, expect, planned_metrics

LESIONS = (46, 66, 146, 30, 123, 300, 20)
CLASSES = tuple(f"c{number}" for number in range(len(LESIONS)))


def planned(folds: int, trainings: int, lesions: tuple[int, ...] = LESIONS) -> np.ndarray:
    tested = np.tile(np.array(lesions, dtype=float), (folds, 1))
    return detectable(expect(Design(tested, 0.33, trainings), CLASSES))


@pytest.mark.parametrize(("folds", "seeds"), [(1, 2), (2, 2), (1, 4), (5, 1), (5, 2)])
def test_the_plan_is_near_what_studies_then_report(
    design: Callable[..., Any], folds: int, seeds: int
) -> None:
    """Arms that disagree on as many lesions as the plan supposes; median of ten studies."""
    asked = design(
        folds=folds, seeds=seeds, lesions=LESIONS, taste=0.15, noise=0.2, shared=0.1, training=0.06
    )
    random, found = np.random.default_rng(0), []
    places = [metrics_of(CLASSES).index(metric) for metric in planned_metrics(CLASSES)]
    for _ in range(10):
        (estimate,) = estimate_all([asked.draw(random)], readout_metrics(CLASSES), 400)
        found.append(detectable(estimate.at(*places)))
    seen = np.median(found, axis=0)
    expected = planned(folds, seeds)
    assert seen[0] / 2 < expected[0] < seen[0] * 2  # mean sensitivity
    assert (expected[2:] < seen[2:] * 2.5).all()
    assert (expected[2:] > seen[2:] / 2.5).all()


def test_more_folds_seeds_and_lesions_detect_less() -> None:
    assert (planned(2, 2) < planned(1, 2)).all()
    assert (planned(1, 3) < planned(1, 2)).all()
    assert (planned(5, 1) < planned(3, 1)).all()
    twice = tuple(2 * number for number in LESIONS)
    assert (planned(1, 2, twice) < planned(1, 2)).all()


def test_a_design_without_verdicts_detects_nothing() -> None:
    assert np.isnan(planned(1, 1)).all()
    assert np.isnan(planned(2, 1)).all()
    assert np.isfinite(planned(3, 1)).all()


def test_groups_alone_are_a_paired_proportion() -> None:
    """With endless trainings of one fold, half of the groups' variance is left (equation 3)."""
    found = expect(Design(np.full((1, 7), 1000.0), 0.33, 100_000), CLASSES)
    expected = np.sqrt((1000 * DISCORDANCE["sensitivity"] + 1) / 1002**2 / 2)
    assert found.standard_error[2:] == pytest.approx(expected, rel=0.01)


def test_a_class_without_test_lesions_is_unknown_and_leaves_the_mean() -> None:
    with_gap = planned(2, 2, (*LESIONS[:-1], 0))
    assert np.isnan(with_gap[-1])
    assert np.isfinite(with_gap[:-1]).all()
