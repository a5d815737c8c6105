import numpy as np
import pytest
from scipy import stats

from dermaug.stats.bootstrap import percentile_interval, stratified_totals


def test_totals_keep_the_number_of_groups_and_their_mean() -> None:
    counts = np.random.default_rng(0).poisson(3.0, size=(200, 2))
    ones = np.concatenate([counts, np.ones((200, 1))], axis=1)
    totals = stratified_totals([ones], resamples=2_000)
    assert totals.shape == (2_000, 3)
    assert (totals[:, 2] == 200).all()
    error = counts.std(axis=0) * np.sqrt(200)  # of one resampled total
    assert np.abs(totals[:, :2].mean(axis=0) - counts.sum(axis=0)) == pytest.approx(
        np.zeros(2), abs=4 * error.max() / np.sqrt(2_000)
    )
    assert totals[:, :2].std(axis=0) == pytest.approx(error, rel=0.08)


def test_interval_agrees_with_scipy() -> None:
    values = np.random.default_rng(1).normal(0.3, 1.0, size=150)
    means = stratified_totals([values], resamples=4_000) / len(values)
    reference = stats.bootstrap(
        (values,), np.mean, n_resamples=4_000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    ours = percentile_interval(means)
    assert ours == pytest.approx((reference.low, reference.high), abs=0.015)


def test_the_same_seed_draws_the_same_groups_whatever_is_counted() -> None:
    counts = np.arange(50.0)
    alone = stratified_totals([counts], seed=7)
    together = stratified_totals([np.stack([counts, counts**2], axis=1)], seed=7)
    np.testing.assert_array_equal(alone, together[:, 0])
    assert (alone != stratified_totals([counts], seed=8)).any()


def test_paired_columns_that_are_equal_differ_by_nothing() -> None:
    counts = np.random.default_rng(3).integers(0, 5, size=(40, 1)).repeat(2, axis=1)
    totals = stratified_totals([counts], resamples=300)
    assert percentile_interval(totals[:, 0] - totals[:, 1]) == (0.0, 0.0)


def test_undefined_values_are_left_out_of_the_interval() -> None:
    values = np.append(np.arange(101.0), np.nan)
    assert percentile_interval(values, confidence=0.5) == (25.0, 75.0)
    assert np.isnan(percentile_interval(np.array([np.nan]))).all()


def test_each_stratum_is_drawn_within_itself() -> None:
    strata = [np.ones((30, 1)) * [1, 0], np.ones((12, 1)) * [0, 1]]
    totals = stratified_totals(strata, resamples=100)
    assert (totals == [30, 12]).all()


def test_strata_add_their_variances() -> None:
    random = np.random.default_rng(4)
    strata = [random.normal(size=80), random.normal(3.0, 2.0, size=40)]
    totals = stratified_totals(strata, resamples=4_000)
    expected = sum(len(part) * part.var() for part in strata)
    assert totals.var() == pytest.approx(expected, rel=0.08)
