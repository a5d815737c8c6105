"""The server of the page answers its own address only, small requests only, with its headers."""

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dermaug.app.safety import UPLOAD_BYTES, megabytes

log = logging.getLogger(__name__)
MOST_TOLD = 200
"""Letters of a path that are told."""
BODY_BYTES = UPLOAD_BYTES + 100_000
"""Largest request: an upload and what the browser writes around it."""
CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",  # gradio's page needs both
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """ASGI: the page answers its own address only, small requests only, with its headers.

    Another site that a browser has open can neither call the page (its `Origin` differs) nor reach
    it by a name that it points to this machine (the `Host` differs). Files that a request names
    must have been uploaded: gradio checks that only in servers which it starts itself.

    Args:
        served: The page.
        port: Port of the page.
        uploads: Folder of the uploaded files and of the images that the page shows.
    """

    def __init__(self, served: ASGIApp, port: int, uploads: Path) -> None:
        self.served, self.uploads = served, uploads.resolve()
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self.origins = {f"http://{host}" for host in self.hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self.served(scope, receive, send)
        elif scope["type"] != "http":
            raise RuntimeError(f"the page has no {scope['type']}")
        else:
            try:
                await self._answer(scope, receive, _with_headers(send))
            except asyncio.CancelledError:  # the page is closed while a browser listens
                with suppress(Exception):
                    await send({"type": "http.response.body"})
            except Exception as error:  # answered with its status; its trace helps nobody here
                method, path = scope["method"], scope["path"]
                log.warning("refused: %s %r (%s)", method, path[:MOST_TOLD], type(error).__name__)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        kind = headers.get("content-type", "")
        refused = self._refused(headers)
        if not refused and scope["method"] == "POST" and not kind.startswith("multipart/"):
            content = await Request(scope, receive).body()
            receive = _again(content, receive)
            if not self._names_uploads_only(content):
                refused = 403, "only uploaded files may be named"
        if refused:
            status, reason = refused
            await PlainTextResponse(reason, status)(scope, receive, send)
        else:
            await self.served(scope, receive, send)

    def _names_uploads_only(self, content: bytes) -> bool:
        try:
            paths = list(_paths(json.loads(content or b"null")))
            # An address of the network is no absolute path, wherever its dots lead.
            return all(
                Path(path).is_absolute() and Path(path).resolve().is_relative_to(self.uploads)
                for path in paths
            )
        except (ValueError, RecursionError, OSError):  # no JSON, nested without end, no path
            return False

    def _refused(self, headers: Headers) -> tuple[int, str] | None:
        """Status and reason where a request is refused; None where it may pass."""
        is_own = headers.get("host") in self.hosts
        if not is_own or not {"", *self.origins}.issuperset(headers.getlist("origin")):
            return 403, "only the page itself may call its server"
        if "transfer-encoding" in headers:  # the server would read on without an end
            return 411, "a request must say how long it is"
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > BODY_BYTES:
            return 413, f"at most {megabytes(UPLOAD_BYTES)} MB can be uploaded"
        return None


def _paths(tree: Any) -> Iterator[str]:  # noqa: ANN401
    """Whatever a request names as the path of a file."""
    if isinstance(tree, dict):
        if tree.get("path") is not None:
            yield str(tree["path"])
        tree = list(tree.values())
    if isinstance(tree, list):
        for each in tree:
            yield from _paths(each)


def _again(content: bytes, receive: Receive) -> Receive:
    """Give a content that was read once more, then go on as before."""
    kept: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def receiving() -> Message:
        return kept.pop() if kept else await receive()

    return receiving


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            others = [
                pair for pair in message["headers"] if pair[0].lower().decode() not in HEADERS
            ]
            own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            message = {**message, "headers": [*others, *own]}
        await send(message)

    return sending
