"""What the page refuses: uploads, names, numbers."""

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dermaug.app.safety import (
    UPLOAD_BYTES,
    bounded,
    known,
    new_folder,
    private_folder,
    uploaded_square,
)
from dermaug.errors import DermaugError


def picture(kind: str = "PNG", side: int = 40) -> bytes:
    memory = io.BytesIO()
    Image.fromarray(np.full((side, side + 8, 3), 90, np.uint8)).save(memory, kind)
    return memory.getvalue()


def bomb() -> bytes:
    """A PNG of a few bytes whose header claims 3,600 million pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
def test_images_are_decoded_by_their_content(kind: str) -> None:
    assert uploaded_square(picture(kind), 32).shape == (32, 32, 3)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "web page"),
        (b"<!doctype html><script>alert(1)</script>", "web page"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
        (b"\x00" * (UPLOAD_BYTES + 1), "at most 20"),
        (b"", "not an image"),
        (picture()[:60], "truncated"),
    ],
)
def test_what_is_no_image_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(DermaugError, match=reason):
        uploaded_square(content, 32)


def test_a_bomb_is_refused_by_its_header() -> None:
    with pytest.raises(DermaugError, match="million"):
        uploaded_square(bomb(), 32)


@pytest.mark.parametrize(
    "name",
    ["../out", "/etc/out", "a/b", "a\\b", "..", ".hidden", "", None, "x\ny", "c:x", "é" * 200],
)
def test_a_folder_lies_directly_below_its_root(tmp_path: Path, name: str | None) -> None:
    with pytest.raises(DermaugError, match="name of a new folder"):
        new_folder(tmp_path, name)


def test_a_folder_in_use_is_not_written_to(tmp_path: Path) -> None:
    assert new_folder(tmp_path, " chosen ") == tmp_path / "chosen"
    (tmp_path / "chosen").mkdir()
    (tmp_path / "chosen" / "file").touch()
    with pytest.raises(DermaugError, match="in use"):
        new_folder(tmp_path, "chosen")


@pytest.mark.parametrize(
    "value", [1e9, 0, 65, -1, 2.5, None, float("nan"), float("inf"), "a", [], {}]
)
def test_numbers_are_bounded(value: object) -> None:
    with pytest.raises(DermaugError, match="whole number from 1 to 64"):
        bounded(value, 1, 64, "images")
    assert bounded(64.0, 1, 64, "images") == 64


def test_a_choice_is_one_of_the_list() -> None:
    with pytest.raises(DermaugError, match="network"):
        known("../../x", ["a", "b"], "network")


def test_what_a_killed_page_left_is_removed_and_what_lives_stays() -> None:
    killed = "import os, signal; from dermaug.app.safety import private_folder as p; f = p();"
    killed += "print(f.name, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    ended = subprocess.run([sys.executable, "-c", killed], capture_output=True, text=True)
    left = Path(ended.stdout.strip())
    assert left.is_dir()
    with private_folder() as one, private_folder() as other:
        assert not left.exists()
        assert Path(one).is_dir()
        assert Path(other).is_dir()
