import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from dermaug.errors import DermaugError
from dermaug.evaluation.fidelity import fid, fid_caution, kid, manifold, neighbour_radii


def normal(number: int, width: int = 6, seed: int = 0, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1.0, (number, width))


def written_out_kid(first: np.ndarray, second: np.ndarray) -> float:
    """Gretton et al. 2012, equation 3, pair by pair."""

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return (float(x @ y) / len(x) + 1.0) ** 3

    def within(part: np.ndarray) -> float:
        pairs = [kernel(x, y) for i, x in enumerate(part) for j, y in enumerate(part) if i != j]
        return sum(pairs) / (len(part) * (len(part) - 1))

    across = np.mean([kernel(x, y) for x in first for y in second])
    return within(first) + within(second) - 2.0 * float(across)


def written_out_fid(first: np.ndarray, second: np.ndarray) -> float:
    """Heusel et al. 2017, equation 6, with scipy's matrix root."""
    covariances = [np.cov(part, rowvar=False) for part in (first, second)]
    root = np.real(sqrtm(covariances[0] @ covariances[1]))
    shift = np.square(first.mean(axis=0) - second.mean(axis=0)).sum()
    return float(shift + np.trace(covariances[0] + covariances[1] - 2.0 * root))


def written_out_radius(points: np.ndarray, index: int, k: int) -> float:
    others = np.delete(points, index, axis=0)
    return float(np.sort(np.linalg.norm(others - points[index], axis=1))[k - 1])


def test_kid_is_the_written_out_sum() -> None:
    first, second = normal(23), normal(31, seed=1, shift=0.4)
    assert kid(first, second).value == pytest.approx(written_out_kid(first, second), rel=1e-10)


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


def test_kid_halves_hold_whole_lesions() -> None:
    # Ten views of each of eight lesions tell no more than eight images: the interval must be wide.
    lesions = np.repeat(np.arange(8), 10)
    views = np.repeat(normal(8, seed=4), 10, axis=0)
    apart, together = kid(views, normal(80, seed=5)), kid(views, normal(80, seed=5), lesions)
    assert apart.value == together.value
    assert together.high - together.low > 1.5 * (apart.high - apart.low)


def test_too_few_to_halve_gives_no_interval() -> None:
    found = kid(normal(3), normal(30))
    assert np.isfinite(found.value)
    assert np.isnan([found.low, found.high]).all()


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


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (normal(20, 4), normal(20, 5), "equal width"),
        (normal(20), np.full((20, 6), np.nan), "finite"),
        (normal(5), normal(50), "at least 6 images"),
    ],
)
def test_unusable_features_are_named(first: np.ndarray, second: np.ndarray, expected: str) -> None:
    with pytest.raises(DermaugError, match=expected):
        manifold(first, second)


def test_manifold_of_identical_sets() -> None:
    points = normal(200)
    found = manifold(points, points)
    assert (found.precision, found.recall, found.coverage) == (1.0, 1.0, 1.0)
    # Each ball holds its centre and its five neighbours.
    assert found.density == pytest.approx(6 / 5)


def test_manifold_of_disjoint_sets() -> None:
    found = manifold(normal(100), normal(100, seed=1, shift=100.0))
    assert (found.precision, found.recall, found.density, found.coverage) == (0, 0, 0, 0)


def test_manifold_of_one_distribution_has_density_near_one_and_the_expected_coverage() -> None:
    found = [manifold(normal(200, seed=s), normal(200, seed=s + 50)) for s in range(10)]
    assert np.mean([each.density for each in found]) == pytest.approx(1.0, abs=0.05)
    # Naeem et al. 2020: 1 - (m-1)...(m-k) / ((2m-1)...(2m-k)), about 1 - 2^-k.
    assert np.mean([each.coverage for each in found]) == pytest.approx(1 - 2.0**-5, abs=0.02)


def test_dropped_modes_cost_recall_and_coverage_not_precision() -> None:
    reference = np.concatenate([normal(100), normal(100, seed=1, shift=20.0)])
    found = manifold(reference, normal(200, seed=2))
    assert found.precision > 0.8
    assert found.recall <= 0.5
    assert found.coverage <= 0.5


def test_manifold_is_the_written_out_count() -> None:
    real, made = normal(30, 3), normal(40, 3, seed=1, shift=0.6)
    distances = np.linalg.norm(made[:, None] - real[None], axis=2)
    radius3, radius5 = (
        np.array([written_out_radius(real, index, k) for index in range(len(real))]) for k in (3, 5)
    )
    made3 = np.array([written_out_radius(made, index, 3) for index in range(len(made))])
    found = manifold(real, made)
    assert found.precision == np.mean([any(row <= radius3) for row in distances])
    assert found.recall == np.mean([any(column <= made3) for column in distances.T])
    assert found.density == pytest.approx((distances <= radius5).sum() / (5 * len(made)))
    assert found.coverage == np.mean(distances.min(axis=0) <= radius5)


@settings(max_examples=25, deadline=None)
@given(st.integers(7, 40), st.integers(7, 40), st.integers(1, 8), st.integers(0, 99))
def test_order_of_images_does_not_matter(first: int, second: int, width: int, seed: int) -> None:
    real, made = normal(first, width, seed), normal(second, width, seed + 100)
    turned = real[::-1], made[::-1]
    assert fid(real, made) == pytest.approx(fid(*turned), rel=1e-8, abs=1e-8)
    assert kid(real, made).value == pytest.approx(kid(*turned).value, rel=1e-8, abs=1e-8)
    assert manifold(real, made) == manifold(*turned)


def test_neighbour_radii_skip_the_point_itself() -> None:
    line = np.array([[0.0], [1.0], [3.0], [6.0]])
    assert neighbour_radii(line, (1, 2))[0].tolist() == [1.0, 1.0, 2.0, 3.0]
    assert neighbour_radii(line, (1, 2))[1].tolist() == [3.0, 2.0, 3.0, 5.0]


def test_memory_does_not_grow_with_the_pairs() -> None:
    points = normal(6_000, 2)  # 36 million pairs: 288 MB at once
    tracemalloc.start()
    kid(points, points[:3_000], halves=4)
    manifold(points, points[:3_000])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200e6
