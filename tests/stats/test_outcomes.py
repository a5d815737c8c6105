import numpy as np
import pytest
from scipy import stats

from dermaug.stats.estimate import Estimate
from dermaug.stats.outcomes import (
    EQUIVALENT,
    HELPS,
    HURTS,
    INCONCLUSIVE,
    detectable,
    needed,
    outcome,
)
from dermaug.stats.trainings import CLASSIFIERS, GROUPS_ONLY

NAN = float("nan")


def estimate(levels: str, freedom: float = 1e6, error: float = 0.01) -> Estimate:
    one = np.array([0.03])
    return Estimate(
        one, one, one, one[None], one[None], np.array([error]), freedom, np.array([error]), levels
    )


@pytest.mark.parametrize(
    ("difference", "p_holm", "p_equivalence", "expected"),
    [
        (0.1, 0.05, NAN, HELPS),
        (-0.1, 0.01, 0.9, HURTS),
        (0.001, 0.02, 0.01, HELPS),  # by less than the margin, which the sentence says
        (0.001, 0.6, 0.05, EQUIVALENT),
        (0.001, 0.6, 0.06, INCONCLUSIVE),
        (0.1, NAN, NAN, INCONCLUSIVE),
    ],
)
def test_outcomes(difference: float, p_holm: float, p_equivalence: float, expected: str) -> None:
    assert outcome(difference, p_holm, p_equivalence) == expected


def test_the_detectable_difference_is_cohens() -> None:
    expected = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * 0.01
    assert detectable(estimate(CLASSIFIERS))[0] == pytest.approx(expected, rel=1e-4)


def test_more_comparisons_and_fewer_trainings_detect_less() -> None:
    one, five = (detectable(estimate(CLASSIFIERS), number)[0] for number in (1, 5))
    assert five > one
    few = estimate(CLASSIFIERS, freedom=3)
    assert needed(few)[0] == pytest.approx(stats.t.ppf(0.975, 3) * 0.01, rel=1e-4)
    assert detectable(few)[0] > one


def test_nothing_is_detectable_where_nothing_is_judged() -> None:
    assert np.isnan(detectable(estimate(GROUPS_ONLY))).all()
