import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from dermaug.data.sources.phantom import draw_class
from dermaug.errors import DermaugError
from dermaug.evaluation.memorisation import (
    Neighbours,
    calibrate,
    copy_rate,
    copy_scores,
    nearest,
    oriented,
)

SIZE = 32


def coarse(images: np.ndarray) -> np.ndarray:
    """Features: mean colours of 8 x 8 blocks."""
    blocks = images.reshape(len(images), 4, SIZE // 4, 4, SIZE // 4, 3)
    return blocks.mean(axis=(2, 4)).reshape(len(images), -1)


def drawn(number: int, seed: int, label: str = "mel") -> np.ndarray:
    return draw_class(label, number, seed, SIZE).images


@pytest.fixture(scope="module")
def training() -> np.ndarray:
    return drawn(200, 1)


@pytest.fixture(scope="module")
def validation() -> Neighbours:
    return nearest(drawn(150, 2), drawn(200, 1), coarse)


def scores(images: np.ndarray, training: np.ndarray, validation: Neighbours) -> np.ndarray:
    return copy_scores(nearest(images, training, coarse), calibrate(validation))


def written_out(query: np.ndarray, training: np.ndarray) -> tuple[float, int]:
    """Every orientation by numpy's own words, every training image, one by one."""
    turned = [np.rot90(side, turns) for side in (query, query[:, ::-1]) for turns in range(4)]
    distances = [
        [np.sqrt(np.mean((np.float64(view) - np.float64(known)) ** 2)) for known in training]
        for view in turned
    ]
    return float(np.min(distances)), int(np.min(distances, axis=0).argmin())


def test_neighbours_are_those_of_the_written_out_search(training: np.ndarray) -> None:
    queries = drawn(12, 5)
    found = nearest(queries, training, coarse)
    expected = [written_out(query, training) for query in queries]
    assert found.pixels == pytest.approx([distance for distance, _ in expected], rel=1e-6)
    assert found.indices.tolist() == [index for _, index in expected]
    views = np.concatenate(
        [
            oriented(query[None], int(turn))
            for query, turn in zip(queries, found.orientations, strict=True)
        ]
    )
    apart = np.linalg.norm(coarse(views) - coarse(training[found.indices]), axis=1)
    assert found.features == pytest.approx(apart)


def test_eight_orientations_are_all_different() -> None:
    image = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3), dtype=np.uint8)
    assert len({oriented(image, turn).tobytes() for turn in range(8)}) == 8
    assert np.array_equal(oriented(image, 0), image)


@pytest.mark.parametrize("orientation", range(8))
def test_a_planted_copy_is_found_in_any_orientation(
    training: np.ndarray, validation: Neighbours, orientation: int
) -> None:
    images = drawn(40, 6)
    images[17] = oriented(training[33:34], orientation)[0]
    found = nearest(images, training, coarse)
    ranked = copy_scores(found, calibrate(validation))
    assert int(ranked.argmin()) == 17
    assert ranked[17] == 0.0
    assert found.indices[17] == 33


def test_a_blurred_and_noisy_copy_is_found(training: np.ndarray, validation: Neighbours) -> None:
    padded = np.pad(training[5:8], ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    blurred = sliding_window_view(padded, (3, 3), axis=(1, 2)).mean(axis=(-1, -2))
    noise = np.random.default_rng(0).normal(0, 3, blurred.shape)
    copies = np.clip(blurred + noise, 0, 255).astype(np.uint8)
    assert (scores(copies, training, validation) < 1).all()


def test_training_images_passed_off_as_synthetic_are_copies(
    training: np.ndarray, validation: Neighbours
) -> None:
    rate = copy_rate(scores(training, training, validation) < 1)
    assert rate.share == 1.0
    assert rate.low > 0.97


def test_fresh_lesions_are_no_copies(training: np.ndarray, validation: Neighbours) -> None:
    rate = copy_rate(scores(drawn(200, 9), training, validation) < 1)
    assert rate.low <= calibrate(validation).expected
    assert rate.share <= 0.02


def test_false_alarms_are_bounded_as_promised() -> None:
    # Points on a line stand for images: validation and fresh ones are exchangeable.
    random = np.random.default_rng(0)
    alarms = []
    for _ in range(300):
        distances = np.abs(random.normal(size=(2, 250))) + 0.01
        zeros = np.zeros(250, dtype=np.int64)
        both = [Neighbours(zeros, zeros, row, row) for row in distances]
        thresholds = calibrate(both[0])
        alarms.append((copy_scores(both[1], thresholds) < 1).mean())
    assert thresholds.expected == pytest.approx(2 / 251)
    assert np.mean(alarms) == pytest.approx(thresholds.expected, rel=0.15)


def test_few_validation_images_take_the_nearest_and_say_what_it_is_worth() -> None:
    zeros = np.zeros(14, dtype=np.int64)
    distances = np.arange(14.0, 0.0, -1.0)
    thresholds = calibrate(Neighbours(zeros, zeros, distances, 2 * distances))
    assert (thresholds.pixels, thresholds.features) == (1.0, 2.0)
    assert thresholds.expected == pytest.approx(1 / 15)


def test_views_of_one_lesion_calibrate_once() -> None:
    zeros = np.zeros(6, dtype=np.int64)
    distances = np.array([3.0, 1.0, 2.0, 9.0, 8.0, 7.0])
    lesions = np.array(["a", "a", "a", "b", "b", "c"])
    thresholds = calibrate(Neighbours(zeros, zeros, distances, distances), lesions, level=0.5)
    assert (thresholds.pixels, thresholds.calibrated_on, thresholds.expected) == (7.0, 3, 0.5)


def test_duplicates_among_validation_images_do_not_calibrate() -> None:
    zeros = np.zeros(3, dtype=np.int64)
    distances = np.array([0.0, 4.0, 5.0])
    thresholds = calibrate(Neighbours(zeros, zeros, distances, distances))
    assert (thresholds.pixels, thresholds.calibrated_on) == (4.0, 2)
    with pytest.raises(DermaugError, match="thresholds for copies cannot be calibrated"):
        calibrate(Neighbours(zeros, zeros, distances * 0, distances * 0))


def test_images_of_other_sizes_are_refused(training: np.ndarray) -> None:
    with pytest.raises(DermaugError, match="one size on both sides"):
        nearest(np.zeros((2, 16, 16, 3), np.uint8), training, coarse)
    with pytest.raises(DermaugError, match="at least one on each"):
        nearest(training[:0], training, coarse)
