"""Arrays in shards: the rows that were written, checked when touched, made anew when damaged."""

import os
import pickle
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from dermaug.data import pixel_cache
from dermaug.data.decoding import Square, read_square
from dermaug.data.pixel_cache import PixelCache
from dermaug.data.sharded import Shard, ShardedArray
from dermaug.data.workers import Job
from dermaug.errors import DermaugError

SIZE = 8
VALUES = np.random.default_rng(0).integers(0, 256, (11, 2, 3), dtype=np.uint8)


@pytest.fixture
def mended() -> list[int]:
    """Numbers of the shards that were made anew."""
    return []


@pytest.fixture
def array(tmp_path: Path, mended: list[int]) -> ShardedArray:
    """`VALUES` in shards of 4, 0, 5 and 2 rows."""
    parts = [VALUES[:4], VALUES[4:4], VALUES[4:9], VALUES[9:]]

    def write(place: int) -> None:
        np.save(tmp_path / f"{place}.npy", parts[place])

    def mend(place: int) -> None:
        mended.append(place)
        write(place)

    shards = []
    for place, part in enumerate(parts):
        write(place)
        shards.append(Shard(tmp_path / f"{place}.npy", len(part), zlib.crc32(part.data)))
    return ShardedArray(shards, (2, 3), np.uint8, mend)


@pytest.mark.parametrize(
    "wanted",
    [
        3,
        -1,
        slice(None),
        slice(2, 10, 3),
        slice(3, 3),
        np.array([10, 0, 4, 4]),
        np.array([], dtype=np.int64),
        np.arange(11) % 3 == 1,
    ],
    ids=str,
)
def test_rows_are_those_of_one_array(wanted: object, array: ShardedArray) -> None:
    np.testing.assert_array_equal(array[wanted], VALUES[wanted])


def test_the_whole_is_one_array(array: ShardedArray) -> None:
    np.testing.assert_array_equal(np.asarray(array), VALUES)
    assert (array.shape, array.dtype, array.nbytes) == (VALUES.shape, VALUES.dtype, VALUES.nbytes)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(array.shape)), VALUES.shape)


def test_a_damaged_shard_is_named_and_made_anew_when_touched(
    array: ShardedArray, mended: list[int], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "2.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    np.testing.assert_array_equal(array[[0, 10]], VALUES[[0, 10]])
    assert mended == []
    np.testing.assert_array_equal(array[[0, 5]], VALUES[[0, 5]])
    np.testing.assert_array_equal(array[6], VALUES[6])
    assert mended == [2]
    told = " ".join(capfd.readouterr().err.split())
    assert f"{path} is damaged; its images are decoded again" in told


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"")])
def test_a_shard_that_cannot_be_read_is_made_anew(
    damage: Callable[[Path], object], array: ShardedArray, mended: list[int], tmp_path: Path
) -> None:
    damage(tmp_path / "0.npy")
    np.testing.assert_array_equal(array[:], VALUES)
    assert mended == [0]


def test_other_values_than_expected_are_never_given(tmp_path: Path) -> None:
    np.save(tmp_path / "0.npy", VALUES)
    other = Shard(tmp_path / "0.npy", len(VALUES), zlib.crc32(VALUES.data) ^ 1)
    array = ShardedArray([other], (2, 3), np.uint8, lambda place: None)
    with pytest.raises(DermaugError, match="expected the images that this command began with"):
        array[0]


def cache_of(folder: Path, paths: Sequence[Path], decoded: list[str]) -> PixelCache:
    """The shards of some files; `decoded` gets the id of each image that is decoded."""

    def decode(jobs: Sequence[Job]) -> Iterator[Square]:
        for image_id, path, _ in jobs:
            decoded.append(image_id)
            yield read_square(path, SIZE)

    jobs = [(path.name, str(path), "") for path in paths]
    return PixelCache(folder / "pixels", jobs, SIZE, decode)


KILLED = """
import sys, time
from pathlib import Path
from dermaug.data import pixel_cache
from dermaug.data.decoding import read_square

pixel_cache.SHARD_BYTES = int(sys.argv[1])
paths = [Path(name) for name in sys.argv[3:]]

def decode(jobs):
    for place, (image_id, path, _) in enumerate(jobs):
        if place == 38:
            print("now", flush=True)
            time.sleep(600)
        yield read_square(path, 8)

jobs = [(path.name, str(path), "") for path in paths]
pixel_cache.PixelCache(Path(sys.argv[2]) / "pixels", jobs, 8, decode).read(lambda record: True)
"""


def test_a_decoding_that_is_killed_loses_one_shard_at_most(
    tmp_path: Path, photograph: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    length = 4 * 3 * SIZE**2
    monkeypatch.setattr(pixel_cache, "SHARD_BYTES", length)
    paths = [tmp_path / f"{number:02d}.jpg" for number in range(42)]
    for number, path in enumerate(paths):
        path.write_bytes(photograph(number, (20, 20)))
    command = [sys.executable, "-c", KILLED, str(length), str(tmp_path / "killed")]
    with subprocess.Popen([*command, *map(str, paths)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"now\n"
        os.kill(process.pid, signal.SIGKILL)
    decoded: list[str] = []
    store = cache_of(tmp_path / "killed", paths, decoded).read(lambda record: True)
    assert decoded == [path.name for path in paths[36:]]  # 36 and 37 were lost with their shard
    whole = cache_of(tmp_path / "whole", paths, []).read(lambda record: True)
    np.testing.assert_array_equal(store.images, whole.images)
    assert store.contents.pixels == whole.contents.pixels
    np.testing.assert_array_equal(store.contents.details, whole.contents.details)
    names = [{path.name for path in (tmp_path / name).iterdir()} for name in ("killed", "whole")]
    assert names[0] == names[1]  # nothing half-written is left


def test_only_the_damaged_shard_is_decoded_again(
    tmp_path: Path, photograph: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixel_cache, "SHARD_BYTES", 2 * 3 * SIZE**2)
    paths = [tmp_path / f"{number}.jpg" for number in range(5)]
    for number, path in enumerate(paths):
        path.write_bytes(photograph(number, (20, 20)))
    expected = np.array(cache_of(tmp_path / "cache", paths, []).read(lambda record: True).images)
    (damaged,) = (tmp_path / "cache").glob("*.00001.npy")
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    decoded: list[str] = []
    store = cache_of(tmp_path / "cache", paths, decoded).read(lambda record: True)
    assert decoded == []
    np.testing.assert_array_equal(store.images[[0, 4]], expected[[0, 4]])
    assert decoded == []
    np.testing.assert_array_equal(store.images[[3]], expected[[3]])
    assert decoded == ["2.jpg", "3.jpg"]
