"""The table of 28 x 28 pixels: order of the values, codes, and when lesions come along."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dermaug.data.sources import open_catalog
from dermaug.data.sources.hmnist import COLUMN_NAMES
from dermaug.errors import DermaugError

HamFolder = Callable[..., Path]
CODES = (6, 6, 4, 2)  # mel, mel, nv, bkl: what the metadata of conftest.py say


def write_pixels(folder: Path, pixels: np.ndarray, codes: tuple[int, ...]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [",".join(COLUMN_NAMES)]
    for image, code in zip(pixels, codes, strict=True):
        lines.append(",".join(map(str, [*image.ravel(), code])))
    path = folder / "hmnist_28_28_RGB.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (4, 28, 28, 3), dtype=np.uint8)


def drop_images(folder: Path) -> Path:
    for path in folder.rglob("*.jpg"):
        path.unlink()
    return folder


def test_pixels_without_metadata(tmp_path: Path, pixels: np.ndarray) -> None:
    path = write_pixels(tmp_path, pixels, (0, 1, 3, 5))
    for opened in (path, tmp_path):
        catalog = open_catalog(opened)
        assert catalog.embedded is not None
        assert np.array_equal(catalog.embedded, pixels)
        assert catalog.table["label"].tolist() == ["akiec", "bcc", "df", "vasc"]
        assert not catalog.grouped
        assert catalog.table["lesion_id"].nunique() == 4
        assert (catalog.table["path"] == "").all()
        assert catalog.table["age"].isna().all()
        assert "lesions are unknown" in catalog.notes[1]


def test_values_run_by_row_column_and_colour(tmp_path: Path) -> None:
    image = Image.new("RGB", (28, 28))
    image.putpixel((27, 0), (1, 2, 3))
    write_pixels(tmp_path, np.asarray(image)[None], (0,))
    line = (tmp_path / "hmnist_28_28_RGB.csv").read_text().splitlines()[1].split(",")
    assert line[81:84] == ["1", "2", "3"]
    catalog = open_catalog(tmp_path)
    assert catalog.embedded is not None
    assert catalog.embedded[0, 0, 27].tolist() == [1, 2, 3]


def test_lesions_come_along_when_every_label_agrees(
    ham_folder: HamFolder, pixels: np.ndarray
) -> None:
    folder = drop_images(ham_folder())
    write_pixels(folder, pixels, CODES)
    catalog = open_catalog(folder)
    assert catalog.grouped
    assert catalog.table["lesion_id"].tolist() == ["HAM_0000001"] * 2 + [
        "HAM_0000002",
        "HAM_0000003",
    ]
    assert catalog.table["image_id"].tolist()[0] == "ISIC_0000001"
    assert (
        catalog.notes[1] == "Lesions come from HAM10000_metadata.csv, which agrees in every label."
    )


@pytest.mark.parametrize(
    ("codes", "told"),
    [((6, 6, 4, 1), "disagree on the label of row 4"), ((6, 6, 4), "has 4 rows and the pixels 3")],
)
def test_lesions_stay_behind_when_a_label_disagrees(
    ham_folder: HamFolder, pixels: np.ndarray, codes: tuple[int, ...], told: str
) -> None:
    folder = drop_images(ham_folder())
    write_pixels(folder, pixels[: len(codes)], codes)
    catalog = open_catalog(folder)
    assert not catalog.grouped
    assert catalog.table["lesion_id"].nunique() == len(codes)
    assert told in catalog.notes[1]


def test_the_images_are_preferred(ham_folder: HamFolder, pixels: np.ndarray) -> None:
    path = write_pixels(ham_folder(), pixels, CODES)
    assert open_catalog(path.parent).embedded is None
    assert open_catalog(path).embedded is not None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (",6\n", ",7\n", "line 2: expected a label from 0 to 6, found 7"),
        (",6\n", ",256\n", "line 2: expected label from 0 to 255, found '256'"),
        (",6\n", ",\n", "line 2: expected label from 0 to 255, found ''"),
        (",6\n", ",NA\n", "line 2: expected label from 0 to 255, found 'NA'"),
        (",6\n", ",6,6\n", "line 2: expected 2353 cells, found 2354"),
        (",6\n", "\n", "line 2: expected 2353 cells, found 2352"),
        ("pixel0003", "pixel3", "line 1: expected the columns pixel0000 to pixel2351 and label"),
    ],
)
def test_faults_are_named(
    tmp_path: Path, pixels: np.ndarray, old: str, new: str, told: str
) -> None:
    path = write_pixels(tmp_path, pixels, CODES)
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(DermaugError) as caught:
        open_catalog(path)
    assert told in str(caught.value)


def test_a_table_without_rows(tmp_path: Path, pixels: np.ndarray) -> None:
    path = write_pixels(tmp_path, pixels[:0], ())
    with pytest.raises(DermaugError, match="found no row"):
        open_catalog(path)
