"""One photograph under two names is found, however it was changed; look-alikes are not."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from dermaug.evaluation import duplicates
from dermaug.evaluation.duplicates import NEAR, alike_pairs
from dermaug.evaluation.memorisation import oriented


def textures(number: int, side: int = 48) -> np.ndarray:
    """Discs of one size on noise: alike in shape, each with a texture of its own."""
    random = np.random.default_rng(3)
    noise = gaussian_filter(random.normal(size=(number, side, side)), (0, 0.8, 0.8))
    across = np.arange(side) - side / 2
    disc = np.hypot(across[:, None], across[None, :]) < side / 4
    grey = 170.0 - 90.0 * disc + 40.0 * noise
    return np.repeat(grey[..., None], 3, axis=-1).clip(0, 255).astype(np.uint8)


def recompressed(image: np.ndarray, brighter: int) -> np.ndarray:
    buffer = io.BytesIO()
    moved = (image.astype(int) + brighter).clip(0, 255).astype(np.uint8)
    Image.fromarray(moved).save(buffer, format="JPEG", quality=80)
    return np.asarray(Image.open(buffer))


def test_a_planted_copy_is_found_turned_and_recompressed() -> None:
    images = textures(12)
    images[9] = recompressed(oriented(images[[4]], 5)[0], 25)
    found = alike_pairs(images, np.arange(12), least=3)
    assert (found.first[0], found.second[0]) == (4, 9)
    assert found.correlations[0] >= NEAR
    assert (found.correlations[1:] < NEAR).all()
    assert len(found.first) == 3
    turned = oriented(images[[4]], int(found.orientations[0]))[0].astype(int)
    other = oriented(images[[4]], 0)[0].astype(int)
    assert np.abs(turned - images[9]).mean() < np.abs(other - images[9]).mean()


def test_images_of_one_lesion_are_no_pair() -> None:
    images = textures(6)
    images[5] = images[0]
    assert (alike_pairs(images, np.array([7, 1, 2, 3, 4, 7])).correlations < NEAR).all()
    assert alike_pairs(images, np.zeros(6), least=4).first.size == 0


def test_all_pairs_are_looked_at_whatever_the_slabs(monkeypatch: pytest.MonkeyPatch) -> None:
    images = textures(7)
    images[6], images[5] = images[0], images[2]
    whole = alike_pairs(images, np.arange(7), least=6)
    monkeypatch.setattr(duplicates, "_ROWS", 2)
    parts = alike_pairs(images, np.arange(7), least=6)
    assert set(zip(whole.first, whole.second, strict=True)) >= {(0, 6), (2, 5)}
    assert set(zip(parts.first, parts.second, strict=True)) >= {(0, 6), (2, 5)}
    np.testing.assert_allclose(whole.correlations, parts.correlations, atol=1e-6)


def test_without_listing_more_only_near_ones_are_given() -> None:
    assert alike_pairs(textures(5), np.arange(5), least=0).first.size == 0
