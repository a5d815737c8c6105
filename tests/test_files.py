import os
from pathlib import Path

import pytest

from dermaug.errors import DermaugError
from dermaug.files import (
    Record,
    expanded,
    known_sha256,
    read_json,
    read_record,
    sha256,
    write_json,
    write_sealed,
)


def test_empty_path_is_not_the_current_folder() -> None:
    for path in ("", " "):
        with pytest.raises(DermaugError, match="output is empty; expected a path"):
            expanded(path, "output")


@pytest.mark.parametrize(("content", "expected"), [(None, "found none"), ("{", "not valid JSON")])
def test_json_that_cannot_be_read(tmp_path: Path, content: str | None, expected: str) -> None:
    path = tmp_path / "a.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(DermaugError, match=expected):
        read_json(path)


def test_sha256_of_known_text(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(tmp_path / "abc") == known


@pytest.mark.parametrize("content", ["[]", "3", "null", "[" * 100_000])
def test_record_that_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DermaugError, match=r"a\.json"):
        read_record(tmp_path / "a.json")
    with pytest.raises(DermaugError, match="cannot be read"):
        read_json(tmp_path)


def test_name_that_is_no_utf8_comes_back_from_json(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.jpg")
    write_json(tmp_path / "a.json", {"file": name})
    assert read_record(tmp_path / "a.json") == {"file": name}


def test_known_digest_follows_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one")
    assert known_sha256(path) == known_sha256(path) == sha256(path)
    path.write_bytes(b"two")
    os.utime(path, ns=(0, 1))  # a clock may tick too slowly to tell the two writes apart
    assert known_sha256(path) == sha256(path)


class Noted(Record):
    name: str
    number: int
    parts: tuple[float, ...] = ()


def test_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    record = Noted(name=os.fsdecode(b"\xff.jpg"), number=1, parts=(1, 2.5))
    record.write(tmp_path / "a.json")
    assert Noted.read(tmp_path / "a.json") == record


def test_every_odd_entry_of_a_record_is_listed(tmp_path: Path) -> None:
    write_sealed(tmp_path / "a.json", {"number": "1", "parts": [1, True], "more": 1})
    with pytest.raises(DermaugError, match="the content is not what dermaug wrote") as caught:
        Noted.read(tmp_path / "a.json")
    odd = [line.split(":")[0] for line in caught.value.details]
    assert odd == ["name", "number", "parts.1", "more"]


def test_home_of_nobody_is_said() -> None:
    assert expanded("~/x", "data.source") == Path.home() / "x"
    with pytest.raises(DermaugError, match=r"data\.source '~nobody-of-that-name/x': expected"):
        expanded("~nobody-of-that-name/x", "data.source")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(DermaugError, match=r"a\.json: expected a file, found a pipe"):
        read_json(tmp_path / "a.json")


def test_a_byte_order_mark_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("3", encoding="utf-8-sig")
    assert read_json(tmp_path / "a.json") == 3
