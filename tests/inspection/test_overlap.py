"""What two data sets share, counted by content and by global id."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from dermaug.config import DataConfig
from dermaug.data.sources.phantom import draw_class
from dermaug.inspection.data_check import examine


@pytest.fixture
def splits(tmp_path: Path) -> Path:
    """Four test images: one a copy, one saved anew in another size, one of a known id, one new."""
    pixels = draw_class("mel", 12, 0, 96).images
    for number, image in enumerate(pixels):
        name = "ISIC_0000007" if number == 7 else f"picture{number}"
        folder = tmp_path / ("train" if number < 10 else "test") / ("mel", "nv")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{name}.png")
    test = tmp_path / "test"
    shutil.copy(tmp_path / "train/mel/picture2.png", test / "mel/other.png")
    Image.fromarray(pixels[3]).resize((80, 80)).save(test / "nv/small.jpg", quality=92)
    (test / "nv/picture11.png").rename(test / "nv/ISIC_0000007.png")
    return tmp_path


def test_images_in_common_are_counted_by_reason(splits: Path) -> None:
    found = examine(DataConfig(source=str(splits / "test")), against=splits / "train")
    assert found.shared[0] == (
        f"75.0 % of the images of {splits / 'test'} are in {splits / 'train'}: 3 of 4 (1 of equal "
        "pixels, 1 near-duplicates, 1 of an equal ISIC or HAM10000 id), which are 3 of its 10 "
        "images."
    )
    assert not any("lesions" in line for line in found.shared)
    assert "other is picture2 (of equal pixels)" in found.shared[1:]
    assert examine(DataConfig(source=str(splits / "test"))).shared == ()


def test_lesions_in_common_are_counted_where_they_are_known(splits: Path) -> None:
    names = [path.relative_to(splits / "test") for path in (splits / "test").glob("*/*")]
    rows = [f"{name},{name.parent},{'A' if name.parent.name == 'mel' else 'B'}" for name in names]
    table = "\n".join(["file_name,label,lesion_id", *rows])
    (splits / "test/metadata.csv").write_text(table)
    found = examine(DataConfig(source=str(splits / "test")), against=splits / "train")
    assert found.shared[1].startswith("2 of the 2 lesions of ")


def test_nothing_in_common_is_said(splits: Path) -> None:
    kept = splits / "test/mel/picture10.png"
    for file in splits.glob("test/*/*"):
        if file != kept:
            file.unlink()
    (line,) = examine(DataConfig(source=str(splits / "test")), against=splits / "train").shared
    assert line == f"None of the 1 images of {splits / 'test'} are in {splits / 'train'}."


def test_given_splits_of_one_set_are_compared(splits: Path) -> None:
    found = examine(DataConfig(source=str(splits)))
    assert found.shared[0] == (
        "75.0 % of the images of the test split are in the training split: 3 of 4 (1 of equal "
        "pixels, 1 near-duplicates, 1 of an equal ISIC or HAM10000 id), which are 3 of its 10 "
        "images."
    )
