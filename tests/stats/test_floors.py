import numpy as np
import pytest

from dermaug.stats.floors import paired_floor


def test_groups_that_all_agree_leave_what_half_a_discordant_group_would() -> None:
    # b = c = 0.5 of n + 2: (b + c - (b - c)^2 / n) / n^2
    assert paired_floor(np.zeros((23, 1)), np.ones((23, 1)))[0] == pytest.approx(1 / 25**2)


def test_discordant_groups_count_by_agresti_and_min() -> None:
    gains = np.array([[1.0]] * 7 + [[-1.0]] * 2 + [[0.0]] * 11)
    expected = (7.5 + 2.5 - (7.5 - 2.5) ** 2 / 22) / 22**2
    assert paired_floor(gains, np.ones((20, 1)))[0] == pytest.approx(expected)


def test_groups_without_images_of_a_class_do_not_count() -> None:
    asked = np.array([[1.0], [2.0], [0.0]])
    assert paired_floor(np.zeros((3, 1)), asked)[0] == pytest.approx(1 / 16)
    assert np.isinf(paired_floor(np.zeros((3, 1)), 0 * asked)[0])
