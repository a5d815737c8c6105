from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dermaug.config import DataConfig
from dermaug.data.decoding import decode_square
from dermaug.data.skin_tone import (
    catalog_skin_angles,
    lesion_squares,
    skin_angle,
    skin_angles,
    srgb_to_lab,
    tone_names,
    typology_angle,
)
from dermaug.data.sources import open_catalog

SHARED = Path(__file__).parents[2] / "../shared/data"
SIDE = 64
LIGHT, BROWN = (224, 180, 160), (120, 80, 60)
AXIS = (np.arange(SIDE) + 0.5) / SIDE * 2 - 1
DISTANCE = np.hypot(AXIS[:, None], AXIS[None, :])


def photograph(skin: tuple[int, int, int], *, lesion: float = 0.5) -> np.ndarray:
    """A dark lesion on even skin with some grain."""
    pixels = np.where((lesion > DISTANCE)[..., None], (70, 45, 40), skin)
    grain = np.random.default_rng(0).integers(-4, 5, pixels.shape)
    return np.clip(pixels + grain, 0, 255).astype(np.uint8)


def angle_of(colour: tuple[int, int, int]) -> float:
    return float(typology_angle(srgb_to_lab(np.array(colour, dtype=np.uint8))))


@pytest.mark.parametrize(
    ("colour", "lab"),
    [  # from Bruce Lindbloom's colour calculator, sRGB with D65
        ((255, 255, 255), (100.0, 0.0, 0.0)),
        ((0, 0, 0), (0.0, 0.0, 0.0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((119, 119, 119), (50.03, 0.0, 0.0)),
    ],
)
def test_lab_of_known_colours(colour: tuple[int, ...], lab: tuple[float, ...]) -> None:
    found = srgb_to_lab(np.array(colour, dtype=np.uint8))
    np.testing.assert_allclose(found, lab, atol=0.02)


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_lightness_rises_with_grey_and_colours_stay_in_range(colour: tuple[int, ...]) -> None:
    lab = srgb_to_lab(np.array(colour, dtype=np.uint8))
    assert -1e-9 <= lab[0] <= 100.0 + 1e-9
    greys = srgb_to_lab(np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1))
    assert (np.diff(greys[:, 0]) > 0).all()
    np.testing.assert_allclose(greys[:, 1:], 0.0, atol=1e-9)


def test_angles_and_their_names() -> None:
    assert float(typology_angle(np.array([50.0, 10.0, 20.0]))) == 0.0
    assert float(typology_angle(np.array([30.0, 10.0, 20.0]))) == pytest.approx(-45.0)
    assert float(typology_angle(np.array([80.0, 10.0, -2.0]))) == 90.0  # violet cast: still light
    edges = np.array([55.1, 55.0, 41.0, 28.0, 10.0, -30.0, np.nan])
    names = ["very light", "light", "intermediate", "tan", "brown", "dark", "unknown"]
    assert tone_names(edges) == names


@pytest.mark.parametrize("skin", [LIGHT, BROWN])
@pytest.mark.parametrize("outlined", [True, False])
def test_hair_ruler_vignette_and_lesion_do_not_move_the_angle(
    skin: tuple[int, int, int], outlined: bool
) -> None:
    expected = angle_of(skin)
    lesion = DISTANCE < 0.5 if outlined else None
    clean = photograph(skin)
    hairy, ruled, rimmed = clean.copy(), clean.copy(), clean.copy()
    hairy[:, ::5] = (30, 22, 18)
    ruled[2:5, ::3] = (20, 20, 20)
    ruled[-3:] = (250, 250, 250)
    rimmed[DISTANCE > 1.02] = (4, 4, 5)
    for pixels in (clean, hairy, ruled, rimmed):
        assert skin_angle(pixels, lesion) == pytest.approx(expected, abs=2.0)


def test_the_outline_keeps_a_large_lesion_out() -> None:
    pixels = photograph(LIGHT, lesion=1.0)
    with_outline = skin_angle(pixels, DISTANCE < 1.0)
    assert with_outline == pytest.approx(angle_of(LIGHT), abs=2.0)
    assert skin_angle(pixels) < with_outline - 10  # the ring sees mostly lesion
    assert np.isnan(skin_angle(pixels, np.ones((SIDE, SIDE), dtype=bool)))
    assert np.isnan(skin_angle(np.zeros((SIDE, SIDE, 3), dtype=np.uint8)))


def test_any_size_gives_nearly_the_same_angle() -> None:
    small = photograph(BROWN)
    large = np.asarray(Image.fromarray(small).resize((240, 240), Image.Resampling.NEAREST))
    angles = [skin_angle(pixels) for pixels in (small, large)]
    assert angles[0] == pytest.approx(angles[1], abs=1.0)


def test_segmentations_lie_over_their_squares(tmp_path: Path) -> None:
    for name in ("mel", "nv"):
        (tmp_path / "images" / name).mkdir(parents=True)
    wide = np.full((90, 140, 3), LIGHT, dtype=np.uint8)
    mask = np.zeros((90, 140), dtype=np.uint8)
    wide[30:60, 50:90], mask[30:60, 50:90] = (70, 45, 40), 255
    Image.fromarray(wide).save(tmp_path / "images" / "mel" / "a.png")
    Image.fromarray(wide).save(tmp_path / "images" / "nv" / "b.png")
    Image.fromarray(mask).save(tmp_path / "a_mask.png")
    (tmp_path / "broken.png").write_bytes(b"no image")
    catalog = open_catalog(tmp_path / "images")
    catalog.table["mask_path"] = [str(tmp_path / "a_mask.png"), str(tmp_path / "broken.png")]
    for crop in ("centre", "lesion"):
        config = DataConfig(size=32, crop=crop)
        images = np.stack(
            [
                decode_square(path, 32, crop=crop, mask_path=catalog.table["mask_path"].iloc[0])
                for path in catalog.table["path"]
            ]
        )
        lesion, nothing = lesion_squares(catalog, config)
        assert nothing is None
        assert lesion is not None
        dark = images[0].mean(axis=2) < 120
        assert (lesion == dark).mean() > 0.95  # all but a half-covered column
        angles = catalog_skin_angles(catalog, images, config)
        assert angles[0] == pytest.approx(angle_of(LIGHT), abs=1.0)


def test_real_skin_is_found_and_agrees_between_ring_and_outline() -> None:
    if not (SHARED / "HAM10000").is_dir():
        pytest.skip("needs ../shared/data/HAM10000 beside the repository")
    catalog = open_catalog(SHARED / "HAM10000").take(np.arange(0, 10_000, 100))
    images = np.stack([decode_square(path, SIDE) for path in catalog.table["path"]])
    outlined = catalog_skin_angles(catalog, images, DataConfig(size=SIDE))
    ring = skin_angles(images)
    assert np.isnan(outlined).mean() < 0.05
    both = ~np.isnan(outlined) & ~np.isnan(ring)
    assert np.corrcoef(outlined[both], ring[both])[0, 1] > 0.8
    # The set comes from Vienna and Queensland: nearly all skin is light.
    assert np.mean(outlined[both] > 28.0) > 0.8
