"""The download: no network, taken folders, incomplete copies, and placing a complete one."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from dermaug.data.sources import download
from dermaug.data.sources.download import KAGGLE, _first_hop, download_ham10000, verify_ham10000
from dermaug.errors import DermaugError

REAL = Path(__file__).parents[3] / "../shared/data/HAM10000"
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="needs HAM10000 at ../shared/data")


@pytest.fixture
def closed_port() -> tuple[str, int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return "127.0.0.1", free.getsockname()[1]


@pytest.fixture
def open_port() -> Iterator[tuple[str, int]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield "127.0.0.1", server.getsockname()[1]


@pytest.fixture(scope="module")
def real_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Links to every file of the real set but its masks."""
    copy = tmp_path_factory.mktemp("copy") / "HAM10000"
    copy.mkdir()
    shutil.copy(REAL / "HAM10000_metadata.csv", copy)
    for part in (1, 2):
        folder = copy / f"HAM10000_images_part_{part}"
        folder.mkdir()
        for image in (REAL.resolve() / folder.name).iterdir():
            (folder / image.name).symlink_to(image)
    return copy


def never() -> Path:
    raise AssertionError("nothing may be fetched")


def test_without_a_network_it_says_what_to_do(tmp_path: Path, closed_port: tuple[str, int]) -> None:
    target = tmp_path / "HAM10000"
    with pytest.raises(
        DermaugError, match=r"no network: 127\.0\.0\.1:\d+ does not answer"
    ) as caught:
        download_ham10000(target, closed_port, never)
    told = str(caught.value)
    assert "https://www.kaggle.com/datasets/kmader/skin-cancer-mnist-ham10000" in told
    assert "doi:10.7910/DVN/DBW86T" in told
    assert f"unpack into {target}" in told
    assert not target.exists()


def test_a_resolver_that_never_answers_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Event()

    def silent(*_: object, **__: object) -> None:
        answer.wait(60)
        raise OSError("the resolver gave up")

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    monkeypatch.setattr(download, "PROBE_SECONDS", 0.2)
    with pytest.raises(DermaugError, match=r"does not answer \(nothing within 0\.2 s\)"):
        download_ham10000(tmp_path / "HAM10000", ("resolver.example", 443), never)
    answer.set()


def test_the_proxy_is_asked_where_one_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert _first_hop() == KAGGLE
    monkeypatch.setenv("https_proxy", "http://someone@proxy.example:3128/")
    assert _first_hop() == ("proxy.example", 3128)
    monkeypatch.setenv("https_proxy", "proxy.example")
    assert _first_hop() == ("proxy.example", 80)


def test_a_taken_folder_is_refused(tmp_path: Path, open_port: tuple[str, int]) -> None:
    (tmp_path / "thesis.txt").write_text("three years of work")
    with pytest.raises(DermaugError, match="expected a new or empty folder"):
        download_ham10000(tmp_path, open_port, never)
    with pytest.raises(DermaugError, match="expected a new or empty folder"):
        download_ham10000(tmp_path / "thesis.txt", open_port, never)
    assert (tmp_path / "thesis.txt").read_text() == "three years of work"


def test_an_incomplete_download_is_not_placed(
    tmp_path: Path, open_port: tuple[str, int], ham_folder: object
) -> None:
    fetched = ham_folder()  # type: ignore[operator]
    target = tmp_path / "target"
    with pytest.raises(
        DermaugError, match="expected HAM10000's 10,015 images of 7,470 lesions, found"
    ):
        download_ham10000(target, open_port, lambda: fetched)
    assert not target.exists()


@needs_real
def test_a_complete_copy_passes_and_is_not_fetched_again(open_port: tuple[str, int]) -> None:
    assert len(verify_ham10000(REAL)) == 10_015
    with pytest.raises(DermaugError, match=r"already here and complete .* nothing to download"):
        download_ham10000(REAL, open_port, never)


@needs_real
def test_a_complete_download_is_placed(
    tmp_path: Path, open_port: tuple[str, int], real_copy: Path
) -> None:
    target = tmp_path / "deep" / "HAM10000"
    assert download_ham10000(target, open_port, lambda: real_copy) == target
    assert len(verify_ham10000(target)) == 10_015
    assert "CC BY-NC 4.0" in (target / "ATTRIBUTION.txt").read_text()
    image = "HAM10000_images_part_1/ISIC_0024306.jpg"
    assert (target / image).read_bytes() == (REAL / image).read_bytes()
    # Kaggle's cache is linked, not doubled; a link in it leads elsewhere and is copied.
    assert (target / "HAM10000_metadata.csv").samefile(real_copy / "HAM10000_metadata.csv")
    assert not (target / image).samefile(REAL / image)
    assert [path.name for path in target.parent.iterdir()] == ["HAM10000"]


@needs_real
def test_one_image_fewer_fails(tmp_path: Path, real_copy: Path) -> None:
    copy = tmp_path / "HAM10000"
    shutil.copytree(real_copy, copy, symlinks=True)
    next((copy / "HAM10000_images_part_2").iterdir()).unlink()
    with pytest.raises(DermaugError, match="found 1 finding") as caught:
        verify_ham10000(copy)
    assert "no image file for image_id" in caught.value.details[0]
    lost = caught.value.details[0].split("'")[1]
    metadata = copy / "HAM10000_metadata.csv"
    kept = [line for line in metadata.read_text().splitlines() if lost not in line]
    metadata.write_text("\n".join(kept))
    with pytest.raises(DermaugError, match="with 10,014 of"):
        verify_ham10000(copy)
