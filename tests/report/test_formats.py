import numpy as np
import pytest

from dermaug.report.formats import number, percent, with_interval
from dermaug.scoring.verdict_words import signed


@pytest.mark.parametrize(
    ("value", "plain", "with_sign"),
    [
        (0.1234, "0.123", "+0.123"),
        (-0.1234, "−0.123", "−0.123"),
        (-0.0004, "0.000", "0.000"),
        (0.0004, "0.000", "0.000"),
        (np.nan, "–", "–"),
    ],
)
def test_a_minus_is_true_and_nothing_is_less_than_zero_by_nothing(
    value: float, plain: str, with_sign: str
) -> None:
    assert number(value) == plain
    assert signed(value) == with_sign


def test_what_is_not_known_is_a_dash() -> None:
    assert percent(np.nan) == "–"
    row = {"difference": -0.02, "low": np.nan, "high": np.nan}
    assert with_interval(row) == "−0.020"
    assert with_interval(row | {"difference": np.nan}) == "–"
    assert with_interval(row | {"low": -0.05, "high": 0.01}) == "−0.020 (−0.050 to +0.010)"
