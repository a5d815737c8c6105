"""Cache of decoded squares in shards: for each a file of pixels, one of details, and a record.

A shard counts once its record is on disk, so that a decoding that was killed goes on after the
last whole shard. Two processes may fill the same cache at once: the key fixes the content, both
write the same bytes aside, and each rename is atomic.
"""

import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from dermaug.aside import sweep, written_aside
from dermaug.data.contents import Contents
from dermaug.data.decoding import Square
from dermaug.data.sharded import Shard, ShardedArray
from dermaug.data.signature import SIDE
from dermaug.data.workers import BadFile, Job
from dermaug.disk import FullDiskError
from dermaug.errors import DermaugError
from dermaug.files import Record

FORMAT = 4
"""Part of every key; raised when decoding changes, so that no old pixels are taken."""
PIXELS, DETAILS = ".npy", ".details"
"""Endings of the files of a shard beside its record (.json)."""
SHARD_BYTES = 1 << 26
"""Pixels of a shard, as long as there are no more than `MOST_SHARDS`."""
MOST_SHARDS = 128
"""Each takes a file handle of every process that uses it."""

Decode = Callable[[Sequence[Job]], Iterable[Square | BadFile]]


class ShardRecord(Record):
    """`NAME.00000.json`: what one shard holds."""

    files: tuple[str, ...]
    """Digests of its valid images, like `masks` and `pixels`; see `Contents`."""
    masks: tuple[str, ...]
    pixels: tuple[str, ...]
    pixels_crc32: int
    details_crc32: int
    bad: tuple[tuple[str, str, str], ...]
    """The fields of each `BadFile`."""
    uncropped: int

    @property
    def bad_files(self) -> tuple[BadFile, ...]:
        """The images that are missing from the shard."""
        return tuple(BadFile(*fields) for fields in self.bad)


@dataclass(frozen=True, eq=False)
class CachedPixels:
    """The decoded images of a catalog.

    Args:
        images: The valid images in order, uint8 (n, size, size, 3), read-only.
        contents: Their signatures.
        bad: The images that are missing from `images`.
        uncropped: Images that show the centred square.
    """

    images: ShardedArray
    contents: Contents
    bad: tuple[BadFile, ...]
    uncropped: int


def cache_path(folder: Path, name: str, key: object) -> Path:
    """Beginning of the paths of the files for whatever the pixels depend on.

    Args:
        folder: The cache.
        name: Readable beginning of the file name.
        key: Plain values (for `json`): ids, sizes and dates of the files, and the options.
    """
    digest = hashlib.sha256(json.dumps([FORMAT, key]).encode()).hexdigest()[:20]
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:60]
    return folder / f"{readable}-{digest}"


@dataclass(frozen=True, eq=False)
class PixelCache:
    """The shards of one catalog at one size.

    Args:
        path: Returned by `cache_path`.
        jobs: All images.
        size: Side of the squares.
        decode: Decodes some of the images, in order.
    """

    path: Path
    jobs: Sequence[Job]
    size: int
    decode: Decode

    def read(self, is_whole: Callable[[ShardRecord], bool]) -> CachedPixels:
        """Map all shards, after those that are missing were decoded.

        Args:
            is_whole: Whether the record of a shard is still what decoding would give.

        Raises:
            DermaugError: The folder cannot be written, or the disk is full.
        """
        records = [self._record(place) for place in range(len(self._parts))]
        known = {
            place: record
            for place, record in enumerate(records)
            if record is not None and is_whole(record)
        }
        return self._mapped(known | self._made(set(range(len(records))) - set(known)))

    def mend(self, place: int) -> None:
        """Decode the images of one shard again."""
        self._made({place})

    @property
    def _parts(self) -> list[range]:
        """The images of each shard."""
        number = len(self.jobs)
        length = max(SHARD_BYTES // (3 * self.size**2), -(-number // MOST_SHARDS), 1)
        return [range(start, min(start + length, number)) for start in range(0, number, length)]

    def _file(self, place: int, ending: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{place:05d}{ending}")

    def _record(self, place: int) -> ShardRecord | None:
        """The record of a shard; None unless it was written whole."""
        try:
            record = ShardRecord.read(self._file(place, ".json"))
        except DermaugError:
            return None
        number = {len(record.files), len(record.masks), len(record.pixels)}
        return record if number == {len(self._parts[place]) - len(record.bad)} else None

    def _made(self, places: set[int]) -> dict[int, ShardRecord]:
        """Decode some shards and write each as soon as it is whole."""
        if not places:
            return {}
        parts = [(place, self._parts[place]) for place in sorted(places)]
        results = iter(self.decode([self.jobs[row] for _, part in parts for row in part]))
        try:
            sweep(self.path.parent)  # what a killed process left
            written = {
                place: self._write(place, islice(results, len(part))) for place, part in parts
            }
            next(results, None)  # for the last report of progress
            return written
        except (OSError, FullDiskError) as error:
            reason = getattr(error, "strerror", None) or error
            raise DermaugError(
                f"cannot write the image cache {self.path.parent}: {reason}; free some disk space, "
                "or set the environment variable DERMAUG_CACHE to another folder"
            ) from None

    def _write(self, place: int, results: Iterator[Square | BadFile]) -> ShardRecord:
        """Write a shard: pixels, details, and when both are on disk, its record."""
        found = list(results)
        squares = [each for each in found if isinstance(each, Square)]
        pixels = np.empty((len(squares), self.size, self.size, 3), np.uint8)
        for row, square in enumerate(squares):
            pixels[row] = square.pixels
        contents = Contents.of(square.signature for square in squares)
        for ending, values in ((PIXELS, pixels), (DETAILS, np.asarray(contents.details))):
            path = self._file(place, ending)
            with written_aside(path, values.nbytes) as aside, aside.open("wb") as file:
                np.save(file, values)
        record = ShardRecord(
            files=contents.files,
            masks=contents.masks,
            pixels=contents.pixels,
            pixels_crc32=zlib.crc32(pixels.data),
            details_crc32=zlib.crc32(np.asarray(contents.details).data),
            bad=tuple(astuple(each) for each in found if isinstance(each, BadFile)),
            uncropped=sum(not square.cropped for square in squares),
        )
        record.write(self._file(place, ".json"))
        return record

    def _mapped(self, known: dict[int, ShardRecord]) -> CachedPixels:
        records = [known[place] for place in sorted(known)]
        files, masks, pixels = (
            tuple(digest for record in records for digest in getattr(record, name))
            for name in ("files", "masks", "pixels")
        )
        images = self._array(PIXELS, [record.pixels_crc32 for record in records], records)
        details = self._array(DETAILS, [record.details_crc32 for record in records], records)
        return CachedPixels(
            images,
            Contents(files, masks, pixels, details),
            tuple(bad for record in records for bad in record.bad_files),
            sum(record.uncropped for record in records),
        )

    def _array(
        self, ending: str, checks: Sequence[int], records: Sequence[ShardRecord]
    ) -> ShardedArray:
        shards = [
            Shard(self._file(place, ending), len(record.files), check)
            for place, (record, check) in enumerate(zip(records, checks, strict=True))
        ]
        shape = (self.size, self.size, 3) if ending == PIXELS else (SIDE, SIDE)
        dtype = np.uint8 if ending == PIXELS else np.int8
        return ShardedArray(shards, shape, dtype, self.mend)
