"""Rows of several sets of images, read when asked for."""

import numpy as np

from dermaug.data.image_rows import CHUNK, ImageRows, chunks

IMAGES = np.random.default_rng(0).integers(0, 256, (9, 4, 4, 3), dtype=np.uint8)


def test_rows_are_those_of_the_parts_in_a_row() -> None:
    first, second = np.array([8, 0, 3]), np.array([1, 1])
    rows = ImageRows((IMAGES, first), (255 - IMAGES, second))
    expected = np.concatenate([IMAGES[first], 255 - IMAGES[second]])
    np.testing.assert_array_equal(rows, expected)
    np.testing.assert_array_equal(rows[np.array([4, 0, 4])], expected[[4, 0, 4]])
    np.testing.assert_array_equal(rows[1:4], expected[1:4])
    np.testing.assert_array_equal(rows[np.arange(5) < 2], expected[:2])
    np.testing.assert_array_equal(list(rows), list(expected))
    assert (rows.shape, len(rows), rows.dtype) == (expected.shape, 5, np.uint8)


def test_rows_of_rows_are_rows() -> None:
    one = ImageRows((IMAGES, np.array([5, 6, 7])))
    np.testing.assert_array_equal(ImageRows((one, np.array([2, 0]))), IMAGES[[7, 5]])


def test_nothing_is_copied_before_it_is_asked_for() -> None:
    images = IMAGES.copy()
    rows = ImageRows((images, np.array([2])))
    images[2] = 7
    assert (rows[:] == 7).all()


def test_chunks_are_every_row_once() -> None:
    found = [row for part in chunks(CHUNK + 2) for row in range(CHUNK + 2)[part]]
    assert found == list(range(CHUNK + 2))
