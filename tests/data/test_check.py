"""The check names every unfit file and no sound one."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from dermaug.data.catalog import Catalog
from dermaug.data.check import check_catalog
from dermaug.data.grouping import equal_links

Photograph = Callable[..., bytes]
MakeCatalog = Callable[..., Catalog]
REAL = Path(__file__).parents[2] / "../shared/data/HAM10000"


def test_check_names_each_bad_file_and_no_other(
    tmp_path: Path,
    bad_files: dict[str, bytes],
    photograph: Photograph,
    catalog_of_files: MakeCatalog,
) -> None:
    sound = {f"sound{number}.jpg": photograph(number) for number in range(5)}
    paths = [tmp_path / name for name in sorted({**bad_files, **sound})]
    for path in paths:
        path.write_bytes({**bad_files, **sound}[path.name])
    calls: list[tuple[int, int]] = []
    found = check_catalog(
        catalog_of_files(paths), workers=2, progress=lambda *counts: calls.append(counts)
    )
    assert [entry.image_id for entry in found.bad] == sorted(bad_files)
    assert all(entry.reason and entry.path == str(tmp_path / entry.image_id) for entry in found.bad)
    assert list(found.catalog.image_ids) == sorted(sound)
    assert len(found.contents.files) == len(found.contents.details) == len(sound)
    assert calls[-1] == (len(paths), len(paths))


def test_check_looks_at_segmentations_too(
    tmp_path: Path, photograph: Photograph, catalog_of_files: MakeCatalog
) -> None:
    (tmp_path / "a.jpg").write_bytes(photograph())
    (tmp_path / "b.jpg").write_bytes(photograph(1))
    Image.new("L", (200, 150)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:-40])
    names = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    found = check_catalog(catalog_of_files(names, [tmp_path / "a.png", tmp_path / "b.png"]))
    assert [(entry.image_id, entry.path) for entry in found.bad] == [
        ("b.jpg", str(tmp_path / "b.png"))
    ]


def test_equal_images_are_found_and_unreadable_ones_left_out(
    tmp_path: Path, photograph: Photograph, catalog_of_files: MakeCatalog
) -> None:
    contents = {"a.jpg": 0, "b.jpg": 1, "c.jpg": 0, "d.jpg": 0}
    for name, seed in contents.items():
        (tmp_path / name).write_bytes(photograph(seed))
    with Image.open(tmp_path / "b.jpg") as image:
        image.save(tmp_path / "e.png")  # the same pixels in another file
    names = ("absent.jpg", *contents, "e.png", "also_absent.jpg")
    found = check_catalog(catalog_of_files([tmp_path / name for name in names]))
    first, second = equal_links(found.contents.pixels)
    ids = found.catalog.image_ids
    pairs = list(zip(ids[first], ids[second], strict=True))
    assert pairs == [("a.jpg", "c.jpg"), ("a.jpg", "d.jpg"), ("b.jpg", "e.png")]
    assert len(set(found.contents.files)) == 3  # as bytes, the PNG is another file


@pytest.mark.skipif(not REAL.is_dir(), reason="needs HAM10000 in ../shared/data")
def test_real_images_are_sound(catalog_of_files: MakeCatalog) -> None:
    paths = sorted(REAL.glob("HAM10000_images_part_1/*.jpg"))[::20]
    masks = REAL / "HAM10000_segmentations_lesion_tschandl"
    catalog = catalog_of_files(paths, [masks / f"{path.stem}_segmentation.png" for path in paths])
    assert len(paths) >= 250
    assert check_catalog(catalog).bad == ()
