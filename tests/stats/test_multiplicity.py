import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dermaug.stats.multiplicity import holm


def holm_by_hand(p_values: list[float]) -> list[float]:
    """Smallest alpha at which Holm's procedure, step by step, rejects each hypothesis."""
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for step, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - step) * p_values[index]))
        adjusted[index] = largest
    return adjusted


@given(st.lists(st.floats(0.0, 1.0) | st.sampled_from([0.01, 0.05]), min_size=1, max_size=30))
def test_holm_agrees_with_the_procedure_step_by_step(p_values: list[float]) -> None:
    np.testing.assert_allclose(holm(np.array(p_values)), holm_by_hand(p_values))


def test_comparisons_that_could_not_be_made_do_not_count() -> None:
    p_values = np.array([0.01, np.nan, 0.04])
    np.testing.assert_allclose(holm(p_values), [0.02, np.nan, 0.04])
    assert holm(np.array([])).size == 0


def test_any_false_finding_is_as_rare_as_promised() -> None:
    p_values = np.random.default_rng(0).random((2_000, 10))
    wrong = np.mean([(holm(row) <= 0.05).any() for row in p_values])
    assert wrong <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2_000)
