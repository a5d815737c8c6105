"""Two data sets are one by what they hold, whatever their names; differences are counted."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dermaug.config import DataConfig
from dermaug.data.catalog import Catalog
from dermaug.data.contents import Contents, differences
from dermaug.data.pixels import PixelStore, load_pixels
from dermaug.data.signature import sign_pixels

Photograph = Callable[..., bytes]
MakeCatalog = Callable[..., Catalog]


@pytest.fixture
def store(
    tmp_path: Path, photograph: Photograph, catalog_of_files: MakeCatalog
) -> Callable[..., PixelStore]:
    """Decode photographs of some seeds, named by their place, in a folder."""

    def make(folder: str, seeds: list[int], **config: object) -> PixelStore:
        root = tmp_path / folder
        root.mkdir(exist_ok=True)
        masks = [root / f"{place}_mask.png" for place in range(len(seeds))]
        for place, seed in enumerate(seeds):
            (root / f"{place}.jpg").write_bytes(photograph(seed))
        paths = [root / f"{place}.jpg" for place in range(len(seeds))]
        catalog = catalog_of_files(paths, masks)
        return load_pixels(catalog, DataConfig(size=16, **config), cache=tmp_path / "cache")

    return make


def taken(store: PixelStore, rows: list[int]) -> PixelStore:
    """Some rows, as far as identity goes."""
    contents = store.contents.take(np.array(rows))
    return replace(store, catalog=store.catalog.take(rows), contents=contents)


def test_the_same_data_elsewhere_are_the_same(store: Callable[..., PixelStore]) -> None:
    here, there = store("here", [0, 1, 2, 3]), store("there", [0, 1, 2, 3])
    assert here.fingerprint == there.fingerprint
    assert differences(here.table, there.table).images == 0
    assert taken(here, [3, 2, 1, 0]).fingerprint == here.fingerprint


def test_other_pixels_under_the_same_names_are_other_data(store: Callable[..., PixelStore]) -> None:
    here, there = store("here", [0, 1, 2, 3]), store("there", [0, 7, 2, 8])
    assert here.catalog.table.drop(columns=["path", "mask_path"]).equals(
        there.catalog.table.drop(columns=["path", "mask_path"])
    )
    assert here.fingerprint != there.fingerprint
    found = differences(here.table, there.table)
    assert found.images == 2
    assert found.lines == (
        "2 images have other content under the same name, for example 1.jpg, 3.jpg",
    )


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("label", "nv", "2 images have other labels"),
        ("lesion_id", "X", "4 images have other lesions"),
        ("patient_id", "P", "4 images have other patients"),
    ],
)
def test_other_ids_and_labels_are_other_data(
    store: Callable[..., PixelStore], column: str, value: str, told: str
) -> None:
    here = store("here", [0, 1, 2, 3])
    table = here.catalog.table.assign(**{column: value})
    other = replace(here, catalog=replace(here.catalog, table=table))
    assert other.fingerprint != here.fingerprint
    (line,) = differences(here.table, other.table).lines
    assert line.startswith(told)


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("age", 25.0, "ages"),
        ("sex", "male", "sexes"),
        ("localization", "ear", "body sites"),
        ("skin_tone", "II", "skin tones"),
        ("dx_type", "confocal", "types of diagnosis"),
        ("device", "lens", "devices or sources"),
    ],
)
def test_traits_are_compared_and_do_not_name_the_data(
    store: Callable[..., PixelStore], column: str, value: object, told: str
) -> None:
    here = store("here", [0, 1, 2, 3])
    table = here.catalog.table.copy()
    table[column] = [value, *table[column].tolist()[1:]] if column in table else [value, "", "", ""]
    other = replace(here, catalog=replace(here.catalog, table=table))
    assert other.fingerprint == here.fingerprint  # folds and networks do not depend on it
    assert differences(here.table, other.table).lines == (
        f"1 images have other {told}, for example 0.jpg",
    )


def test_other_classes_and_images_left_out_are_other_data(
    store: Callable[..., PixelStore],
) -> None:
    here = store("here", [0, 1, 2, 3])
    assert replace(here, catalog=replace(here.catalog, classes=("nv", "mel"))).fingerprint != (
        here.fingerprint
    )
    less = taken(here, [0, 1, 2])
    assert differences(here.table, less.table).lines == ("1 images are missing, for example 3.jpg",)
    assert differences(less.table, here.table).lines == ("1 images are new, for example 3.jpg",)


def test_segmentations_count_where_they_cut_the_squares(
    store: Callable[..., PixelStore], tmp_path: Path
) -> None:
    (tmp_path / "here").mkdir()

    def segment(until: int) -> None:
        mask = np.zeros((150, 200), np.uint8)
        mask[20:80, 30:until] = 255
        for place in range(2):
            Image.fromarray(mask).save(tmp_path / "here" / f"{place}_mask.png")

    segment(90)
    cut, whole = store("here", [0, 1], crop="lesion"), store("here", [0, 1])
    segment(120)
    other, same = store("here", [0, 1], crop="lesion"), store("here", [0, 1])
    assert whole.fingerprint == same.fingerprint
    assert cut.fingerprint != other.fingerprint
    assert differences(cut.table, other.table).lines == (
        "2 images have other segmentations, for example 0.jpg, 1.jpg",
    )


def test_files_that_cannot_be_decoded_belong_to_the_data(
    store: Callable[..., PixelStore], tmp_path: Path
) -> None:
    whole = store("here", [0, 1, 2])
    (tmp_path / "there").mkdir()
    partly = store("there", [0, 1, 2])
    path = Path(partly.catalog.table["path"][2])
    path.write_bytes(path.read_bytes()[:500])
    skipped = load_pixels(
        partly.catalog, DataConfig(size=16, on_bad="skip"), cache=tmp_path / "cache"
    )
    assert skipped.fingerprint != whole.fingerprint
    assert len(skipped.table) == 3
    assert skipped.table["file"].tolist()[2] == ""


def test_contents_of_some_rows() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 30, 30, 3)).astype(np.uint8)
    contents = Contents.of(map(sign_pixels, pixels))
    some = contents.take(np.array([2, 0]))
    assert some.files == (contents.files[2], contents.files[0])
    np.testing.assert_array_equal(some.details, contents.details[[2, 0]])
    assert Contents.of([]).details.shape == (0, 32, 32)
