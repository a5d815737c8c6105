import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from dermaug.errors import DermaugError
from dermaug.evaluation.fidelity import fid, fid_caution, kid, one_of_each


def normal(number: int, width: int = 6, seed: int = 0, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1.0, (number, width))


def views(lesions: int, of_each: int, seed: int, likeness: float = 0.8) -> np.ndarray:
    """Several images of each lesion, standard normal, `likeness` correlated within a lesion."""
    random = np.random.default_rng(seed)
    common = np.repeat(random.normal(size=(lesions, 6)), of_each, axis=0)
    own = random.normal(size=(lesions * of_each, 6))
    return np.sqrt(likeness) * common + np.sqrt(1.0 - likeness) * own


def written_out_kid(
    first: np.ndarray, second: np.ndarray, groups: np.ndarray, other_groups: np.ndarray
) -> float:
    """Gretton et al. 2012, equation 3, pair by pair of different groups."""

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return (float(x @ y) / len(x) + 1.0) ** 3

    def mean(one: np.ndarray, two: np.ndarray, of_one: np.ndarray, of_two: np.ndarray) -> float:
        pairs = zip(one, of_one, strict=True), list(zip(two, of_two, strict=True))
        return np.mean([kernel(x, y) for x, a in pairs[0] for y, b in pairs[1] if a != b])

    within = mean(first, first, groups, groups) + mean(second, second, other_groups, other_groups)
    return within - 2.0 * mean(first, second, groups, other_groups)


def written_out_fid(first: np.ndarray, second: np.ndarray) -> float:
    """Heusel et al. 2017, equation 6, with scipy's matrix root."""
    covariances = [np.cov(part, rowvar=False) for part in (first, second)]
    root = np.real(sqrtm(covariances[0] @ covariances[1]))
    shift = np.square(first.mean(axis=0) - second.mean(axis=0)).sum()
    return float(shift + np.trace(covariances[0] + covariances[1] - 2.0 * root))


def test_kid_is_the_written_out_sum() -> None:
    first, second = normal(23), normal(31, seed=1, shift=0.4)
    expected = written_out_kid(first, second, np.arange(23), np.arange(23, 54))
    assert kid(first, second).value == pytest.approx(expected, rel=1e-10)


def test_kid_leaves_out_every_pair_of_one_lesion() -> None:
    """Lesions of one to three images, two of them on both sides."""
    first, second = normal(12), normal(9, seed=1, shift=0.4)
    groups = np.array([*"aaabbccddeef"], dtype=object)
    other = np.array([*"aexxyyzvw"], dtype=object)
    expected = written_out_kid(first, second, groups, other)
    assert kid(first, second, groups, other).value == pytest.approx(expected, rel=1e-10)
    # Images without lesions are no lesion of the other side.
    alone = written_out_kid(first, second, groups, np.array([*"123456789"], dtype=object))
    assert kid(first, second, groups).value == pytest.approx(alone, rel=1e-10)


@pytest.mark.parametrize("both_real", [False, True])
def test_kid_of_equal_distributions_is_zero_whatever_the_images_of_a_lesion(
    both_real: bool,
) -> None:
    lesions = np.repeat(np.arange(10), 2)
    values, blind = [], []
    for seed in range(600):
        reference = views(10, 2, 2 * seed)
        sample = views(10, 2, 2 * seed + 1) if both_real else normal(40, seed=2 * seed + 1)
        groups = (lesions, lesions + 10 if both_real else None)
        values.append(kid(reference, sample, *groups, halves=0).value)
        blind.append(kid(reference, sample, halves=0).value)
    error = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values)) < 3 * error
    # Taken for independent images they are far from zero: the test can tell.
    assert np.mean(blind) > 10 * error


def test_kid_is_unbiased_and_its_interval_covers() -> None:
    # Two samples of one distribution: the distance is 0 in the mean, and the interval holds it.
    found = [kid(normal(40, seed=2 * s), normal(40, seed=2 * s + 1), seed=s) for s in range(150)]
    values = np.array([each.value for each in found])
    assert abs(values.mean()) < 3 * values.std() / np.sqrt(len(values))
    assert (values < 0).any()
    assert np.mean([each.low <= 0 <= each.high for each in found]) >= 0.95


def test_kid_interval_covers_a_known_difference() -> None:
    # Mean of k over pairs of N(a, I) and N(b, I) by a large sample stands for the truth.
    truth = kid(normal(4_000, 3, 1), normal(4_000, 3, 2, shift=0.7), halves=0).value
    found = [
        kid(normal(60, 3, 10 + s), normal(60, 3, 900 + s, shift=0.7), seed=s) for s in range(200)
    ]
    assert 0.88 <= np.mean([each.low <= truth <= each.high for each in found]) <= 0.99


