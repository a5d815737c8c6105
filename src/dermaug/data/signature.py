"""The signature of a photograph: a digest of its pixels, and its finest detail.

Equal pixels have equal digests, whatever file they lie in. The detail is small and survives another
compression or size, so that a photograph is known again by it (`dermaug.evaluation.duplicates`).
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int8, UInt8
from PIL import Image

from dermaug.data.squares import resized

SIDE = 32
"""Side of the detail: JPEG's noise lies below it."""
BLUR = 1.5
"""Standard deviation in pixels, at that side, of the blur whose result is taken away."""
NEIGHBOURHOOD = 3.0
"""Standard deviation in pixels of the window within which detail is brought to one strength."""
NOISE = 3.0
"""Grey levels; detail that is weaker stays weak."""
DARK, LIGHT, DARK_WINDOW = 25.0, 45.0, 7
"""Grey levels up to which a dermatoscope's rim is black, and from which on skin is light; detail
within a window of this many pixels around black does not count."""
LEAST_LIGHT = 0.25
"""Share of the square that must be light."""
FAINT = 1 / 8
"""Root mean square below which detail is noise."""
STEPS = 32
"""Steps of the stored detail per unit."""


@dataclass(frozen=True, eq=False)
class Signature:
    """The stored signature of one image.

    Args:
        file: SHA-256 of the file's bytes, hex; of the pixels where they came with a table.
        pixels: `pixel_digest` of the image as decoded at the size that it is stored in.
        detail: `detail_of` the same pixels.
        mask: SHA-256 of the segmentation's file where the square was cut by it; else "".
    """

    file: str
    pixels: str
    detail: Int8[np.ndarray, "32 32"]
    mask: str = ""


def sign(image: Image.Image, content: bytes, mask: str = "") -> Signature:
    """Compute the signature of an image.

    Args:
        image: Decoded at full size, upright, RGB.
        content: Of its file.
        mask: As in `Signature`.
    """
    digest = hashlib.sha256(content).hexdigest()
    return Signature(digest, pixel_digest(image), detail_of(image), mask)


def sign_pixels(pixels: UInt8[np.ndarray, "h w 3"]) -> Signature:
    """Compute the signature of pixels that came with a table."""
    return sign(Image.fromarray(np.ascontiguousarray(pixels)), pixels.tobytes())


def pixel_digest(image: Image.Image) -> str:
    """SHA-256 of an image's height, width and RGB values, hex.

    Defined at the size that the image is stored in: an image saved anew without loss, as PNG, keeps
    its digest. Large JPEG files are therefore decoded in full, once; the decoder's own shrinking is
    faster, but its result is no other file's.
    """
    digest = hashlib.sha256(f"{image.height}x{image.width}".encode())
    digest.update(image.tobytes())
    return digest.hexdigest()


def detail_of(image: Image.Image) -> Int8[np.ndarray, "32 32"]:
    """Finest detail of the centred square at `SIDE` pixels: hairs, texture, edges; no colour.

    The grey image less its blur, brought to one strength in every neighbourhood: otherwise a small
    dark lesion on plain skin, or the edge of a dermatoscope's rim, would outweigh all texture, and
    two photographs with such a lesion, or of one device, would look the same. What is black counts
    as rim. Detail that is too faint, or of an image that is mostly black, is zero everywhere.

    Returns:
        In steps of 1 / `STEPS`, clipped.
    """
    fine = resized(image, 2 * SIDE).reshape(2 * SIDE, -1).astype(np.float64)  # h (w c)
    grey = _MEAN_OF_ROWS @ fine @ _MEAN_OF_COLUMNS
    light = _light(grey)
    detail = (grey - _BLUR @ grey @ _BLUR.T) * light
    detail /= np.sqrt(_AROUND @ np.square(detail) @ _AROUND.T + NOISE**2)
    if light.mean() < LEAST_LIGHT or np.sqrt(np.square(detail).mean()) < FAINT:
        return np.zeros((SIDE, SIDE), np.int8)
    return np.asarray(np.rint(detail * STEPS).clip(-127, 127), dtype=np.int8)


def _light(grey: Float[np.ndarray, "32 32"]) -> Float[np.ndarray, "32 32"]:
    """0 beside black, 1 where all around is light, and between."""
    around = np.pad(grey, DARK_WINDOW // 2, mode="edge")
    rows = np.minimum.reduce([around[shift : shift + SIDE] for shift in range(DARK_WINDOW)])
    darkest = np.minimum.reduce([rows[:, shift : shift + SIDE] for shift in range(DARK_WINDOW)])
    return np.asarray(np.clip((darkest - DARK) / (LIGHT - DARK), 0.0, 1.0))


def _blur(sigma: float) -> Float[np.ndarray, "32 32"]:
    """Matrix of a Gaussian blur along one axis; at the border, the mean of what lies inside."""
    places = np.arange(SIDE)
    weights = np.exp(-np.square(places[:, None] - places) / (2.0 * sigma**2))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


_BLUR, _AROUND = _blur(BLUR), _blur(NEIGHBOURHOOD)
_MEAN_OF_ROWS = np.kron(np.eye(SIDE), np.full((1, 2), 1 / 2))
_MEAN_OF_COLUMNS = np.kron(np.eye(SIDE), np.full((6, 1), 1 / 6))
