import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dermaug.errors import DermaugError
from dermaug.evaluation.manifold import fewest_of_others, manifold, neighbour_radii


def normal(number: int, width: int = 6, seed: int = 0, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1.0, (number, width))


def written_out_radius(points: np.ndarray, index: int, k: int) -> float:
    others = np.delete(points, index, axis=0)
    return float(np.sort(np.linalg.norm(others - points[index], axis=1))[k - 1])


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
    assert manifold(real, made) == manifold(real[::-1], made[::-1])


def test_neighbour_radii_skip_the_point_itself() -> None:
    line = np.array([[0.0], [1.0], [3.0], [6.0]])
    assert neighbour_radii(line, (1, 2))[0].tolist() == [1.0, 1.0, 2.0, 3.0]
    assert neighbour_radii(line, (1, 2))[1].tolist() == [3.0, 2.0, 3.0, 5.0]


def test_balls_reach_to_images_of_other_lesions() -> None:
    line = np.array([[0.0], [1.0], [3.0], [6.0]])
    lesions = np.array(["a", "a", "b", "c"], dtype=object)
    assert neighbour_radii(line, (1, 2), lesions)[0].tolist() == [3.0, 2.0, 2.0, 3.0]
    assert neighbour_radii(line, (1, 2), lesions)[1].tolist() == [6.0, 5.0, 3.0, 5.0]
    assert fewest_of_others(lesions) == 2
    with pytest.raises(DermaugError, match="at least 3 images of other lesions"):
        neighbour_radii(line, (1, 3), lesions)


def test_manifold_with_lesions_is_the_written_out_count() -> None:
    random = np.random.default_rng(0)
    real, made = normal(30, 3), normal(36, 3, seed=1, shift=0.3)
    of_real, of_made = random.integers(0, 12, 30), random.integers(8, 20, 36)
    distances = np.linalg.norm(made[:, None] - real[None], axis=2)
    distances[of_made[:, None] == of_real] = np.inf

    def radii(points: np.ndarray, lesions: np.ndarray, k: int) -> np.ndarray:
        apart = [points[lesions != lesion] - point for point, lesion in zip(points, lesions)]  # noqa: B905
        return np.array([np.sort(np.linalg.norm(each, axis=1))[k - 1] for each in apart])

    within = distances <= radii(real, of_real, 5)
    found = manifold(real, made, of_real, of_made)
    assert found.precision == (distances <= radii(real, of_real, 3)).any(axis=1).mean()
    assert found.recall == (distances <= radii(made, of_made, 3)[:, None]).any(axis=0).mean()
    assert found.density == pytest.approx(within.sum() / (5 * len(made)))
    assert found.coverage == within.any(axis=0).mean()


def test_views_of_a_lesion_do_not_shrink_the_manifold() -> None:
    """Each lesion photographed twice, almost alike: fresh images lie in it as often as before."""
    once, twice, blind = [], [], []
    for seed in range(40):
        lesions, fresh = normal(40, seed=seed), normal(60, seed=seed + 900)
        doubled = np.repeat(lesions, 2, axis=0) + normal(80, seed=seed + 500) * 0.01
        once.append(manifold(lesions, fresh, k_density=3).coverage)
        twice.append(manifold(doubled, fresh, np.repeat(np.arange(40), 2)).coverage)
        blind.append(manifold(doubled, fresh).coverage)
    assert np.mean(twice) == pytest.approx(np.mean(once), abs=0.03)
    assert np.mean(blind) < np.mean(once) - 0.05


def test_memory_does_not_grow_with_the_pairs() -> None:
    points = normal(6_000, 2)  # 36 million pairs: 288 MB at once
    tracemalloc.start()
    manifold(points, points[:3_000])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200e6