@pytest.mark.parametrize("side", [0, 1])
def test_kid_halves_hold_whole_lesions(side: int) -> None:
    # Ten views of each of eight lesions tell no more than eight images: the interval must be wide.
    lesions = np.repeat(np.arange(8), 10)
    sides = [np.repeat(normal(8, seed=4), 10, axis=0), normal(80, seed=5)]
    groups = [lesions, None]
    if side:
        sides, groups = sides[::-1], groups[::-1]
    apart, together = kid(*sides), kid(*sides, *groups)
    assert together.high - together.low > 1.5 * (apart.high - apart.low)


def test_too_few_to_halve_gives_no_interval() -> None:
    found = kid(normal(3), normal(30))
    assert np.isfinite(found.value)
    assert np.isnan([found.low, found.high]).all()
    lesions = np.repeat(np.arange(3), 10)
    found = kid(normal(30), normal(30, seed=1), lesions)
    assert np.isfinite(found.value)
    assert np.isnan([found.low, found.high]).all()


@pytest.mark.parametrize("groups", [(np.zeros(20), None), (None, np.zeros(20))])
def test_one_lesion_is_an_error(groups: tuple[np.ndarray | None, np.ndarray | None]) -> None:
    with pytest.raises(DermaugError, match="at least 2 lesions on each side, found 1"):
        kid(normal(20), normal(20, seed=1), *groups)


def test_one_of_each_lesion() -> None:
    lesions = np.array(["a", "b", "a", "c", "b", "a"], dtype=object)
    picks = [one_of_each(lesions, np.random.default_rng(seed)) for seed in range(50)]
    assert all(sorted(lesions[rows]) == ["a", "b", "c"] for rows in picks)
    assert all((np.diff(rows) > 0).all() for rows in picks)
    assert {int(row) for rows in picks for row in rows} == set(range(6))


@pytest.mark.parametrize(("number", "width"), [(300, 6), (12, 40)])
def test_fid_of_identical_sets_is_zero(number: int, width: int) -> None:
    points = normal(number, width)
    assert fid(points, points) < 1e-3
    assert fid(points, points[::-1]) < 1e-3


def test_fid_of_shifted_and_stretched_gaussians_is_the_closed_form() -> None:
    # |shift|^2 + sum over features of (1 - spread)^2.
    width, shift, spread = 5, 0.5, 2.0
    first, second = normal(60_000, width), normal(60_000, width, seed=1) * spread + shift
    assert fid(first, second) == pytest.approx(width * (shift**2 + (1 - spread) ** 2), rel=0.02)


def test_fid_agrees_with_the_matrix_root() -> None:
    mixing = np.random.default_rng(3).normal(size=(6, 6))
    first, second = normal(200) @ mixing, normal(150, seed=1, shift=0.3)
    assert fid(first, second) == pytest.approx(written_out_fid(first, second), rel=1e-6)


def test_fid_of_few_images_is_flagged() -> None:
    assert fid_caution(2_048, 9_000, 512) == ""
    assert "fewer than 2,048" in fid_caution(2_047, 9_000, 512)
    assert "2,050 images for 2,100 features" in fid_caution(2_050, 9_000, 2_100)


@pytest.mark.parametrize("distance", [kid, fid])
def test_one_image_is_an_error(distance) -> None:  # noqa: ANN001
    with pytest.raises(DermaugError, match="at least 2 images on each side, found 1"):
        distance(normal(1), normal(50))


@settings(max_examples=25, deadline=None)
@given(st.integers(7, 40), st.integers(7, 40), st.integers(1, 8), st.integers(0, 99))
def test_order_of_images_does_not_matter(first: int, second: int, width: int, seed: int) -> None:
    real, made = normal(first, width, seed), normal(second, width, seed + 100)
    turned = real[::-1], made[::-1]
    assert fid(real, made) == pytest.approx(fid(*turned), rel=1e-8, abs=1e-8)
    assert kid(real, made).value == pytest.approx(kid(*turned).value, rel=1e-8, abs=1e-8)


def test_memory_does_not_grow_with_the_pairs() -> None:
    points = normal(6_000, 2)  # 36 million pairs: 288 MB at once
    tracemalloc.start()
    kid(points, points[:3_000], halves=4)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200e6
