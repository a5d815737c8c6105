import os
from pathlib import Path

import pytest

from dermaug.errors import DermaugError
from dermaug.files import (
    folder_written_aside,
    read_json,
    require_writable,
    sha256,
    sweep,
    write_json,
    written_aside,
)


def test_failed_write_keeps_the_previous_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")

    def write_half() -> None:
        with written_aside(path) as aside:
            aside.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["a.txt"]  # noqa: PTH208


def test_failed_folder_leaves_nothing(tmp_path: Path) -> None:
    def write_half() -> None:
        with folder_written_aside(tmp_path / "set") as aside:
            (aside / "one").write_text("1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_folder_is_replaced_whole(tmp_path: Path) -> None:
    for name in ("old", "new"):
        with folder_written_aside(tmp_path / "set") as aside:
            (aside / name).write_text(name)
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["new"]


def test_sweep_removes_only_what_a_kill_left(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / ".partial-x-1").mkdir()
    (tmp_path / ".partial-a-2.json").write_text("{")
    write_json(tmp_path / "deep" / "kept.json", {"a": 1})
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["deep", "kept.json"]


@pytest.mark.parametrize(("content", "expected"), [(None, "found none"), ("{", "not valid JSON")])
def test_json_that_cannot_be_read(tmp_path: Path, content: str | None, expected: str) -> None:
    path = tmp_path / "a.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(DermaugError, match=expected):
        read_json(path)


def test_output_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(DermaugError, match="cannot write to the output folder"):
        require_writable(tmp_path / "runs" / "x")


def test_sha256_of_known_text(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(tmp_path / "abc") == known
