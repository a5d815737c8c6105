"""Cache of decoded squares: a memory-mapped .npy file, their details and a JSON index.

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
from jaxtyping import Int8, UInt8

from dermaug.data.contents import Contents
from dermaug.data.decoding import Square
from dermaug.data.signature import SIDE, Signature
from dermaug.data.workers import BadFile
from dermaug.disk import FullDiskError
from dermaug.errors import DermaugError
from dermaug.files import read_json, write_json, written_aside

FORMAT = 3
"""Part of every key; raised when decoding changes, so that no old pixels are taken."""
DETAILS = ".details"
"""Ending of the file beside the squares that holds `Contents.details`."""


@dataclass(frozen=True, eq=False)
class CachedPixels:
    """The decoded images of a catalog.

    Args:
        images: The valid images in order, uint8 (n, size, size, 3), read-only.
        contents: Their signatures.
        bad: The images that are missing from `images`.
        uncropped: Images that show the centred square.
    """

    images: UInt8[np.ndarray, "n size size 3"]
    contents: Contents
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
    """Write squares as they come, then their details, and the index when all are on disk.

    Raises:
        DermaugError: The folder cannot be written, or the disk is full.
    """
    try:
        with written_aside(path) as aside:
            with aside.open("wb") as file:
                contents, index = _write_squares(file, results, size)
            index["bytes"] = aside.stat().st_size
        details = contents.details.tobytes()
        with written_aside(path.with_suffix(DETAILS)) as aside:
            aside.write_bytes(details)
        index |= {"files": contents.files, "masks": contents.masks, "pixels": contents.pixels}
        write_json(path.with_suffix(".json"), index | {"details_crc32": zlib.crc32(details)})
    except (OSError, FullDiskError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DermaugError(
            f"cannot write the image cache {path.parent}: {reason}; free some disk space, or set "
            "the environment variable DERMAUG_CACHE to another folder"
        ) from None


def read_cache(path: Path, size: int) -> CachedPixels | None:
    """Map what `write_cache` wrote; None when it is absent, incomplete or damaged."""
    try:
        index = read_json(path.with_suffix(".json"))
        if path.stat().st_size != index["bytes"]:
            return None
        images = np.load(path, mmap_mode="r", allow_pickle=False)
        files, masks, pixels = (
            tuple(map(str, index[name])) for name in ("files", "masks", "pixels")
        )
        if images.dtype != np.uint8 or images.shape != (len(files), size, size, 3):
            return None
        details = _read_details(path.with_suffix(DETAILS), index["details_crc32"], len(files))
        if zlib.crc32(images.data) != index["crc32"]:
            return None
        bad = tuple(BadFile(**entry) for entry in index["bad"])
        contents = Contents(files, masks, pixels, details)
        return CachedPixels(images, contents, bad, int(index["uncropped"]))
    except (DermaugError, OSError, ValueError, KeyError, TypeError):
        return None


def _read_details(path: Path, crc: int, number: int) -> Int8[np.ndarray, "n 32 32"]:
    content = path.read_bytes()
    if zlib.crc32(content) != crc:
        raise ValueError(f"{path} is damaged")
    return np.frombuffer(content, np.int8).reshape(number, SIDE, SIDE)


def _write_squares(
    file: BinaryIO, results: Iterable[Square | BadFile], size: int
) -> tuple[Contents, dict[str, object]]:
    """Append every square, then fill in how many there are; numpy pads its header for that."""
    signatures: list[Signature] = []
    bad: list[BadFile] = []
    crc, uncropped = 0, 0
    _write_header(file, 0, size)
    for result in results:
        if isinstance(result, BadFile):
            bad.append(result)
            continue
        crc = zlib.crc32(result.pixels.data, crc)
        file.write(result.pixels.data)
        signatures.append(result.signature)
        uncropped += not result.cropped
    file.seek(0)
    _write_header(file, len(signatures), size)
    index = {"bad": [asdict(entry) for entry in bad], "uncropped": uncropped, "crc32": crc}
    return Contents.of(signatures), index


def _write_header(file: BinaryIO, number: int, size: int) -> None:
    shape: Sequence[int] = (number, size, size, 3)
    np.lib.format.write_array_header_1_0(
        file, {"descr": "|u1", "fortran_order": False, "shape": tuple(shape)}
    )
