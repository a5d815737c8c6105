"""The cache of squares: right pixels, once decoded, never damaged, bad files named."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dermaug.config import DataConfig
from dermaug.data.catalog import Catalog
from dermaug.data.decoding import read_square
from dermaug.data.grouping import equal_links
from dermaug.data.pixels import default_cache, load_pixels
from dermaug.errors import DermaugError

Photograph = Callable[..., bytes]
MakeCatalog = Callable[..., Catalog]
CONFIG = DataConfig(size=16)


@pytest.fixture
def sound(tmp_path: Path, photograph: Photograph, catalog_of_files: MakeCatalog) -> Catalog:
    """Eight sound photographs."""
    paths = [tmp_path / f"{number}.jpg" for number in range(8)]
    for number, path in enumerate(paths):
        path.write_bytes(photograph(number))
    return catalog_of_files(paths)


@pytest.fixture
def mixed(
    sound: Catalog, bad_files: dict[str, bytes], tmp_path: Path, catalog_of_files: MakeCatalog
) -> Catalog:
    """Sound photographs, every kind of unfit file between them, and one that is missing."""
    bad = [tmp_path / f"bad_{name}" for name in bad_files]
    for path, content in zip(bad, bad_files.values(), strict=True):
        path.write_bytes(content)
    paths = [Path(path) for path in sound.table["path"]]
    return catalog_of_files([*paths[:3], *bad, tmp_path / "absent.jpg", *paths[3:]])


def test_pixels_and_digests_are_those_of_each_file(sound: Catalog, tmp_path: Path) -> None:
    store = load_pixels(sound, CONFIG, cache=tmp_path / "cache")
    for row, path in enumerate(sound.table["path"]):
        np.testing.assert_array_equal(store.images[row], read_square(path, 16).pixels)
        assert store.contents.files[row] == hashlib.sha256(Path(path).read_bytes()).hexdigest()
    with pytest.raises(ValueError, match="read-only"):
        store.images[0][:] = 0


def test_second_call_decodes_nothing(sound: Catalog, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        calls.append((done, total))

    first = load_pixels(sound, CONFIG, cache=tmp_path / "cache", progress=progress)
    assert calls[-1] == (8, 8)
    second = load_pixels(
        sound, CONFIG, cache=tmp_path / "cache", progress=lambda done, total: pytest.fail("again")
    )
    np.testing.assert_array_equal(first.images, second.images)
    assert first.contents.files == second.contents.files
    assert first.contents.pixels == second.contents.pixels
    np.testing.assert_array_equal(first.contents.details, second.contents.details)
    assert first.fingerprint == second.fingerprint


def test_changed_file_size_or_rows_are_decoded_anew(
    sound: Catalog, tmp_path: Path, photograph: Photograph
) -> None:
    cache = tmp_path / "cache"
    old = load_pixels(sound, CONFIG, cache=cache)
    Path(sound.table["path"][5]).write_bytes(photograph(99))
    new = load_pixels(sound, CONFIG, cache=cache)
    changed = (np.asarray(old.images) != new.images).any(axis=(1, 2, 3))
    np.testing.assert_array_equal(np.flatnonzero(changed), [5])
    assert load_pixels(sound, DataConfig(size=32), cache=cache).images.shape == (8, 32, 32, 3)
    reverse = load_pixels(sound.take(range(7, -1, -1)), CONFIG, cache=cache)
    np.testing.assert_array_equal(reverse.images, new.images[::-1])


def test_moved_data_set_needs_no_new_cache(
    tmp_path: Path, photograph: Photograph, catalog_of_files: MakeCatalog
) -> None:
    (tmp_path / "set").mkdir()
    paths = [tmp_path / "set" / f"{number}.jpg" for number in range(8)]
    for number, path in enumerate(paths):
        path.write_bytes(photograph(number))
    load_pixels(catalog_of_files(paths), CONFIG, cache=tmp_path / "cache")
    (tmp_path / "set").rename(tmp_path / "moved")
    load_pixels(
        catalog_of_files([tmp_path / "moved" / path.name for path in paths]),
        CONFIG,
        cache=tmp_path / "cache",
        progress=lambda done, total: pytest.fail("decoded again"),
    )


def _damage(path: Path, damage: str) -> None:
    content = bytearray(path.read_bytes())
    match damage:
        case "truncated" | "index":
            path.write_bytes(content[:-40])
        case "flipped" | "details":
            content[1_000] ^= 1
            path.write_bytes(content)
        case "header":
            content[:6] = b"\x93NUMPX"
            path.write_bytes(content)
        case "no index" | "no details":
            path.unlink()
        case "empty":
            path.write_bytes(b"")


@pytest.mark.parametrize(
    "damage",
    ["truncated", "flipped", "header", "index", "no index", "empty", "details", "no details"],
)
def test_damaged_cache_is_rebuilt(damage: str, sound: Catalog, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    expected = np.array(load_pixels(sound, CONFIG, cache=cache).images)
    known = load_pixels(sound, CONFIG, cache=cache).contents
    expected_details = np.array(known.details)
    (array,), (index,) = cache.glob("*.npy"), cache.glob("*.json")
    (details,) = cache.glob("*.details")
    damaged = {"index": index, "no index": index, "details": details, "no details": details}
    _damage(damaged.get(damage, array), damage)
    store = load_pixels(sound, CONFIG, cache=cache)
    np.testing.assert_array_equal(store.images, expected)
    np.testing.assert_array_equal(store.contents.details, expected_details)
    assert store.contents.pixels == known.pixels
    assert len(list(cache.iterdir())) == 3


def test_index_that_is_valid_json_but_no_index_is_rebuilt(sound: Catalog, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    load_pixels(sound, CONFIG, cache=cache)
    (index,) = cache.glob("*.json")
    for value in ([], {"bytes": "x"}, None):
        index.write_text(json.dumps(value))
        assert len(load_pixels(sound, CONFIG, cache=cache).images) == 8


def test_stop_lists_every_bad_file_each_time(mixed: Catalog, tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(
            DermaugError, match=r"19 of 27 images .* data\.on_bad = \"skip\""
        ) as caught:
            load_pixels(mixed, CONFIG, cache=tmp_path / "cache")
        assert len(caught.value.details) == 19
        assert any("absent.jpg: missing" in line for line in caught.value.details)


def test_skip_leaves_them_out_and_counts_them(mixed: Catalog, tmp_path: Path) -> None:
    config = DataConfig(size=16, on_bad="skip")
    for _ in range(2):  # the second time from the cache
        store = load_pixels(mixed, config, cache=tmp_path / "cache")
        assert list(store.catalog.image_ids) == [f"{number}.jpg" for number in range(8)]
        assert len(store.skipped) == 19
        assert not {entry.image_id for entry in store.skipped} & set(store.catalog.image_ids)
        assert store.catalog.notes[-1].startswith("Left out of 27 images: 19 files that cannot")
        for row, path in enumerate(store.catalog.table["path"]):
            np.testing.assert_array_equal(store.images[row], read_square(path, 16).pixels)
        assert len(store.contents.files) == len(store.contents.details) == 8


def test_file_that_was_unreadable_in_passing_comes_back(
    sound: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = DataConfig(size=16, on_bad="skip")
    path = Path(sound.table["path"][2])
    content = path.read_bytes()
    path.write_bytes(bytes(len(content)))
    # As a network drive that answers again: size and dates are what they were.
    monkeypatch.setattr("dermaug.data.pixels._stamp", lambda path: (len(path), 0, 0))
    assert len(load_pixels(sound, config, cache=tmp_path / "cache").skipped) == 1
    path.write_bytes(content)
    assert load_pixels(sound, config, cache=tmp_path / "cache").skipped == ()


def test_files_of_one_size_and_date_that_were_exchanged_are_decoded_again(
    tmp_path: Path, catalog_of_files: MakeCatalog
) -> None:
    paths = [tmp_path / "a.bmp", tmp_path / "b.bmp"]
    for path, grey in zip(paths, (40, 200), strict=True):
        Image.new("RGB", (20, 20), (grey, grey, grey)).save(path)
        os.utime(path, ns=(1, 1))
    catalog, cache = catalog_of_files(paths), tmp_path / "cache"
    before = load_pixels(catalog, DataConfig(size=16), cache=cache)
    one, other = (np.array(image) for image in before.images)
    time.sleep(0.02)  # the clock of some disks ticks slowly
    paths[0].rename(tmp_path / "aside")
    paths[1].rename(paths[0])
    (tmp_path / "aside").rename(paths[1])
    after = load_pixels(catalog, DataConfig(size=16), cache=cache)
    np.testing.assert_array_equal(after.images[0], other)
    np.testing.assert_array_equal(after.images[1], one)


def test_nothing_usable_is_an_error_even_with_skip(
    tmp_path: Path, catalog_of_files: MakeCatalog
) -> None:
    catalog = catalog_of_files([tmp_path / "a.jpg", tmp_path / "b.jpg"])
    with pytest.raises(DermaugError, match="none of the images can be used") as caught:
        load_pixels(catalog, DataConfig(size=16, on_bad="skip"), cache=tmp_path / "cache")
    assert len(caught.value.details) == 2


def test_lesion_crop_counts_what_has_no_segmentation(
    sound: Catalog, tmp_path: Path, catalog_of_files: MakeCatalog
) -> None:
    masks = [tmp_path / f"mask{number}.png" for number in range(8)]
    for number, mask in enumerate(masks[:6]):
        pixels = np.zeros((150, 200), np.uint8)
        pixels[20 : 60 + number, 30:80] = 255
        Image.fromarray(pixels).save(mask)
    Image.new("L", (200, 150)).save(masks[6])  # nothing segmented; the last one is missing
    catalog = catalog_of_files([Path(path) for path in sound.table["path"]], masks)
    cropped = load_pixels(catalog, DataConfig(size=16, crop="lesion"), cache=tmp_path / "cache")
    assert cropped.uncropped == 2
    assert "2 of 8 images have no segmentation" in cropped.catalog.notes[-1]
    centred = load_pixels(catalog, CONFIG, cache=tmp_path / "cache")
    assert centred.uncropped == 0
    same = (np.asarray(cropped.images) == centred.images).all(axis=(1, 2, 3))
    np.testing.assert_array_equal(np.flatnonzero(same), [6, 7])
    wide = DataConfig(size=16, crop="lesion", margin=1.0)
    wider = load_pixels(catalog, wide, cache=tmp_path / "cache")
    assert (np.asarray(wider.images) != cropped.images).any()


def test_embedded_pixels_are_resized_like_files(sound: Catalog, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 28, 28, 3)).astype(np.uint8)
    pixels[7] = pixels[0]
    table = sound.table.assign(path="")
    embedded = Catalog("Thumbnails", tmp_path, table, sound.classes, embedded=pixels)
    store = load_pixels(embedded, CONFIG, cache=tmp_path / "cache")
    Image.fromarray(pixels[3]).save(tmp_path / "a.png")
    np.testing.assert_array_equal(store.images[3], read_square(tmp_path / "a.png", 16).pixels)
    first, second = equal_links(store.contents.pixels)
    assert (first.tolist(), second.tolist()) == ([0], [7])
    np.testing.assert_array_equal(store.contents.details[0], store.contents.details[7])


def test_unwritable_cache_is_named(sound: Catalog, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DermaugError, match="DERMAUG_CACHE"):
        load_pixels(sound, CONFIG, cache=tmp_path / "file" / "cache")


def test_full_disk_leaves_nothing_behind(sound: Catalog, tmp_path: Path) -> None:
    # A limit on the size of files stands for a full disk: the write fails half-way all the same.
    script = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from dermaug.config import DataConfig; from dermaug.data.decoding import Square\n"
        "from dermaug.data.pixel_cache import PixelCache; import numpy as np\n"
        "from dermaug.data.signature import sign_pixels\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "black = np.zeros((64, 64, 3), np.uint8)\n"
        "decode = lambda jobs: (Square(black, sign_pixels(black), False) for _ in jobs)\n"
        "cache = PixelCache(Path(sys.argv[1]) / 'x', [('', '', '')] * 9, 64, decode)\n"
        "from dermaug.errors import DermaugError\n"
        "try: cache.read(lambda record: True)\n"
        "except DermaugError as error: print(error)"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "cache")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "cannot write the image cache" in run.stdout
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.slow
def test_two_processes_may_fill_one_cache(sound: Catalog, tmp_path: Path) -> None:
    paths = [str(path) for path in sound.table["path"]]
    sound.table.to_json(tmp_path / "table.json")
    script = (
        "import sys, pandas as pd; from pathlib import Path\n"
        "from dermaug.config import DataConfig; from dermaug.data.catalog import Catalog\n"
        "from dermaug.data.pixels import load_pixels; import numpy as np\n"
        "table = pd.read_json(sys.argv[1], dtype=False)\n"
        "catalog = Catalog('Files', Path(), table, ('mel', 'nv'))\n"
        "for size in (16, 17, 18, 19, 20, 21):\n"
        "    store = load_pixels(catalog, DataConfig(size=size), cache=Path(sys.argv[2]))\n"
        "    print(int(np.asarray(store.images, np.int64).sum()))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "table.json"), str(tmp_path / "cache")]
    runs = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [run.communicate() for run in runs]
    assert outputs[0] == outputs[1]
    expected = sum(int(read_square(path, 16).pixels.astype(int).sum()) for path in paths)
    assert int(outputs[0][0].split()[0]) == expected
    assert (
        sorted(path.suffix for path in (tmp_path / "cache").iterdir())
        == [".details"] * 6 + [".json"] * 6 + [".npy"] * 6
    )


def test_default_cache_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERMAUG_CACHE", "/somewhere/else")
    assert default_cache() == Path("/somewhere/else")
    monkeypatch.delenv("DERMAUG_CACHE")
    assert default_cache() == Path.home() / ".cache" / "dermaug"
