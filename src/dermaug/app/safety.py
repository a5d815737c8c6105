"""What the page accepts and sends: uploads, names, numbers, headers."""

import asyncio
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from dermaug.data.image_files import BadImageError, decode
from dermaug.data.safe_names import name_fault
from dermaug.data.squares import resized
from dermaug.errors import DermaugError
from dermaug.host import has_ended, this_host
from dermaug.output_places import require_new_folder
from dermaug.whole_numbers import whole_number

log = logging.getLogger(__name__)
MOST_TOLD = 200
"""Letters of a path that are told."""
_PRIVATE = "dermaug-app-"
UPLOAD_BYTES = 20 * 2**20
UPLOAD_PIXELS = 50_000_000
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

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Served = Callable[[Scope, Receive, Send], Awaitable[None]]


def uploaded_square(content: bytes, size: int) -> UInt8[np.ndarray, "size size 3"]:
    """Decode an uploaded image to its central square, whatever its name says that it is.

    Raises:
        DermaugError: It is too large, no image, damaged, animated, or claims too many pixels.
    """
    if len(content) > UPLOAD_BYTES:
        raise DermaugError(
            f"the file has {_megabytes(len(content))} MB, of which at most "
            f"{_megabytes(UPLOAD_BYTES)} are read"
        )
    try:
        return np.array(resized(decode("the file", content, UPLOAD_PIXELS), size))
    except BadImageError as error:
        raise DermaugError(f"the file cannot be used: {error.reason}") from None


def _megabytes(number: int) -> str:
    """As gradio counts them, in 2^20 bytes."""
    return f"{number / 2**20:.1f}".removesuffix(".0")


def bounded(value: object, low: int, high: int, what: str) -> int:
    """A whole number from the page, which may have sent anything.

    Raises:
        DermaugError: It is not a whole number from `low` to `high`.
    """
    if not isinstance(value, int | float) or not low <= value <= high or value != int(value):
        raise DermaugError(f"{what}: expected a whole number from {low:,} to {high:,}")
    return int(value)


def known(value: str | None, choices: list[str], what: str) -> str:
    """A choice from the page, which may have sent anything.

    Raises:
        DermaugError: It is none of the choices.
    """
    if value not in choices:
        raise DermaugError(f"{what}: expected one of the {len(choices)} choices of the list")
    return str(value)


def new_folder(root: Path, name: str | None) -> Path:
    """A new folder directly below `root`, of a name from the page.

    Raises:
        DermaugError: The name is a path or hidden, or there is such a folder.
    """
    asked = (name or "").strip()
    if (fault := name_fault(asked)) or asked.startswith("."):
        raise DermaugError(
            f"expected the name of a new folder in {root}, but the name "
            f"{fault or 'begins with a dot'}"
        )
    require_new_folder(root / asked)
    return root / asked


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

    def __init__(self, served: Served, port: int, uploads: Path) -> None:
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
        if refused := self._refused(scope):
            await _say(send, *refused)
        elif scope["method"] != "POST" or _header(scope, "content-type").startswith("multipart/"):
            await self.served(scope, receive, send)
        elif not self._names_uploads_only(content := await _body(receive)):
            await _say(send, 403, "only uploaded files may be named")
        else:
            await self.served(scope, _again(content, receive), send)

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

    def _refused(self, scope: Scope) -> tuple[int, str] | None:
        """Status and reason where a request is refused; None where it may pass."""
        pairs = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
        ]
        sent = dict(pairs)
        if sent.get("host") not in self.hosts or sent.get("origin", "") not in {"", *self.origins}:
            return 403, "only the page itself may call its server"
        if "transfer-encoding" in sent:  # the server would read on without an end
            return 411, "a request must say how long it is"
        length = sent.get("content-length", "0")
        if not length.isdecimal() or int(length) > BODY_BYTES:
            return 413, f"at most {_megabytes(UPLOAD_BYTES)} MB can be uploaded"
        return None


def _header(scope: Scope, name: str) -> str:
    found = (value for key, value in scope["headers"] if key.decode("latin-1") == name)
    return next(found, b"").decode("latin-1")


def _paths(tree: Any) -> Iterator[str]:  # noqa: ANN401
    """Whatever a request names as the path of a file."""
    if isinstance(tree, dict):
        if tree.get("path") is not None:
            yield str(tree["path"])
        tree = list(tree.values())
    if isinstance(tree, list):
        for each in tree:
            yield from _paths(each)


async def _body(receive: Receive) -> bytes:
    """The whole content of a request, whose length `Guard` has bounded."""
    content, more = b"", True
    while more:
        message = await receive()
        content += message.get("body", b"")
        more = message.get("more_body", False)
    return content


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


async def _say(send: Send, status: int, text: str) -> None:
    kind = (b"content-type", b"text/plain; charset=utf-8")
    await send({"type": "http.response.start", "status": status, "headers": [kind]})
    await send({"type": "http.response.body", "body": text.encode()})


def private_folder() -> tempfile.TemporaryDirectory[str]:
    """Where uploads and the images that the page shows are kept while it is open.

    What a page left that was killed is removed.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{_PRIVATE}*@{this_host()}-*"):
        pid = whole_number(left.name.removeprefix(_PRIVATE).partition("@")[0])
        if pid is not None and has_ended(this_host(), pid):
            shutil.rmtree(left, ignore_errors=True)
    prefix = f"{_PRIVATE}{os.getpid()}@{this_host()}-"
    return tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
