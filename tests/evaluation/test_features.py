import numpy as np
import pytest
import torch
from torch import Tensor

from dermaug.evaluation.embedding import embed
from dermaug.evaluation.features import common_scale, extract_features


def colours(images: Tensor) -> Tensor:
    return images.mean(dim=(2, 3))


def test_features_are_those_of_each_image_whatever_the_batch() -> None:
    images = np.random.default_rng(0).integers(0, 256, (300, 8, 8, 3), dtype=np.uint8)
    found = extract_features(colours, images, torch.device("cpu"))
    assert found.shape == (300, 3)
    assert found == pytest.approx(images.mean(axis=(1, 2)) / 255, abs=1e-6)


def test_common_scale_makes_units_vanish() -> None:
    first, second = np.random.default_rng(0).normal(size=(2, 20, 4))
    scale = common_scale(first, second)
    assert common_scale(first / scale, second / scale) == pytest.approx(1.0)
    assert common_scale(np.zeros((3, 2))) == 1.0


def test_embedding_keeps_clusters_apart_and_repeats() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(60, 20)) + np.repeat([0.0, 8.0], 30)[:, None]
    plane = embed(features, seed=1)
    assert plane.shape == (60, 2)
    middles = plane[:30].mean(axis=0), plane[30:].mean(axis=0)
    spread = max(plane[:30].std(), plane[30:].std())
    assert np.linalg.norm(middles[0] - middles[1]) > 2 * spread
    assert np.array_equal(plane, embed(features, seed=1))


@pytest.mark.parametrize("shape", [(8, 1), (8, 300), (9, 2)])
def test_embedding_of_few_images(shape: tuple[int, int]) -> None:
    assert np.isfinite(embed(np.random.default_rng(0).normal(size=shape), 0)).all()
