"""What the page refuses: uploads, names, numbers, requests of others."""

import asyncio
import io
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dermaug.app.safety import (
    BODY_BYTES,
    UPLOAD_BYTES,
    Guard,
    bounded,
    known,
    new_folder,
    private_folder,
    uploaded_square,
)
from dermaug.errors import DermaugError

HOST = [(b"host", b"127.0.0.1:7860")]
UPLOADS = Path("/tmp/uploads")


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


def answered(
    headers: list[tuple[bytes, bytes]], method: str = "GET", body: bytes = b""
) -> tuple[int, dict[str, str]]:
    """Status and headers that the guard answers a request with."""

    async def served(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["body"] == body
        kind = [(b"content-type", b"text/html"), (b"Cache-Control", b"public")]
        await send({"type": "http.response.start", "status": 200, "headers": kind})
        await send({"type": "http.response.body", "body": b""})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    scope = {"type": "http", "method": method, "headers": headers}
    asyncio.run(Guard(served, 7860, UPLOADS)(scope, receive, send))
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (HOST, 200),
        ([(b"host", b"localhost:7860"), (b"origin", b"http://localhost:7860")], 200),
        ([(b"host", b"evil.example")], 403),
        ([], 403),
        ([*HOST, (b"origin", b"https://evil.example")], 403),
        ([*HOST, (b"origin", b"null")], 403),
        ([*HOST, (b"content-length", str(BODY_BYTES + 1).encode())], 413),
        ([*HOST, (b"content-length", b"-1")], 413),
        ([*HOST, (b"transfer-encoding", b"chunked")], 411),
    ],
)
def test_the_page_answers_itself_only_and_small_requests_only(
    headers: list[tuple[bytes, bytes]], status: int
) -> None:
    found, sent = answered(headers)
    assert found == status
    assert sent["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in sent["content-security-policy"]
    assert "http" not in sent["content-security-policy"]  # nothing from elsewhere
    assert sent["cache-control"] == "no-store"
    assert "Cache-Control" not in sent


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (UPLOADS / "0a1b/lesion.jpg", 200),
        ("/etc/passwd", 403),
        (UPLOADS / "../other/lesion.jpg", 403),
        ("lesion.jpg", 403),
        ("https://example.org/lesion.jpg", 403),
        (f"http://127.0.0.1:7999{'/..' * 20}{UPLOADS}/lesion.jpg", 403),
        ("\0", 403),
    ],
)
def test_files_that_were_not_uploaded_cannot_be_named(path: str | Path, status: int) -> None:
    for file in ({"path": str(path)}, {"path": str(path), "meta": {"_type": "gradio.FileData"}}):
        content = json.dumps({"data": ["a", [{"image": file}]]}).encode()
        assert answered(HOST, "POST", content)[0] == status
        kind = (b"content-type", b"multipart/form-data; boundary=x")  # an upload, read elsewhere
        assert answered([*HOST, kind], "POST", content)[0] == 200


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000])
def test_what_is_not_json_is_refused(content: bytes) -> None:
    assert answered(HOST, "POST", content)[0] == 403
    assert answered(HOST, "POST", b"")[0] == 200


@pytest.mark.parametrize("error", [KeyError("show"), asyncio.CancelledError()])
def test_a_request_that_fails_leaves_no_trace_in_the_terminal(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    ended: list[Any] = []

    async def served(scope: Any, receive: Any, send: Any) -> None:
        raise error

    async def send(message: Any) -> None:
        ended.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    scope = {"type": "http", "method": "GET", "path": "/call/\nshow", "headers": HOST}
    asyncio.run(Guard(served, 7860, UPLOADS)(scope, receive, send))
    lines = [f"refused: GET '/call/\\nshow' ({type(error).__name__})"]
    closed = isinstance(error, asyncio.CancelledError)  # the page is closed: nothing to say
    assert caplog.messages == ([] if closed else lines)
    assert bool(ended) == closed
    assert all(record.exc_info is None for record in caplog.records)


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
