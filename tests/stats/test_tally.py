import numpy as np

from dermaug.stats.tally import asked_of, right_of


def test_right_answers_are_counted_by_group() -> None:
    labels, groups = np.array([0, 0, 1, 2]), np.array([0, 0, 1, 1])
    called = np.array([0, 1, 1, 1])
    asked = asked_of(labels, groups, (2, 3))
    np.testing.assert_array_equal(asked[0], [[2, 0, 0], [0, 2, 2]])
    right = right_of(labels, called, groups, (2, 3))
    np.testing.assert_array_equal(right[0], [[1, 0, 0], [0, 1, 2]])  # class 1 is called once
    np.testing.assert_array_equal(right[1], [[0, 1, 0], [2, 0, 1]])


def test_no_group_has_more_right_answers_than_it_was_asked() -> None:
    random = np.random.default_rng(0)
    labels, called = random.integers(0, 4, (2, 200))
    groups = random.integers(0, 30, 200)
    asked = asked_of(labels, groups, (30, 4))
    right = right_of(labels, called, groups, (30, 4))
    assert ((right >= 0) & (right <= asked)).all()
