"""Images as PNG files, written while further ones are drawn."""

import hashlib
import io
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

COMPRESSION = 1
"""Compression of PNG files: 40 % faster than the default 6, with files 7 % larger at 64 px."""
BATCHES_AHEAD = 2
"""Number of batches that may still be written while the next one is drawn."""


def write_pngs(
    paths: Sequence[Path], batches: Iterable[UInt8[np.ndarray, "batch h w 3"]]
) -> tuple[int, list[str]]:
    """Write the files; return the side of the images and the digest of each file."""
    digests: list[str] = []
    side, started = 0, 0
    with ThreadPoolExecutor() as pool:
        waiting: list[list[Future[str]]] = []
        for images in batches:
            side = int(images.shape[1])
            ahead = paths[started : started + len(images)]
            waiting.append(
                [pool.submit(_write_png, *item) for item in zip(ahead, images, strict=True)]
            )
            started += len(images)
            if len(waiting) > BATCHES_AHEAD:
                digests += [written.result() for written in waiting.pop(0)]
        digests += [written.result() for batch in waiting for written in batch]
    return side, digests


def _write_png(path: Path, pixels: UInt8[np.ndarray, "h w 3"]) -> str:
    """Write a file and return its digest."""
    memory = io.BytesIO()
    Image.fromarray(pixels).save(memory, "PNG", compress_level=COMPRESSION)
    content = memory.getvalue()
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()
