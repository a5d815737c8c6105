"""A digest of pixels that no file format changes, and a detail that survives compression."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dermaug.data.signature import SIDE, detail_of, pixel_digest, sign, sign_pixels


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.integers(60, 200, (height, width, 3)).astype(np.uint8)


def test_digest_is_of_the_pixels_and_their_arrangement() -> None:
    pixels = noise(12, 20)
    image = Image.fromarray(pixels)
    assert pixel_digest(image) == hashlib.sha256(b"12x20" + pixels.tobytes()).hexdigest()
    assert pixel_digest(image) != pixel_digest(Image.fromarray(pixels.reshape(20, 12, 3)))
    assert pixel_digest(image) != pixel_digest(Image.fromarray(pixels[::-1]))


def test_a_signature_tells_file_and_pixels() -> None:
    pixels = noise(40, 50)
    signature = sign(Image.fromarray(pixels), b"a file")
    assert signature.file == hashlib.sha256(b"a file").hexdigest()
    assert signature.mask == ""
    embedded = sign_pixels(pixels)
    assert (embedded.pixels, embedded.file) == (
        signature.pixels,
        hashlib.sha256(pixels.tobytes()).hexdigest(),
    )
    np.testing.assert_array_equal(embedded.detail, signature.detail)


@settings(max_examples=20, deadline=None)
@given(height=st.integers(32, 300), width=st.integers(32, 300), seed=st.integers(0, 9))
def test_detail_turns_with_its_image_whatever_its_size(height: int, width: int, seed: int) -> None:
    texture = np.random.default_rng(seed).normal(130, 40, (64, 64, 3)).clip(60, 200)
    image = Image.fromarray(texture.astype(np.uint8)).resize((width, height))
    detail = detail_of(image)
    assert detail.shape == (SIDE, SIDE)
    assert detail.dtype == np.int8
    turned = detail_of(image.transpose(Image.Transpose.ROTATE_90))
    # Odd margins move the centred square by half a pixel.
    if (height - width) % 2 == 0:
        assert np.corrcoef(np.rot90(detail).ravel(), turned.ravel())[0, 1] > 0.93


@pytest.mark.parametrize("level", [0, 20, 128, 255])
def test_plain_images_have_no_detail(level: int) -> None:
    plain = np.full((60, 60, 3), level, np.uint8)
    assert not detail_of(Image.fromarray(plain)).any()
    plain[10, 10] ^= 1
    assert not detail_of(Image.fromarray(plain)).any()


def test_an_image_that_is_mostly_black_has_no_detail() -> None:
    pixels = noise(64, 64)
    assert detail_of(Image.fromarray(pixels)).any()
    pixels[:, 12:] = 3
    assert not detail_of(Image.fromarray(pixels)).any()


def test_black_rims_do_not_count() -> None:
    pixels = noise(64, 64)
    pixels[:, :8] = 2
    detail = detail_of(Image.fromarray(pixels))
    assert not detail[:, :7].any()
    assert detail[:, 12:].any()
