"""One photograph under two names is found, however it was changed; look-alikes are not."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from dermaug.data.orientations import oriented
from dermaug.data.signature import detail_of
from dermaug.evaluation import duplicates
from dermaug.evaluation.duplicates import NEAR, near_between, near_pairs

REAL = Path(__file__).parents[2] / "../shared/data/HAM10000"


def textures(number: int, side: int = 96, seed: int = 3) -> np.ndarray:
    """Discs of one size on noise: alike in shape, each with a texture of its own."""
    random = np.random.default_rng(seed)
    noise = gaussian_filter(random.normal(size=(number, side, side)), (0, 1.6, 1.6))
    across = np.arange(side) - side / 2
    disc = np.hypot(across[:, None], across[None, :]) < side / 4
    grey = 170.0 - 90.0 * disc + 90.0 * noise
    return np.repeat(grey[..., None], 3, axis=-1).clip(0, 255).astype(np.uint8)


def details(images: np.ndarray) -> np.ndarray:
    return np.stack([detail_of(Image.fromarray(image)) for image in images])


def recompressed(image: Image.Image, quality: int = 80, scale: float = 1.0) -> Image.Image:
    size = (round(image.width * scale), round(image.height * scale))
    buffer = io.BytesIO()
    image.resize(size, Image.Resampling.LANCZOS).save(buffer, format="JPEG", quality=quality)
    return Image.open(buffer)


def changed(image: np.ndarray, turn: int, scale: float = 1.0, brighter: int = 0) -> np.ndarray:
    moved = (oriented(image[None], turn)[0].astype(int) + brighter).clip(0, 255).astype(np.uint8)
    return np.asarray(recompressed(Image.fromarray(moved), 80, scale))


def correlations(known: np.ndarray) -> np.ndarray:
    """Of every image with every other in the orientation that fits best, the plain way."""
    turned = [oriented(known[..., None], turn).reshape(len(known), -1) for turn in range(8)]
    together = np.concatenate([*turned, turned[0]]).astype(float)
    together /= np.linalg.norm(together, axis=1, keepdims=True)
    number = len(known)
    products = together[: 8 * number] @ together[8 * number :].T
    best = products.reshape(8, number, number).max(axis=0)
    np.fill_diagonal(best, -1.0)
    return best


@pytest.mark.parametrize("turn", range(8))
def test_a_planted_copy_is_found_turned_and_recompressed(turn: int) -> None:
    images = textures(12)
    images[9] = changed(images[4], turn, brighter=25)
    known, groups = details(images), np.arange(12)
    found = near_pairs(known, groups)
    assert (found.first.tolist(), found.second.tolist()) == ([4], [9])
    assert found.correlations[0] == pytest.approx(correlations(known).max())
    assert found.correlations[0] >= NEAR
    seen = oriented(images[[4]], int(found.orientations[0]))[0].astype(int)
    assert np.abs(seen - images[9]).mean() < 30


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_another_set_holds_the_same_photographs_at_another_size(scale: float) -> None:
    here, there = textures(30), textures(20, seed=4)
    copies = [changed(here[row], row % 8, scale) for row in (3, 11, 28)]
    others = np.concatenate([details(there), details(np.stack(copies))])
    found = near_between(others, details(here))
    assert dict(zip(found.first.tolist(), found.second.tolist(), strict=True)) == {
        20: 3,
        21: 11,
        22: 28,
    }


def test_images_of_one_lesion_are_no_pair() -> None:
    images = textures(6)
    images[5] = images[0]
    groups = np.array([7, 1, 2, 3, 4, 7])
    assert near_pairs(details(images), groups).first.size == 0


def test_all_pairs_are_looked_at_whatever_the_slabs(monkeypatch: pytest.MonkeyPatch) -> None:
    images = textures(7)
    images[6], images[5] = images[0], images[2]
    groups = np.arange(7)
    near = near_pairs(details(images), groups)
    monkeypatch.setattr(duplicates, "_ENTRIES", 15)  # two rows at a time
    calls: list[tuple[int, int]] = []
    again = near_pairs(details(images), groups, lambda *counts: calls.append(counts))
    for found in (near, again):
        assert set(zip(found.first, found.second, strict=True)) == {(0, 6), (2, 5)}
    np.testing.assert_array_equal(near.correlations, again.correlations)
    assert calls[-1] == (32, 32)


def test_sets_without_images_have_no_pairs() -> None:
    empty = np.empty((0, 32, 32), np.int8)
    assert near_pairs(empty, np.arange(0)).first.size == 0
    assert near_between(empty, details(textures(3))).first.size == 0
    assert near_between(details(textures(3)), empty).first.size == 0


def test_a_rim_or_a_small_dark_lesion_makes_no_pair() -> None:
    """Both outweigh all texture where detail is compared as it is."""
    side, number = 96, 60
    across = np.arange(side) - side / 2 + 0.5
    radius = np.hypot(across[:, None], across[None, :])
    random = np.random.default_rng(0)
    noise = gaussian_filter(random.normal(size=(number, side, side, 1)), (0, 2, 2, 0))
    plain = 180.0 + 60.0 * noise
    for dark in (radius > side * 0.47, radius < side * 0.06):
        images = np.where(dark[..., None], 8.0, plain).clip(0, 255).astype(np.uint8)
        grey = images[..., 0].astype(float)
        raw = (grey - gaussian_filter(grey, (0, 4.5, 4.5))).reshape(number, -1)
        raw /= np.linalg.norm(raw, axis=1, keepdims=True)
        assert np.sort(raw @ raw.T, axis=1)[:, -2].min() > 0.7  # what must not decide
        assert correlations(details(np.repeat(images, 3, axis=-1))).max() < 0.7


@pytest.mark.skipif(not REAL.is_dir(), reason="needs HAM10000 in ../shared/data")
def test_the_threshold_parts_real_photographs() -> None:
    paths = sorted(REAL.glob("HAM10000_images_part_*/*.jpg"))
    some = [Image.open(path).convert("RGB") for path in paths[::40]]
    known = np.stack([detail_of(image) for image in some])
    assert correlations(known).max() < 0.8
    for quality, scale, share in ((60, 1.0, 1.0), (80, 0.5, 0.97), (90, 2.0, 1.0)):
        copies = [
            recompressed(image.transpose(Image.Transpose(place % 7)), quality, scale)
            for place, image in enumerate(some)
        ]
        again = np.stack([detail_of(copy) for copy in copies])
        found = near_between(again, known)
        assert (found.first == found.second).all()
        assert len(found.first) >= share * len(some)


@pytest.mark.skipif(not REAL.is_dir(), reason="needs HAM10000 in ../shared/data")
def test_the_photograph_with_two_lesion_ids_in_ham10000_is_found() -> None:
    names = ("ISIC_0025226", "ISIC_0030074", "ISIC_0025030", "ISIC_0027419")
    paths = [next(REAL.glob(f"HAM10000_images_part_*/{name}.jpg")) for name in names]
    known = np.stack([detail_of(Image.open(path).convert("RGB")) for path in paths])
    found = near_pairs(known, np.arange(4))
    assert list(zip(found.first, found.second, strict=True)) == [(0, 1)]
