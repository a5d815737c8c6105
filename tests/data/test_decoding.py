"""Real files of every kind: sound ones keep their colours, unfit ones get their reason."""

import io
import os
import pickle
import random
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dermaug.data.decoding import lesion_box, read_square
from dermaug.data.image_files import BadImageError, decode_whole
from dermaug.data.squares import resize_square, square_box

Photograph = Callable[..., bytes]


def quadrants(height: int, width: int) -> np.ndarray:
    """Red, green / blue, white."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (200, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 200, 0)
    pixels[height // 2 :, : width // 2] = (0, 0, 200)
    pixels[height // 2 :, width // 2 :] = (255, 255, 255)
    return pixels


def corners(square: np.ndarray) -> np.ndarray:
    low, high = len(square) // 4, 3 * len(square) // 4
    return square[[low, low, high, high], [low, high, low, high]].astype(int)


@pytest.mark.parametrize("size", [16, 64])
def test_unfit_file_is_refused_with_its_reason(
    bad_file: tuple[str, bytes, str], size: int, tmp_path: Path
) -> None:
    name, content, reason = bad_file
    path = tmp_path / name
    path.write_bytes(content)
    for decode in (lambda: read_square(path, size).pixels, lambda: decode_whole(path)):
        with pytest.raises(BadImageError, match=reason) as caught:
            decode()
        assert str(path) in str(caught.value)


def test_missing_file_folder_and_pipe_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    for name, reason in (
        ("absent.jpg", "missing"),
        (".", "not a file"),
        ("pipe.jpg", "not a file"),
    ):
        with pytest.raises(BadImageError, match=reason):
            read_square(tmp_path / name, 16)


def test_bad_image_error_survives_the_way_between_processes() -> None:
    error = pickle.loads(pickle.dumps(BadImageError("a.jpg", "zero bytes")))
    assert (error.path, error.reason, str(error)) == ("a.jpg", "zero bytes", "a.jpg: zero bytes")


def test_overwritten_middles_are_found_where_pillow_sees_nothing(
    photograph: Photograph, tmp_path: Path
) -> None:
    passed_by_pillow = 0
    for seed in range(40):
        content = bytearray(photograph(seed))
        middle = len(content) // 2
        content[middle : middle + 400] = random.Random(seed).randbytes(400)
        with suppress(OSError):
            Image.open(io.BytesIO(content)).load()
            passed_by_pillow += 1
        (tmp_path / "a.jpg").write_bytes(content)
        with pytest.raises(BadImageError):
            read_square(tmp_path / "a.jpg", 64)
    assert passed_by_pillow > 10


@pytest.mark.parametrize("side", [60_000, 10_000])
def test_bomb_is_refused_in_little_memory(
    side: int, png_header: Callable[[int, int], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(side, side))
    if not Path("/proc/self/status").exists():
        pytest.skip("needs Linux: getrusage's peak would include the parent's memory at the fork")
    script = (
        "import sys; from dermaug.data.decoding import read_square\n"
        "try: read_square(sys.argv[1], 64).pixels\n"
        "except Exception as error: print(error)\n"
        "print(next(line.split()[1] for line in open('/proc/self/status') if 'VmHWM' in line))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    message, peak_kib = run.stdout.splitlines()
    assert "million pixels" in message
    assert run.stderr == ""
    assert int(peak_kib) < 1_000_000


def test_limit_is_the_callers(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (40, 30)).save(path)
    assert read_square(path, 16, max_pixels=1_200).pixels.shape == (16, 16, 3)
    with pytest.raises(BadImageError, match="million pixels"):
        read_square(path, 16, max_pixels=1_199)


@pytest.mark.parametrize("kind", ["RGB", "RGBA", "P", "CMYK", "tiff", "jpeg", "webp", "avif"])
def test_colours_survive_every_kind_of_file(kind: str, tmp_path: Path) -> None:
    image = Image.fromarray(quadrants(64, 64))
    endings = {"CMYK": "jpg", **{name: name for name in ("tiff", "jpeg", "webp", "avif")}}
    path = tmp_path / f"a.{endings.get(kind, 'png')}"
    match kind:
        case "tiff" | "jpeg" | "webp" | "avif":
            image.save(path)
        case "CMYK":
            image.convert("CMYK").save(path, quality=95)
        case "P":
            image.quantize(8).save(path)
        case _:
            image.convert(kind).save(path)
    found = corners(read_square(path, 32).pixels)
    expected = corners(quadrants(32, 32))
    assert np.abs(found - expected).max() <= 6


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    values = np.array([[0, 257], [32_896, 65_535]], np.uint16).repeat(16, 0).repeat(16, 1)
    path = tmp_path / "sixteen.png"
    Image.fromarray(values).save(path)
    with Image.open(path) as image:
        assert image.mode.startswith("I")
    square = read_square(path, 2).pixels
    np.testing.assert_array_equal(square[..., 0], [[0, 1], [128, 255]])
    np.testing.assert_array_equal(square[..., 0], square[..., 2])


def test_transparent_pixels_lie_on_white(tmp_path: Path) -> None:
    pixels = np.zeros((32, 32, 4), np.uint8)
    pixels[:, 16:] = (10, 20, 30, 255)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    square = read_square(tmp_path / "a.png", 16).pixels
    np.testing.assert_array_equal(square[8, [3, 12]], [[255, 255, 255], [10, 20, 30]])


def test_two_bit_palette_with_a_transparent_entry(tmp_path: Path) -> None:
    image = Image.fromarray(np.repeat([[0, 1]], 16, 0).repeat(8, 1).astype(np.uint8), "P")
    image.putpalette([1, 2, 3, 200, 100, 50])
    image.save(tmp_path / "a.png", transparency=0)
    np.testing.assert_array_equal(
        read_square(tmp_path / "a.png", 8).pixels[4, [1, 6]], [[255, 255, 255], [200, 100, 50]]
    )


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("extent", [(40, 40), (400, 400)])
def test_exif_orientation_is_undone(
    orientation: int, extent: tuple[int, int], tmp_path: Path
) -> None:
    upright = Image.fromarray(quadrants(*extent))
    # What a camera held that way stores: the inverse of what the tag asks a viewer to do.
    inverse = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(inverse[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.jpg", exif=exif, quality=95)
    found = corners(read_square(tmp_path / "a.jpg", 16).pixels)
    assert np.abs(found - corners(quadrants(16, 16))).max() <= 6


def test_square_is_centred_and_averages_areas(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 40, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    centre = pixels[:, 8:32].astype(float)
    means = centre.reshape(6, 4, 6, 4, 3).mean(axis=(1, 3))
    assert np.abs(read_square(tmp_path / "a.png", 6).pixels - means).max() <= 1
    np.testing.assert_array_equal(read_square(tmp_path / "a.png", 24).pixels, pixels[:, 8:32])
    np.testing.assert_array_equal(resize_square(pixels, 24), pixels[:, 8:32])


@pytest.mark.parametrize("extent", [(200, 150), (1201, 899), (17, 33)])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_gives_the_pixels_that_pillow_gives(
    photograph: Photograph,
    tmp_path: Path,
    extent: tuple[int, int],
    subsampling: int,
    progressive: bool,
) -> None:
    """One strict pass of libjpeg-turbo decodes them; a lossless copy has the same pixels."""
    original = Image.open(io.BytesIO(photograph(1, extent)))
    path = tmp_path / "a.jpg"
    original.save(path, quality=80, subsampling=subsampling, progressive=progressive)
    expected = np.asarray(Image.open(path).convert("RGB"))
    np.testing.assert_array_equal(np.asarray(decode_whole(path)), expected)
    Image.fromarray(expected).save(tmp_path / "a.png")
    one, other = (read_square(tmp_path / name, 16) for name in ("a.jpg", "a.png"))
    assert one.signature.pixels == other.signature.pixels
    assert one.signature.file != other.signature.file
    np.testing.assert_array_equal(one.signature.detail, other.signature.detail)
    np.testing.assert_array_equal(one.pixels, resize_square(expected, 16))


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_jpeg_without_colour_planes_of_its_own_is_decoded(mode: str, tmp_path: Path) -> None:
    Image.fromarray(quadrants(64, 64)).convert(mode).save(tmp_path / "a.jpg", quality=95)
    expected = np.asarray(Image.open(tmp_path / "a.jpg").convert("RGB"))
    np.testing.assert_array_equal(np.asarray(decode_whole(tmp_path / "a.jpg")), expected)


def test_lesion_box_finds_the_segmentation_at_its_threshold(tmp_path: Path) -> None:
    mask = np.zeros((50, 100), np.uint8)
    mask[10:30, 20:60] = 128
    mask[5:45, 10:90] = np.maximum(mask[5:45, 10:90], 127)
    Image.fromarray(mask).save(tmp_path / "mask.png")
    assert lesion_box(tmp_path / "mask.png") == (0.2, 0.2, 0.6, 0.6)


def test_lesion_fills_its_square_with_the_margin(tmp_path: Path) -> None:
    pixels = np.zeros((300, 400, 3), np.uint8)
    pixels[200:240, 300:380] = 255
    mask = pixels[..., 0]
    Image.fromarray(pixels).save(tmp_path / "a.png")
    Image.fromarray(mask[::2, ::2]).save(tmp_path / "mask.png")  # of half the size: still fits
    square = read_square(
        tmp_path / "a.png", 120, crop="lesion", margin=0.25, mask_path=tmp_path / "mask.png"
    )
    assert square.cropped
    white = square.pixels[..., 0] > 127
    # 80 px and 20 px on each side: a square of 120 px, the lesion in its middle.
    assert (white.any(0).sum(), white.any(1).sum()) == (80, 40)
    assert np.flatnonzero(white.any(0))[0] == 20
    assert np.flatnonzero(white.any(1))[0] == 40


@pytest.mark.parametrize("mask", [None, 0, 127])
def test_without_a_lesion_the_square_is_centred(mask: int | None, tmp_path: Path) -> None:
    Image.fromarray(quadrants(30, 60)).save(tmp_path / "a.png")
    if mask is not None:
        Image.new("L", (60, 30), mask).save(tmp_path / "mask.png")
    square = read_square(tmp_path / "a.png", 30, crop="lesion", mask_path=tmp_path / "mask.png")
    assert not square.cropped
    np.testing.assert_array_equal(square.pixels, quadrants(30, 60)[:, 15:45])


def test_damaged_segmentation_is_refused_by_its_own_name(tmp_path: Path) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "a.png")
    (tmp_path / "mask.png").write_bytes(b"<html>")
    with pytest.raises(BadImageError, match=r"mask\.png"):
        read_square(tmp_path / "a.png", 16, crop="lesion", mask_path=tmp_path / "mask.png")


def test_square_box_never_leaves_the_image() -> None:
    generator = np.random.default_rng(0)
    for _ in range(500):
        width, height = (int(length) for length in generator.integers(1, 500, 2))
        left, right = np.sort(generator.random(2))
        top, bottom = np.sort(generator.random(2))
        lesion = (float(left), float(top), float(right), float(bottom))
        box = square_box((width, height), lesion, float(generator.random() * 2))
        assert min(box) >= 0
        assert box[2] <= width + 1e-9
        assert box[3] <= height + 1e-9
        assert box[2] - box[0] == pytest.approx(box[3] - box[1])


def test_postscript_named_jpg_is_never_handed_to_an_interpreter(tmp_path: Path) -> None:
    program = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    (tmp_path / "a.jpg").write_bytes(program)
    with pytest.raises(BadImageError, match="not an image, or of an unknown kind"):
        decode_whole(tmp_path / "a.jpg")


def test_the_limit_on_pixels_can_be_raised(tmp_path: Path) -> None:
    Image.new("RGB", (60, 50), "red").save(tmp_path / "large.png")
    with pytest.raises(BadImageError, match=r"more than .* are refused \(data\.max_megapixels\)"):
        read_square(tmp_path / "large.png", 16, max_pixels=2_999)
    assert read_square(tmp_path / "large.png", 16, max_pixels=3_000).pixels.max() == 255
