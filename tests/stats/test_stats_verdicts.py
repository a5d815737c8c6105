import numpy as np
import pytest
from scipy.stats import norm

from dermaug.stats.bootstrap import percentile_interval, two_sided_p
from dermaug.stats.verdicts import smallest_detectable, verdict


@pytest.mark.parametrize("shift", [-4.0, -1.5, 0.0, 1.9, 2.1, 5.0])
def test_p_and_interval_tell_the_same(shift: float) -> None:
    values = shift + norm.ppf((np.arange(9_999) + 0.5) / 9_999)
    low, high = percentile_interval(values)
    p = two_sided_p(values)
    assert (p <= 0.05) == (not low <= 0 <= high)
    assert p == pytest.approx(2 * norm.sf(abs(shift)), abs=3e-4)


def test_p_is_never_zero_and_one_when_nothing_differs() -> None:
    assert two_sided_p(np.ones(999)) == pytest.approx(0.002)
    assert two_sided_p(np.zeros(99)) == 1.0
    assert np.isnan(two_sided_p(np.full(9, np.nan)))


def test_the_sign_decides_once_p_is_small_enough() -> None:
    assert verdict(0.1, 0.05) == "helps"
    assert verdict(-0.1, 0.05) == "hurts"
    assert verdict(0.1, 0.051) == "no evidence"
    assert verdict(float("nan"), float("nan")) == "no evidence"


def test_the_smallest_detectable_effect_of_a_normal_test() -> None:
    error = 0.02
    draws = error * norm.ppf((np.arange(40_000) + 0.5) / 40_000)
    assert smallest_detectable(draws, error) == pytest.approx((1.960 + 0.842) * error, rel=0.01)
    strict = norm.isf(0.025 / 10) + norm.ppf(0.8)
    assert smallest_detectable(draws, error, 10) == pytest.approx(strict * error, rel=0.01)


def test_nothing_is_promised_where_nothing_varied() -> None:
    assert np.isnan(smallest_detectable(np.zeros(100), 0.0))
