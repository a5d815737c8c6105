import numpy as np
import pytest

from dermaug.inspection.audit_fidelity import OVERLAPS, Cloud, compare_clouds


def normal(number: int, seed: int, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1.0, (number, 6))


def names(number: int, start: str = "L") -> np.ndarray:
    return np.array([f"{start}{row}" for row in range(number)], dtype=object)


def test_floor_is_a_random_part_of_the_training_images_not_their_first() -> None:
    """Training images lie in an order that means something: here one kind before the other."""
    both = np.concatenate([normal(100, 0), normal(100, 1, shift=20.0)])
    validation = np.concatenate([normal(50, 2), normal(50, 3, shift=20.0)])
    found = compare_clouds(
        Cloud(validation, names(100)), Cloud(both[::2]), Cloud(both, names(200, "T")), seed=0
    )
    assert found["recall_floor"] > 0.8
    assert found["coverage_floor"] > 0.8
    assert found["fid_floor"] < 20


def test_generated_images_are_lesions_of_their_own() -> None:
    cloud = Cloud(normal(7, 0))
    assert cloud.num_lesions == len(cloud.take(np.arange(7))) == 7


@pytest.mark.parametrize("side", [0, 2])
def test_one_lesion_allows_no_distance_and_few_no_overlap(side: int) -> None:
    def found(lesions: int) -> dict[str, object]:
        clouds = [Cloud(normal(30, k), names(30, str(k))) for k in range(3)]
        few = np.array([str(row % lesions) for row in range(30)], dtype=object)
        clouds[side] = Cloud(clouds[side].features, few)
        clouds[1] = Cloud(clouds[1].features)
        return compare_clouds(*clouds, seed=0)

    one, two, many = found(1), found(2), found(8)
    assert one["fid_flag"] == "too few lesions"
    assert set(one) == set(two) == set(many)
    numbers = [name for name in one if name != "fid_flag"]
    assert all(np.isnan(one[name]) for name in numbers)
    assert all(np.isfinite(many[name]) for name in numbers)
    ending = "_floor" if side == 2 else ""
    assert np.isfinite([two["kid"], two["kid_floor"], two["fid"]]).all()
    assert np.isnan(two[f"kid{ending}_low"])


def test_overlaps_need_images_of_other_lesions() -> None:
    """Ten images, of which six are of one lesion, have balls of four others at most."""
    lesions = np.array([*"aaaaaabcde"], dtype=object)
    clouds = Cloud(normal(10, 0), lesions), Cloud(normal(30, 1)), Cloud(normal(30, 2), names(30))
    found = compare_clouds(*clouds, seed=0)
    assert np.isnan([found[name] for name in OVERLAPS]).all()
    assert np.isfinite(found["kid"])
