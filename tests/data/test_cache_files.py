"""The cache: its entries, and removing them and nothing else."""

from pathlib import Path

import numpy as np
import pytest

from dermaug.config import DataConfig, PhantomConfig
from dermaug.data.cache_files import cache_entries, clear_cache
from dermaug.data.pixels import load_pixels
from dermaug.data.sources import open_catalog
from dermaug.data.sources.phantom import write_phantoms


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache with two sizes of one data set and a folder of phantoms, and a file of the user."""
    folder = tmp_path / "cache"
    drawn = write_phantoms(folder / "phantoms" / "few", PhantomConfig(number=8), 32)
    for size in (32, 48):
        load_pixels(open_catalog(drawn), DataConfig(size=size), cache=folder, workers=1)
    (folder / "notes.json").write_text("mine")
    return folder


def test_entries_are_data_sets_and_sizes_with_all_their_files(cache: Path) -> None:
    entries = cache_entries(cache)
    assert len(entries) == 3
    assert sorted(len(entry.paths) for entry in entries) == [1, 3, 3]
    assert [entry.size for entry in entries] == sorted((e.size for e in entries), reverse=True)
    everything = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
    assert sum(entry.size for entry in entries) == everything - len("mine")


def test_clearing_removes_entries_and_nothing_else_while_mapped_images_stay(cache: Path) -> None:
    store = load_pixels(
        open_catalog(cache / "phantoms" / "few"), DataConfig(size=32), cache=cache, workers=1
    )
    before = np.array(store.images)
    freed = sum(entry.size for entry in cache_entries(cache))
    assert clear_cache(cache) == freed
    assert cache_entries(cache) == []
    assert (cache / "notes.json").read_text() == "mine"
    assert np.array_equal(store.images, before)


def test_without_a_cache_there_is_nothing_to_remove(tmp_path: Path) -> None:
    assert cache_entries(tmp_path / "none") == []
    assert clear_cache(tmp_path / "none") == 0
