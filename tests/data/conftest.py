"""Files as they go wrong in practice, made on the spot; and sound ones to compare with."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dermaug.data.catalog import Catalog


def photograph(seed: int = 0, extent: tuple[int, int] = (200, 150)) -> bytes:
    """A JPEG with blobs and grain (no lesion), as camera files are: hard to compress."""
    generator = np.random.default_rng(seed)
    coarse = Image.fromarray(generator.integers(60, 200, (6, 8, 3)).astype(np.uint8))
    pixels = np.asarray(coarse.resize(extent, Image.Resampling.BICUBIC)).astype(float)
    pixels = np.clip(pixels + generator.normal(0, 6, pixels.shape), 0, 255).astype(np.uint8)
    return encoded(Image.fromarray(pixels), "JPEG", quality=92)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """The bytes of an image file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds a few bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(3 * 1_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


def _overwritten(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(400) + content[middle + 400 :]


def _animated() -> bytes:
    frames = [Image.new("L", (20, 20), value) for value in (0, 100, 200)]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


def _noise(kind: str) -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3)).astype(np.uint8)
    return encoded(Image.fromarray(noise), kind)


BAD_FILES: dict[str, tuple[bytes, str]] = {
    "zero.jpg": (b"", "zero bytes"),
    "truncated.jpg": (photograph()[:-3_000], "truncated"),
    "truncated.png": (_noise("PNG")[:-3_000], "truncated"),
    "truncated.webp": (_noise("WEBP")[:-3_000], "damaged or truncated"),
    "corrupt.jpg": (_overwritten(photograph()), "damaged: Corrupt JPEG data"),
    "corrupt.png": (_overwritten(_noise("PNG")), "."),
    "page.jpg": (b"\n<!DOCTYPE html><html><body>404</body></html>", "web page"),
    "text.jpg": (b"hello, this is text" * 9, "not an image"),
    "animated.gif": (_animated(), "animated"),
    "empty.png": (png_header(0, 0), "."),
    "empty.gif": (b"GIF89a" + struct.pack("<HHBBB", 0, 0, 0, 0, 0) + b";", "."),
    "float.tif": (encoded(Image.new("F", (20, 20)), "TIFF"), "floating-point"),
    "twelve_bits.png": (
        encoded(Image.fromarray(np.full((20, 20), 4_095, np.uint16)), "PNG"),
        "16-bit pixels of at most 4095, as of a 12-bit camera",
    ),
    "thumbnail.png": (
        encoded(Image.new("RGB", (40, 15)), "PNG"),
        "too small: 40 x 15 pixels; expected at least 16",
    ),
    "sliver.png": (encoded(Image.new("RGB", (20, 201)), "PNG"), "a sliver of 20 x 201 pixels"),
    "bomb.png": (png_header(60_000, 60_000), "million pixels"),
    "large.png": (png_header(10_000, 10_000), "million pixels"),
    "over_our_limit.png": (png_header(8_000, 8_000), "64 million pixels"),
}
"""Name -> content and a pattern of the reason that is given."""


@pytest.fixture(params=sorted(BAD_FILES))
def bad_file(request: pytest.FixtureRequest) -> tuple[str, bytes, str]:
    """Each unfit file in turn: name, content, pattern of the reason."""
    return (request.param, *BAD_FILES[request.param])


@pytest.fixture
def bad_files() -> dict[str, bytes]:
    """All unfit files: name -> content."""
    return {name: content for name, (content, _) in BAD_FILES.items()}


@pytest.fixture(name="photograph")
def photograph_fixture() -> Callable[..., bytes]:
    """Makes the bytes of a sound JPEG."""
    return photograph


@pytest.fixture(name="png_header")
def png_header_fixture() -> Callable[[int, int], bytes]:
    """Makes the bytes of a PNG that claims a size."""
    return png_header


@pytest.fixture
def catalog_of_files() -> Callable[..., Catalog]:
    """Makes a catalog of some files, two lesions a class of two images each."""

    def make(paths: list[Path], masks: list[Path] | None = None) -> Catalog:
        number = len(paths)
        table = pd.DataFrame(
            {
                "image_id": [path.name for path in paths],
                "lesion_id": [f"L{row // 2}" for row in range(number)],
                "label": [("mel", "nv")[row // 2 % 2] for row in range(number)],
                "patient_id": "",
                "path": [str(path) for path in paths],
                "mask_path": [str(mask) for mask in masks] if masks else "",
                "age": 50.0,
                "sex": "unknown",
                "localization": "unknown",
                "skin_tone": "unknown",
                "dx_type": "unknown",
            }
        )
        return Catalog("Files", paths[0].parent, table, ("mel", "nv"))

    return make
