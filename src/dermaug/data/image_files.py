"""Decode image files to upright RGB pixels; every unusable file gets a reason."""

import io
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg
from PIL import Image, ImageOps, UnidentifiedImageError

from dermaug.data import containers
from dermaug.errors import DermaugError

MAX_PIXELS = 50_000_000
"""Largest image that is decoded, in pixels; a header that claims more is refused unread."""

LEAST_SIDE = 16
"""Smallest side of an image, in pixels: the smallest `data.size`."""
LONGEST_RATIO = 10
"""Largest ratio of the sides of an image."""

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "TIFF", "GIF")
"""Decoders that may run, whatever a file is named: Pillow knows some forty more, and hands one of
them, PostScript, to an interpreter that runs the file as a program."""

# Pillow only warns of 89 to 179 million pixels. Refused like the rest, whatever MAX_PIXELS says.
warnings.simplefilter("error", Image.DecompressionBombWarning)

# What libjpeg says of damage inside the file. Pillow drops these and hands out grey or shifted
# halves; other complaints (odd but harmless headers of some phones) are left to Pillow.
_DAMAGE = (
    "Corrupt JPEG data",
    "Premature end",
    "Unsupported marker",
    "Unsupported JPEG process",
    "Bogus",
    "Invalid JPEG file structure",
    "Inconsistent progression",
)


class BadImageError(DermaugError):
    """An image file that cannot be used.

    Args:
        path: The file.
        reason: What is wrong with it, in a few words.
    """

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = str(path)
        self.reason = reason

    def __reduce__(self) -> tuple[type, Any]:
        return type(self), (self.path, self.reason)


def decode_whole(path: Path | str, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Decode a file at its full size to RGB, upright.

    Raises:
        BadImageError: The file is missing, damaged, no image, animated or too large.
    """
    return decode(path, read_content(path, max_pixels), max_pixels)


def decode(path: Path | str, content: bytes, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Decode the content of a file, as `decode_whole` does.

    Raises:
        BadImageError: As for `decode_whole`; names `path`.
    """
    with naming(path, content):
        return load_rgb(open_header(content, max_pixels), content)


@contextmanager
def naming(path: Path | str, content: bytes) -> Iterator[None]:
    """Convert any error of a decoder inside the block.

    Raises:
        BadImageError: Names the file and what is wrong with it.
    """
    try:
        yield
    except BadImageError:
        raise
    except Exception as error:
        raise BadImageError(path, _reason(error, content)) from None


def read_content(path: Path | str, max_pixels: int = MAX_PIXELS) -> bytes:
    """The bytes of a regular, non-empty file of at most eight bytes a permitted pixel.

    Raises:
        BadImageError: The file is missing, empty, no file, too large or cannot be read.
    """
    try:
        if containers.locate(path):
            return containers.read_bytes(path, 8 * max_pixels)
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode):
            raise BadImageError(path, "not a file")
        if status.st_size == 0:
            raise BadImageError(path, "zero bytes")
        if status.st_size > 8 * max_pixels:
            raise BadImageError(path, f"too large: {status.st_size / 1e6:.0f} MB")
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise BadImageError(path, "missing") from None
    except OSError as error:
        raise BadImageError(path, f"cannot be read: {error.strerror or error}") from None


def open_header(content: bytes, max_pixels: int) -> Image.Image:
    """Read the header only.

    Raises:
        ValueError: By its header, the image is empty, tiny, animated or too large.
    """
    if Image.MAX_IMAGE_PIXELS is not None:  # Pillow's own limit may be raised, never lowered
        Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS, max_pixels)
    image = Image.open(io.BytesIO(content), formats=FORMATS)
    width, height = image.size
    if width < 1 or height < 1:
        raise ValueError(f"{width}x{height} pixels")
    if width * height > max_pixels:
        raise ValueError(
            f"its header claims {width * height / 1e6:.10g} million pixels; "
            f"more than {max_pixels / 1e6:.10g} million are refused (data.max_megapixels)"
        )
    if min(width, height) < LEAST_SIDE:
        raise ValueError(
            f"too small: {width} x {height} pixels; expected at least {LEAST_SIDE} on each side"
        )
    if max(width, height) > LONGEST_RATIO * min(width, height):
        raise ValueError(
            f"a sliver of {width} x {height} pixels, of which the central square shows little"
        )
    # Phones' MPO files hold a preview or depth map beside the picture, which is the first frame.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        raise ValueError("animated or of several pages; expected one picture")
    return image


def load_rgb(image: Image.Image, content: bytes) -> Image.Image:
    """Decode, refuse what the decoder had to guess, and turn upright."""
    decoded = _strictly_decoded(image, content)
    if decoded is None:
        image.load()
        if image.format in ("JPEG", "MPO"):
            _require_sound_jpeg(content)
        decoded = image
    # A broken EXIF block says nothing about orientation; the picture itself is sound.
    with suppress(Exception):
        ImageOps.exif_transpose(decoded, in_place=True)
    return _to_rgb(decoded)


def _strictly_decoded(image: Image.Image, content: bytes) -> Image.Image | None:
    """A colour JPEG decoded in one pass that minds libjpeg's warnings; None where it has any.

    The pixels are those that Pillow gives: both call libjpeg-turbo, with the same settings.
    """
    if image.format != "JPEG" or image.mode != "RGB":
        return None
    try:
        pixels = simplejpeg.decode_jpeg(content, "RGB", strict=True)
    except ValueError:
        return None
    if pixels.shape[:2] != (image.height, image.width):
        return None
    decoded = Image.fromarray(pixels)
    decoded.info = dict(image.info)
    return decoded


def _require_sound_jpeg(content: bytes) -> None:
    """Read all coded data once more, at an eighth of the size, and mind libjpeg's warnings.

    JPEG has no checksum: damage that leaves the number of blocks as it was goes unnoticed.
    """
    try:
        simplejpeg.decode_jpeg(content, "GRAY", min_height=1, min_width=1, strict=True)
    except ValueError as error:
        if str(error).startswith(_DAMAGE):
            raise ValueError(f"damaged: {error}") from None


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise ValueError("floating-point pixels have no known range; save it with 8 bits")
    if image.mode.startswith("I"):
        image = _from_sixteen_bits(image)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _from_sixteen_bits(image: Image.Image) -> Image.Image:
    """Scale 0..65535 to 0..255; Pillow's own conversion clips at 255 and gives white.

    Images of 10 or 12 bits are stored in 16, too. Scaled, they would be black.
    """
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65_535:
        raise ValueError("32-bit pixels beyond 0..65535; save it with 8 bits")
    if 0 < values.max() < 4_096:
        raise ValueError(
            f"16-bit pixels of at most {values.max()}, as of a 12-bit camera: they would look "
            "black; save it with 8 bits"
        )
    return Image.fromarray(((values + 128) // 257).astype(np.uint8))


def _reason(error: Exception, content: bytes) -> str:
    match error:
        case Image.DecompressionBombError() | Image.DecompressionBombWarning():
            return "its header claims over 89 million pixels, which Pillow refuses"
        case UnidentifiedImageError() if content.lstrip()[:1] == b"<":
            return "not an image but a web page or XML"
        case UnidentifiedImageError():
            return "not an image, or of an unknown kind"
        case MemoryError():
            return "too large for the memory"
    text = str(error) or type(error).__name__
    if "decoder" in text:  # libwebp and libavif say no more
        return f"damaged or truncated: {text}"
    return (
        f"truncated: {text}" if "truncated" in text.lower() and "truncated:" not in text else text
    )
