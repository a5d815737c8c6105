"""Which requests the server of the page refuses."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="NOT TESTED: no gradio")
from dermaug.app.guard import BODY_BYTES, Guard

HOST = [(b"host", b"127.0.0.1:7860")]
UPLOADS = Path("/tmp/uploads")


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
