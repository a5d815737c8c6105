import numpy as np
import pytest
from scipy import stats

from dermaug.stats.mixture import below, nodes_of, quantile


def test_one_node_is_a_t_distribution() -> None:
    nodes, scale = np.array([[0.5]]), np.array([2.0])
    for probability in (0.025, 0.5, 0.9, 1e-6):
        expected = 0.5 + 2.0 * stats.t.ppf(probability, 3)
        assert quantile(probability, nodes, scale, 3)[0] == pytest.approx(expected, rel=1e-6)


def test_without_a_scale_quantiles_are_those_of_the_nodes() -> None:
    nodes = np.arange(101.0)[:, None]
    assert quantile(0.25, nodes, np.zeros(1), 5)[0] == pytest.approx(25, abs=1)
    assert below(np.array([50.0]), nodes, np.zeros(1), 5)[0] == pytest.approx(0.5)


def test_normal_draws_blurred_by_many_degrees_of_freedom_are_normal() -> None:
    draws = np.random.default_rng(0).normal(size=(40_000, 1))
    nodes = nodes_of(draws)
    found = quantile(0.975, nodes, np.array([1.0]), 1e6)[0]
    assert found == pytest.approx(1.96 * np.sqrt(2), rel=0.01)


def test_tails_have_no_floor() -> None:
    nodes = nodes_of(np.random.default_rng(1).normal(10.0, 1.0, size=(2_000, 1)))
    p = below(np.array([0.0]), nodes, np.array([0.5]), 10)[0]
    assert 0 < p < 1e-5


def test_an_unknown_value_stays_unknown() -> None:
    nodes = np.full((5, 1), np.nan)
    assert np.isnan(quantile(0.5, nodes, np.array([np.nan]), 3)[0])
