import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from dermaug.errors import DermaugError
from dermaug.evaluation.operating_points import (
    Scored,
    at_threshold,
    operating_points,
    threshold_for,
)


def scored(number: int = 400, seed: int = 0, skill: float = 1.5) -> Scored:
    random = np.random.default_rng(seed)
    positive = random.random(number) < 0.2
    return Scored(positive, random.normal(size=number) + skill * positive)


@given(st.integers(0, 2**16), st.integers(2, 60), st.sampled_from([0.8, 0.9, 0.95, 1.0]))
@settings(max_examples=60, deadline=None)
def test_it_is_the_best_sensitivity_at_that_specificity(
    seed: int, number: int, wanted: float
) -> None:
    random = np.random.default_rng(seed)
    positive = np.arange(number) % 2 == 0
    part = Scored(positive, random.integers(0, 12, number) / 12 + 0.1 * positive)
    sensitivity, specificity = at_threshold(part, threshold_for(part, wanted))
    assert specificity >= wanted - 1e-9
    curve = metrics.roc_curve(part.positive, part.scores, drop_intermediate=False)
    reached = curve[1][1.0 - curve[0] >= wanted - 1e-9]
    assert sensitivity == pytest.approx(reached.max())


@pytest.mark.parametrize(("number", "wanted", "kept"), [(20, 0.95, 19), (10, 0.9, 9), (5, 0.8, 4)])
def test_exactly_the_share_that_was_wanted_is_kept(number: int, wanted: float, kept: int) -> None:
    part = Scored(np.zeros(number, dtype=bool), np.arange(number, dtype=float))
    assert threshold_for(part, wanted) == kept - 1
    assert at_threshold(part, threshold_for(part, wanted))[1] == pytest.approx(wanted)


def test_the_threshold_comes_from_validation_alone() -> None:
    validation, test = scored(seed=1), scored(seed=2)
    table = operating_points(validation, test).set_index("wanted_specificity")
    shifted = Scored(test.positive, test.scores + 1.0)
    other = operating_points(validation, shifted).set_index("wanted_specificity")
    assert (table["threshold"] == other["threshold"]).all()
    assert (other["specificity"] < table["specificity"]).all()
    assert (table["validation_specificity"] >= table.index).all()
    expected = (test.scores > table.loc[0.9, "threshold"])[test.positive].mean()
    assert table.loc[0.9, "sensitivity"] == pytest.approx(expected)
    assert table["sensitivity"].is_monotonic_decreasing


def test_order_does_not_matter_and_a_perfect_score_finds_all() -> None:
    part = scored()
    order = np.random.default_rng(0).permutation(len(part.scores))
    shuffled = Scored(part.positive[order], part.scores[order])
    assert threshold_for(part, 0.9) == threshold_for(shuffled, 0.9)
    perfect = Scored(part.positive, part.positive.astype(float))
    assert (operating_points(perfect, perfect)[["sensitivity", "specificity"]] == 1.0).all().all()


def test_without_negatives_nothing_is_chosen() -> None:
    part = Scored(np.array([True, True]), np.array([0.2, 0.8]))
    assert np.isnan(threshold_for(part, 0.9))
    assert operating_points(part, scored()).iloc[:, 1:].isna().all().all()


def test_nonsense_is_refused() -> None:
    with pytest.raises(DermaugError, match="above 0 and up to 1"):
        threshold_for(scored(), 0.0)
    with pytest.raises(DermaugError, match="n flags and n scores"):
        Scored(np.array([True]), np.array([0.1, 0.2]))
    with pytest.raises(DermaugError, match="finite scores"):
        Scored(np.array([True]), np.array([np.nan]))
