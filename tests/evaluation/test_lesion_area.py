"""The area of drawn discs, where it is known, and of lesions with outlines."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import spearmanr

from dermaug.evaluation.lesion_area import lesion_area, otsu_thresholds

HAM10000 = Path(__file__).parents[2] / "../shared/data/HAM10000"


def discs(radii: np.ndarray, side: int = 48, dark: int = 40, light: int = 180) -> np.ndarray:
    across = np.arange(side) - (side - 1) / 2.0
    distance = np.hypot(across[:, None], across[None, :])
    inside = distance[None] <= radii[:, None, None]
    return np.repeat(np.where(inside, dark, light)[..., None], 3, axis=-1).astype(np.uint8)


def test_area_is_that_of_the_disc() -> None:
    radii = np.array([4.0, 8.0, 16.0])
    np.testing.assert_allclose(lesion_area(discs(radii)), (radii / 24.0) ** 2, atol=0.02)


def test_dark_corners_do_not_count() -> None:
    images = discs(np.array([8.0]))
    across = np.arange(48) - 23.5
    images[:, np.hypot(across[:, None], across[None, :]) > 24.0] = 0
    assert lesion_area(images) == lesion_area(discs(np.array([8.0])))


def test_threshold_maximises_the_variance_between_both_classes() -> None:
    levels = np.random.default_rng(0).integers(0, 256, (3, 200))
    for row, found in zip(levels, otsu_thresholds(levels), strict=True):
        between = [
            low.size * high.size * (low.mean() - high.mean()) ** 2 if low.size and high.size else 0
            for level in range(256)
            for low, high in [(row[row <= level], row[row > level])]
        ]
        assert between[found] == pytest.approx(max(between))


def test_area_ranks_lesions_as_their_outlines_do() -> None:
    folder = HAM10000 / "HAM10000_segmentations_lesion_tschandl"
    outlines = sorted(folder.glob("*.png"))[::80] if folder.is_dir() else []
    if not outlines:
        pytest.skip(f"needs HAM10000 at {HAM10000}")
    images, shares = [], []
    for outline in outlines:
        name = outline.name.replace("_segmentation.png", ".jpg")
        pixels = np.asarray(Image.open(next(HAM10000.glob(f"**/{name}"))))
        cut = slice((pixels.shape[1] - pixels.shape[0]) // 2, None)
        images.append(pixels[:, cut][:, : len(pixels)])
        mask = np.asarray(Image.open(outline).convert("L")) >= 128
        shares.append(mask[:, cut][:, : len(mask)].mean())
    assert spearmanr(lesion_area(np.stack(images)), shares).statistic > 0.7
