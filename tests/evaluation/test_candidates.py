"""Candidates for near-duplicates: what comparing all pairs finds, in any orientation."""

import numpy as np
import pytest

from dermaug.data.orientations import NUM_ORIENTATIONS, oriented
from dermaug.evaluation import duplicates
from dermaug.evaluation.candidates import candidates
from dermaug.evaluation.duplicates import near_between, near_pairs

NUMBER = 2_000


def details(number: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 30, (number, 32, 32)).round().astype(np.int8)


def changed(some: np.ndarray, correlation: float) -> np.ndarray:
    """Other details of about this correlation with the first, each in another orientation."""
    noise = np.random.default_rng(9).normal(0, 30, some.shape)
    mixed = correlation * some + np.sqrt(1 - correlation**2) * noise
    whole = mixed.round().clip(-127, 127).astype(np.int8)
    return np.concatenate(
        [
            oriented(each[None, ..., None], place % NUM_ORIENTATIONS)[..., 0]
            for place, each in enumerate(whole)
        ]
    )


def test_all_and_only_the_near_pairs_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = details(NUMBER, 0)
    everything = np.concatenate([known, changed(known[:200], 0.95)])
    groups = np.arange(len(everything))
    exact = near_pairs(everything, groups)
    assert len(exact.first) == 200
    monkeypatch.setattr(duplicates, "EXHAUSTIVE", 0)
    found = near_pairs(everything, groups)
    for name in ("first", "second", "orientations", "correlations"):
        np.testing.assert_array_equal(getattr(found, name), getattr(exact, name))


def test_pairs_across_two_sets_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    known = details(NUMBER, 0)
    others = np.concatenate([details(50, 1), changed(known[:40], 0.97)])
    exact = near_between(others, known)
    monkeypatch.setattr(duplicates, "EXHAUSTIVE", 0)
    found = near_between(others, known)
    assert found.second.tolist() == exact.second.tolist()
    assert sorted(found.second.tolist()) == list(range(40))


def test_few_pairs_are_candidates_and_each_once() -> None:
    known = details(NUMBER, 0)
    pairs = candidates(known, known)
    assert pairs.shape[1] < NUMBER / 100
    assert (pairs[0] < pairs[1]).all()


def test_a_photograph_that_occurs_often_is_one_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "EXHAUSTIVE", 0)
    often = np.repeat(details(1, 3), 300, axis=0)
    everything = np.concatenate([details(500, 4), often])
    found = near_pairs(everything, np.arange(len(everything)))
    linked = {*found.first.tolist(), *found.second.tolist()}
    assert linked == set(range(500, 800))


def test_images_without_detail_match_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "EXHAUSTIVE", 0)
    none = np.zeros((50, 32, 32), np.int8)
    assert not len(near_pairs(none, np.arange(50)).first)
