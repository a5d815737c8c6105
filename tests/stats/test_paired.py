from math import comb

import numpy as np
import pytest

from dermaug.stats.paired import mcnemar_exact


def exact_by_hand(better: int, worse: int) -> float:
    number, fewer = better + worse, min(better, worse)
    tail = sum(comb(number, count) for count in range(fewer + 1)) / 2**number
    return min(1.0, 2 * tail)


@pytest.mark.parametrize(("better", "worse"), [(0, 5), (9, 2), (6, 6), (40, 21)])
def test_p_is_the_exact_binomial_one(better: int, worse: int) -> None:
    gains = np.array([1] * better + [-1] * worse + [0] * 100)
    found = mcnemar_exact(gains)
    assert (found.better, found.worse) == (better, worse)
    assert found.p == pytest.approx(exact_by_hand(better, worse))


def test_a_lesion_counts_once_whatever_its_images() -> None:
    assert mcnemar_exact(np.array([3, 2, -1, 0.0])) == mcnemar_exact(np.array([1, 1, -4, 0.0]))


def test_arms_that_never_differ_have_p_one() -> None:
    assert mcnemar_exact(np.zeros(20)).p == 1.0
