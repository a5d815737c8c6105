"""The nearest images, one of each lesion."""

import numpy as np

from dermaug.evaluation.neighbours import nearest_groups, nearest_lesions


def test_each_lesion_is_named_once_and_the_nearest_first() -> None:
    random = np.random.default_rng(0)
    training = random.integers(0, 256, (8, 16, 16, 3), dtype=np.uint8)
    lesions = np.array(list("aabbccdd"))
    query = training[3]
    extract = lambda images: images.reshape(len(images), -1)[:, :4].astype(float)  # noqa: E731
    found = nearest_lesions(query, training, lesions, extract, 3)
    assert found[0].indices[0] == 3
    assert found[0].pixels[0] == 0
    rows = [int(near.indices[0]) for near in found]
    assert len({lesions[row] for row in rows}) == 3
    distances = [float(near.pixels[0]) for near in found]
    assert distances == sorted(distances)
    assert len(nearest_lesions(query, training, lesions, extract, 9)) == 4


def test_groups_are_taken_by_their_smallest_distance() -> None:
    distances = np.array([5.0, 1.0, 3.0, 2.0, 0.5])
    groups = np.array(["x", "y", "x", "y", "z"])
    assert nearest_groups(distances, groups, 9).tolist() == [4, 1, 2]
