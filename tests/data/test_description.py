"""The description counts what is there, measures colours that are known, and draws all of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dermaug.data.catalog import Catalog
from dermaug.data.description import CHANNELS, describe, image_colours
from dermaug.data.description_figures import draw_all, draw_overview, draw_patients


@pytest.fixture
def catalog() -> Catalog:
    """Ten images of two classes; a third class has none."""
    table = pd.DataFrame(
        {
            "image_id": [f"i{row}" for row in range(10)],
            "lesion_id": ["a", "a", "a", "b", "c", "d", "d", "d", "d", "e"],
            "label": ["mel"] * 5 + ["nv"] * 5,
            "patient_id": "",
            "path": "",
            "mask_path": "",
            "age": [0, 9, 10, 85, np.nan, 40, 45, 49.5, 80, 79],
            "sex": ["female"] * 4 + ["unknown"] + ["male"] * 5,
            "localization": ["back", "face", "face", "", "unknown", *["face"] * 5],
            "skin_tone": "unknown",
            "dx_type": ["histo"] * 10,
        }
    )
    return Catalog("Made", Path(), table, ("nv", "mel", "$x$_<b>"))


@pytest.fixture
def images() -> np.ndarray:
    """Plain colours: melanoma red, nevi 0, 10, 20, 30 and 40 grey."""
    pixels = np.zeros((10, 16, 16, 3), np.uint8)
    pixels[:5] = (200, 0, 100)
    pixels[5:] = 10 * np.arange(5, dtype=np.uint8)[:, None, None, None]
    return pixels


def test_what_is_unknown_of_every_image_has_no_table(catalog: Catalog, images: np.ndarray) -> None:
    titles = list(describe(catalog, images).tables())
    assert "Images by age" in titles
    assert "Images by skin tone" not in titles
    bare = replace(catalog, table=catalog.table.assign(age=np.nan, sex="unknown", dx_type=""))
    left = set(titles) - set(describe(bare, images).tables())
    assert left == {
        f"Images by {each}" for each in ("age", "sex", "type of diagnostic confirmation")
    }


def test_counts_are_those_of_the_table(catalog: Catalog, images: np.ndarray) -> None:
    found = describe(catalog, images)
    assert found.classes.loc["mel"].to_list() == [5, 3, 50.0]
    assert found.classes.loc["nv"].to_list() == [5, 2, 50.0]
    assert found.classes.loc["$x$_<b>"].to_list() == [0, 0, 0.0]
    assert found.images_per_lesion.loc["mel"].to_dict() == {"1": 2, "2": 0, "3": 1, "4": 0}
    assert found.images_per_lesion.loc["nv"].to_dict() == {"1": 1, "2": 0, "3": 0, "4": 1}
    assert found.age["mel"].to_dict() == {
        "0-9": 2, "10-19": 1, "40-49": 0, "70-79": 0, "80+": 1, "unknown": 1
    }  # fmt: skip
    assert found.age.loc["40-49", "nv"] == 3
    assert list(found.localization.index) == ["face", "back", "unknown"]
    assert found.localization.loc["unknown", "mel"] == 2
    for table in (found.age, found.sex, found.localization, found.dx_type):
        assert table.sum().to_dict() == {"nv": 5, "mel": 5, "$x$_<b>": 0}
        assert list(table.columns) == list(catalog.classes)
    assert set(found.tables())
    assert all(len(table) for table in found.tables().values())


def test_nothing_is_counted_or_drawn_of_what_is_unknown(
    catalog: Catalog, images: np.ndarray
) -> None:
    bare = catalog.table.assign(age=np.nan, sex="unknown", patient_id=catalog.table["image_id"])
    found = describe(replace(catalog, grouped=False, table=bare), images)
    assert "lesions" not in found.classes
    assert not any("esion" in title for title in found.tables())
    assert [axis.get_title() for axis in draw_overview(found).axes] == [
        "Images and patients of each class"
    ]
    titles = [axis.get_title() for axis in draw_patients(found).axes]
    assert {"Age in years: unknown", "Sex: unknown"} < set(titles)


def test_united_count_of_images_in_the_last_column(catalog: Catalog, images: np.ndarray) -> None:
    one = replace(catalog, table=catalog.table.assign(lesion_id=["a"] * 5 + ["b"] * 5))
    assert list(describe(one, images).images_per_lesion.columns) == ["1", "2", "3", "4", "5"]
    many = replace(one, table=one.table.assign(lesion_id="a", label="mel"))
    assert describe(many, images).images_per_lesion.loc["mel", "6+"] == 1


def test_colours_are_known(catalog: Catalog, images: np.ndarray) -> None:
    colour = describe(catalog, images).colour
    mel = [200.0, 0.0, 0.0, 0.0, 100.0, 0.0, 71.2, 0.0]
    np.testing.assert_allclose(colour.loc["mel"].astype(float), mel)
    spread = round(float(np.std([0, 10, 20, 30, 40])), 1)
    np.testing.assert_allclose(colour.loc["nv"].astype(float), [20.0, spread] * 4)
    assert colour.loc["$x$_<b>"].isna().all()


def test_colours_agree_with_pillow_and_do_not_depend_on_chunks() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1_100, 4, 4, 3)).astype(np.uint8)
    found = image_colours(pixels)
    assert found.shape == (1_100, len(CHANNELS))
    np.testing.assert_allclose(found[:, :3], pixels.reshape(1_100, 16, 3).mean(axis=1))
    for row in (0, 511, 512, 1_099):
        grey = np.asarray(Image.fromarray(pixels[row]).convert("L"), float).mean()
        assert found[row, 3] == pytest.approx(grey, abs=0.6)


def test_pictures_are_drawn_for_any_names_and_empty_classes(
    catalog: Catalog, images: np.ndarray, tmp_path: Path
) -> None:
    found = describe(catalog, images)
    files = draw_all(found, catalog, images, tmp_path / "out")
    assert [file.name for file in files] == [
        "overview.png", "patients.png", "colour.png", "examples.png"
    ]  # fmt: skip
    assert sorted((tmp_path / "out").iterdir()) == sorted(files)
    for file in files:
        with Image.open(file) as picture:
            assert min(picture.size) > 200
            assert np.asarray(picture.convert("L")).std() > 5
    with Image.open(files[-1]) as picture:  # the red melanomas are among the examples
        pixels = np.asarray(picture.convert("RGB"))
    assert (pixels == (200, 0, 100)).all(axis=-1).sum() > 1_000
