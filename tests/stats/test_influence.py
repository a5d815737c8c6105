import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

from dermaug.stats.influence import SCORED, Asked, areas_of, placements, rates_of


@pytest.fixture
def asked() -> Asked:
    random = np.random.default_rng(0)
    return Asked(random.integers(0, 3, 120), random.integers(0, 40, 120), 40, 3)


def scores(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(120, 3)).round(1)  # with ties


def without(asked: Asked, group: int, values: np.ndarray) -> tuple[Asked, np.ndarray]:
    kept = asked.groups != group
    return Asked(asked.labels[kept], asked.groups[kept], 40, 3), values[kept]


@given(st.lists(st.tuples(*[st.integers(0, 2)] * 4), min_size=1, max_size=40))
def test_areas_are_scikit_learns(rows: list[tuple[int, ...]]) -> None:
    """Whatever the labels and the scores, which have ties."""
    labels, drawn = np.array(rows)[:, 0], np.array(rows, float)[:, 1:]
    found = areas_of(Asked(labels, np.arange(len(rows)), len(rows), 3), drawn).values[0]
    for label in range(3):
        own = labels == label
        expected = roc_auc_score(own, drawn[:, label]) if 0 < own.sum() < len(own) else np.nan
        assert found[label] == pytest.approx(expected, nan_ok=True)


def test_rates_are_counted_by_hand(asked: Asked) -> None:
    called = scores().argmax(axis=1)
    found = rates_of(asked, called).values
    for label in range(3):
        own = asked.labels == label
        assert found[0, label] == pytest.approx((called[own] == label).mean())
        assert found[1, label] == pytest.approx((called[~own] != label).mean())


@pytest.mark.parametrize("kind", ["rates", *SCORED])
def test_an_influence_is_what_leaving_a_group_out_changes(asked: Asked, kind: str) -> None:
    """Of every metric in `SCORED`, whose scores are probabilities, and of decisions."""
    values = scores().argmax(axis=1) if kind == "rates" else softmax(scores(), axis=1)
    measure = rates_of if kind == "rates" else SCORED[kind]
    whole = measure(asked, values)
    np.testing.assert_allclose(whole.influence.sum(axis=0), 0.0, atol=1e-12)
    left = np.stack([measure(*without(asked, group, values)).values for group in range(40)])
    # The jackknife: to first order, leaving a group out takes its influence away.
    np.testing.assert_allclose(whole.values - left, whole.influence, atol=0.012)
    agree = np.corrcoef((whole.values - left).ravel(), whole.influence.ravel())[0, 1]
    assert agree > 0.98


def test_the_variance_of_one_area_is_delongs(asked: Asked) -> None:
    alone = Asked(asked.labels, np.arange(120), 120, 3)
    positive = asked.labels == 0
    placed = placements(positive, scores()[:, 0])
    delong = (
        placed[positive].var(ddof=1) / positive.sum()
        + placed[~positive].var(ddof=1) / (~positive).sum()
    )
    influence = areas_of(alone, scores()).influence[:, 0, 0]
    assert (influence**2).sum() == pytest.approx(delong, rel=0.03)


def test_a_class_without_images_is_undefined() -> None:
    asked = Asked(np.array([0, 0, 1]), np.array([0, 1, 2]), 3, 3)
    assert np.isnan(rates_of(asked, np.array([0, 1, 1])).values[0, 2])
    found = areas_of(asked, np.eye(3))
    assert np.isnan(found.values[0, 2])
    assert (found.influence[:, 0, 2] == 0).all()
