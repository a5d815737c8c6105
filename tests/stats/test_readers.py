"""Statistics of reader tests, against references, known answers and a simulation."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from dermaug.stats.kappa import cohen_kappa
from dermaug.stats.multireader import reader_mean
from dermaug.stats.proportion import wilson


def test_wilson_is_that_of_the_textbook_and_never_empty() -> None:
    # Altman et al. 2000, Statistics with Confidence, page 46: 81 of 263.
    assert wilson(81, 263) == pytest.approx((0.255, 0.366), abs=5e-4)
    assert wilson(10, 10)[0] < 1.0 == wilson(10, 10)[1]
    assert np.isnan(wilson(0, 0)).all()


def test_kappa_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    first = random.choice(["mel", "nv", "bkl"], 60)
    second = np.where(random.random(60) < 0.6, first, random.choice(["mel", "nv", "bkl"], 60))
    found = cohen_kappa(list(first), list(second))
    assert found.kappa == pytest.approx(cohen_kappa_score(first, second))
    assert found.low < found.kappa < found.high
    assert found.agreed == int((first == second).sum())


def test_perfect_agreement_has_no_interval_of_width_zero() -> None:
    same = cohen_kappa(["real", "synthetic"] * 5, ["real", "synthetic"] * 5)
    assert same.kappa == 1.0
    assert np.isnan((same.low, same.high)).all()
    one_answer = cohen_kappa(["real"] * 5, ["real"] * 5)
    assert np.isnan(one_answer.kappa)


def test_two_readers_and_readers_without_mistakes_get_no_interval() -> None:
    kinds = np.repeat([0, 1], 5)
    for right in (np.eye(10)[:, :2], np.ones((10, 4))):
        found = reader_mean(right, kinds)
        assert found.mean == right.mean()
        assert np.isnan((found.low, found.high)).all()


def test_one_reader_more_of_the_same_kind_narrows_the_interval() -> None:
    random = np.random.default_rng(0)
    right = (random.random((60, 12)) < 0.7).astype(float)
    kinds = np.repeat([0, 1], 30)
    few, many = reader_mean(right[:, :3], kinds), reader_mean(right, kinds)
    assert many.high - many.low < few.high - few.low


def test_the_interval_holds_the_mean_of_all_readers_on_all_cases() -> None:
    random = np.random.default_rng(0)
    held, times = 0, 2_000
    skill, difficulty = 0.3, 0.8
    # The mean over all readers and all cases, by integration over many of both.
    margins = random.normal(0.6, np.hypot(skill, difficulty), 2_000_000)
    truth = float(np.mean(1 / (1 + np.exp(-margins))))
    for _ in range(times):
        logits = 0.6 + random.normal(0, skill, (1, 5)) + random.normal(0, difficulty, (60, 1))
        right = (random.random((60, 5)) < 1 / (1 + np.exp(-logits))).astype(float)
        found = reader_mean(right, np.repeat([0, 1], 30))
        held += found.low <= truth <= found.high
    assert 0.93 < held / times < 0.985
