"""Halves of validation: no group in both, the same for any order, and fair to small classes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dermaug.data.halves import LEAST_GROUPS, halves

COUNTS = st.lists(st.integers(1, 4), min_size=1, max_size=30)


def images_of(counts: dict[str, list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Group and label of each image; a class's entry has the images of each of its groups."""
    rows = [
        (f"{label}{group}", label)
        for label, groups in counts.items()
        for group, number in enumerate(groups)
        for _ in range(number)
    ]
    groups, labels = zip(*rows, strict=True)
    return np.array(groups, dtype=object), np.array(labels, dtype=object)


@settings(max_examples=50, deadline=None)
@given(mel=COUNTS, nv=COUNTS, seed=st.integers(0, 9))
def test_halves_share_no_group_but_in_classes_too_small(
    mel: list[int], nv: list[int], seed: int
) -> None:
    groups, labels = images_of({"mel": mel, "nv": nv})
    found = halves(groups, labels, seed)
    assert (found.choosing | found.judging).all()
    for label, counts in (("mel", mel), ("nv", nv)):
        rows = labels == label
        choosing, judging = (set(groups[rows & half]) for half in (found.choosing, found.judging))
        if len(counts) < LEAST_GROUPS:
            assert not choosing
            assert len(judging) == len(counts)
        elif len(counts) < 2 * LEAST_GROUPS:
            assert choosing == judging == set(groups[rows])
        else:
            assert not choosing & judging
            assert len(judging) - len(choosing) in (0, 1)
            assert len(choosing) >= LEAST_GROUPS


@settings(max_examples=25, deadline=None)
@given(mel=COUNTS, nv=COUNTS, order=st.randoms(use_true_random=False))
def test_halves_know_nothing_of_the_order_of_rows(
    mel: list[int], nv: list[int], order: object
) -> None:
    groups, labels = images_of({"mel": mel, "nv": nv})
    places = list(range(len(groups)))
    order.shuffle(places)  # type: ignore[attr-defined]
    whole, shuffled = halves(groups, labels, 0), halves(groups[places], labels[places], 0)
    np.testing.assert_array_equal(whole.choosing[places], shuffled.choosing)
    np.testing.assert_array_equal(whole.judging[places], shuffled.judging)


def test_a_class_is_halved_alike_whatever_other_classes_there_are() -> None:
    groups, labels = images_of({"mel": [2] * 20, "nv": [1] * 15})
    alone = halves(groups[labels == "mel"], labels[labels == "mel"], 3)
    np.testing.assert_array_equal(halves(groups, labels, 3).judging[labels == "mel"], alone.judging)


def test_groups_that_come_or_go_leave_the_others_in_their_order() -> None:
    """Of 40 groups fewer than a handful change sides when two more come."""
    groups, labels = images_of({"mel": [1] * 42})
    more = halves(groups, labels, 0).judging
    fewer = halves(groups[:40], labels[:40], 0).judging
    assert (more[:40] != fewer).sum() <= 2


def test_another_seed_halves_otherwise() -> None:
    groups, labels = images_of({"mel": [1] * 40})
    assert (halves(groups, labels, 0).judging != halves(groups, labels, 1).judging).any()


@pytest.mark.parametrize("seed", range(5))
def test_a_patient_with_two_diagnoses_is_in_one_half(seed: int) -> None:
    groups = np.repeat(np.array([f"P{k:02d}" for k in range(30)], dtype=object), 3)
    labels = np.tile(np.array(["nv", "nv", "mel"], dtype=object), 30)
    found = halves(groups, labels, seed)
    assert not set(groups[found.choosing]) & set(groups[found.judging])
    assert not (found.choosing & found.judging).any()
