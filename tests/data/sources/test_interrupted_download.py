"""A download that is cut, or arrives damaged: kagglehub itself, and a server on this machine."""

import base64
import contextlib
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from dermaug.data.sources.download import _fetch_from_kaggle
from dermaug.errors import DermaugError


class Kaggle(ThreadingHTTPServer):
    """Serves one archive as Kaggle does; may cut it, or alter it on the way."""

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.content, self.starts, self.cut, self.altered = content, list[int](), False, False


class Answer(BaseHTTPRequestHandler):
    server: Kaggle

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("GetDataset"):
            told = json.dumps({"currentVersionNumber": 1}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)
        else:
            self._send(0)

    def do_GET(self) -> None:
        self._send(int(self.headers["Range"].removeprefix("bytes=").removesuffix("-")))

    def _send(self, start: int) -> None:
        self.server.starts.append(start)
        content = self.server.content
        digest = base64.b64encode(hashlib.md5(content).digest()).decode()
        if self.server.altered:
            content = content[:-1] + b"?"
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", "application/zip")
        self.send_header("Content-Length", str(len(content) - start))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("x-goog-hash", f"md5={digest}")
        self.end_headers()
        end = len(content) // 2 if self.server.cut else len(content)
        with contextlib.suppress(OSError):  # who resumes closes the first answer unread
            self.wfile.write(content[start:end])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def kaggle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kaggle]:
    from kagglesdk import kaggle_env

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("HAM10000_metadata.csv", "lesion_id,image_id,dx\n")
        archive.writestr("noise", hashlib.shake_256(b"noise").digest(3 << 20))
    with Kaggle(packed.getvalue()) as server:
        here = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.LOCAL, here)
        monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "LOCALHOST")
        monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_download_that_is_cut_is_said_and_goes_on_where_it_ended(
    kaggle: Kaggle, tmp_path: Path
) -> None:
    kaggle.cut = True
    with pytest.raises(DermaugError, match="run the same command again to resume"):
        _fetch_from_kaggle()
    half = len(kaggle.content) // 2
    (kept,) = tmp_path.rglob("*.archive")
    assert 0 < kept.stat().st_size <= half
    resumed_from, kaggle.cut = kept.stat().st_size, False
    found = _fetch_from_kaggle()
    assert resumed_from in kaggle.starts
    assert sorted(path.name for path in found.iterdir()) == ["HAM10000_metadata.csv", "noise"]
    assert not list(tmp_path.rglob("*.archive"))


def test_a_download_with_another_digest_is_deleted_and_said(kaggle: Kaggle, tmp_path: Path) -> None:
    kaggle.altered = True
    with pytest.raises(DermaugError, match=r"failed \(DataCorruptionError"):
        _fetch_from_kaggle()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    kaggle.altered = False
    assert (_fetch_from_kaggle() / "noise").stat().st_size == 3 << 20
