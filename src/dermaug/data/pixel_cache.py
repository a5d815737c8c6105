"""Decoded squares on disk: an .npy to memory-map and a JSON index, both whole or not at all.

Two processes may fill the same cache at once: the key fixes the content, both write the same bytes
aside, and each rename is atomic.
"""

import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import UInt8

from dermaug.data.decoding import Square
from dermaug.data.workers import BadFile
from dermaug.errors import DermaugError
from dermaug.files import read_json, write_json, written_aside

FORMAT = 1
"""Part of every key; raised when decoding changes, so that no old pixels are taken."""


@dataclass(frozen=True, eq=False)
class CachedPixels:
    """What decoding a catalog gave.

    Args:
        images: The sound images in order, uint8 (n, size, size, 3), read-only.
        digests: SHA-256 of the file of each, hex.
        bad: The images that are missing from `images`.
        uncropped: Images that show the centred square.
    """

    images: UInt8[np.ndarray, "n size size 3"]
    digests: tuple[str, ...]
    bad: tuple[BadFile, ...]
    uncropped: int


def cache_path(folder: Path, name: str, key: object) -> Path:
    """Path of the .npy for whatever the pixels depend on.

    Args:
        folder: The cache.
        name: Readable beginning of the file name.
        key: Plain values (for `json`): ids, sizes and dates of the files, and the options.
    """
    digest = hashlib.sha256(json.dumps([FORMAT, key]).encode()).hexdigest()[:20]
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:60]
    return folder / f"{readable}-{digest}.npy"


def write_cache(path: Path, results: Iterable[Square | BadFile], size: int) -> None:
    """Write squares as they come, and the index when the last is on disk.

    Raises:
        DermaugError: The folder cannot be written, or the disk is full.
    """
    try:
        with written_aside(path) as aside:
            with aside.open("wb") as file:
                index = _write_squares(file, results, size)
            index["bytes"] = aside.stat().st_size
        write_json(path.with_suffix(".json"), index)
    except OSError as error:
        raise DermaugError(
            f"cannot write the image cache {path.parent}: {error.strerror or error}; "
            "make room, or name another folder in the environment variable DERMAUG_CACHE"
        ) from None


def read_cache(path: Path, size: int) -> CachedPixels | None:
    """Map what `write_cache` wrote; None when it is absent, incomplete or damaged."""
    try:
        index = read_json(path.with_suffix(".json"))
        if path.stat().st_size != index["bytes"]:
            return None
        images = np.load(path, mmap_mode="r", allow_pickle=False)
        digests = tuple(str(digest) for digest in index["digests"])
        if images.dtype != np.uint8 or images.shape != (len(digests), size, size, 3):
            return None
        if zlib.crc32(images.data) != index["crc32"]:
            return None
        bad = tuple(BadFile(**entry) for entry in index["bad"])
        return CachedPixels(images, digests, bad, int(index["uncropped"]))
    except (DermaugError, OSError, ValueError, KeyError, TypeError):
        return None


def _write_squares(
    file: BinaryIO, results: Iterable[Square | BadFile], size: int
) -> dict[str, object]:
    """Append every square, then fill in how many there are; numpy pads its header for that."""
    digests: list[str] = []
    bad: list[BadFile] = []
    crc, uncropped = 0, 0
    _write_header(file, 0, size)
    for result in results:
        if isinstance(result, BadFile):
            bad.append(result)
            continue
        crc = zlib.crc32(result.pixels.data, crc)
        file.write(result.pixels.data)
        digests.append(result.digest)
        uncropped += not result.cropped
    file.seek(0)
    _write_header(file, len(digests), size)
    return {
        "digests": digests,
        "bad": [asdict(entry) for entry in bad],
        "uncropped": uncropped,
        "crc32": crc,
    }


def _write_header(file: BinaryIO, number: int, size: int) -> None:
    shape: Sequence[int] = (number, size, size, 3)
    np.lib.format.write_array_header_1_0(
        file, {"descr": "|u1", "fortran_order": False, "shape": tuple(shape)}
    )
