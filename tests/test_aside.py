"""Files and folders appear whole or not at all, as private as what they replace."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from dermaug.aside import folder_written_aside, free_name, sweep, watch, written_aside
from dermaug.errors import DermaugError
from dermaug.files import write_json, write_text
from dermaug.host import this_host


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
        with folder_written_aside(tmp_path / "set", replaces=True) as aside:
            (aside / name).write_text(name)
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["new"]


def test_sweep_removes_only_what_a_kill_left(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / ".partial-x-1").mkdir()
    (tmp_path / ".partial-a-2.json").write_text("{")
    write_json(tmp_path / "deep" / "kept.json", {"a": 1})
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["deep", "kept.json"]


def test_sweep_leaves_what_a_living_process_writes(tmp_path: Path) -> None:
    with written_aside(tmp_path / "a.txt") as aside:
        aside.write_text("half")
        sweep(tmp_path)
        aside.write_text("whole")
    assert (tmp_path / "a.txt").read_text() == "whole"


def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    with pytest.raises(DermaugError, match=r"a\.json: expected a file to write, found a folder"):
        write_json(tmp_path / "a.json", 1)
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_errors_name_what_was_to_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for place in (Path("new.csv"), tmp_path / "new.csv"):
        with pytest.raises(NotADirectoryError) as told, written_aside(place) as aside:
            (aside / "below").touch()
        assert told.value.filename == str(place / "below")
    for place in (Path("new"), tmp_path / "new"):
        with pytest.raises(DermaugError) as refused, folder_written_aside(place) as aside:
            raise DermaugError(f"{aside / 'a.csv'}: no", [f"{aside}"])
        assert str(refused.value) == f"{place / 'a.csv'}: no\n  {place}"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError) as told:
        write_text(tmp_path / "new.csv", "a")
    assert told.value.filename == str(tmp_path / "new.csv")


def test_a_folder_that_appeared_meanwhile_stays_and_the_output_is_kept_beside_it(
    tmp_path: Path,
) -> None:
    def write() -> None:
        with folder_written_aside(tmp_path / "set") as aside:
            (aside / "drawn").touch()
            (tmp_path / "set").mkdir()
            (tmp_path / "set" / "notes.txt").write_text("precious")

    with pytest.raises(DermaugError, match=r"set: expected that nothing else .* whole in .*set-2"):
        write()
    assert (tmp_path / "set" / "notes.txt").read_text() == "precious"
    assert [path.name for path in (tmp_path / "set-2").iterdir()] == ["drawn"]
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("meanwhile", ["a file", "a link"])
def test_whatever_appeared_in_place_of_a_folder_stays(tmp_path: Path, meanwhile: str) -> None:
    place = tmp_path / "set"
    with pytest.raises(DermaugError, match="set-2"), folder_written_aside(place):
        place.touch() if meanwhile == "a file" else place.symlink_to(tmp_path / "nowhere")
    assert place.is_symlink() or place.is_file()


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    with folder_written_aside(tmp_path / "set") as aside:
        (aside / "drawn").touch()
        (tmp_path / "set").mkdir()
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["drawn"]


def test_a_watched_file_that_changed_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    watch(path)
    write_text(path, "ours")
    write_text(path, "ours again")
    path.write_text("of another program")
    with pytest.raises(DermaugError, match=r"p\.csv: expected that nothing else .*p-2\.csv"):
        write_text(path, "ours once more")
    assert path.read_text() == "of another program"
    assert (tmp_path / "p-2.csv").read_text() == "ours once more"


def test_a_free_name_is_taken_by_nothing(tmp_path: Path) -> None:
    (tmp_path / "a-2.toml").symlink_to("nowhere")
    assert free_name(tmp_path / "a.toml") == tmp_path / "a-3.toml"
    assert free_name(tmp_path / "a") == tmp_path / "a-2"


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_the_umask_is_respected(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_text(tmp_path / "key.json", "{}")
        with folder_written_aside(tmp_path / "set") as aside:
            write_text(aside / "deep" / "a", "")
    finally:
        os.umask(before)
    assert mode(tmp_path / "key.json") == mode(tmp_path / "set" / "deep" / "a") == 0o666 & ~umask
    assert mode(tmp_path / "set") == mode(tmp_path / "set" / "deep") == 0o777 & ~umask


def test_the_mode_of_a_file_that_is_replaced_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_text(path, "private")
    path.chmod(0o600)
    with written_aside(path) as aside:
        assert mode(aside) == 0o600
    assert mode(path) == 0o600


def test_leftovers_of_ended_processes_beside_an_output_are_swept(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    of_others = f".partial-1@elsewhere.0-set-{1:08x}"
    left = f".partial-{ended.pid}@{this_host()}-set-{2:08x}"
    other = f".partial-{ended.pid}@{this_host()}-another-{3:08x}"
    for name in (of_others, left, other, ".partial-set-notes"):
        (tmp_path / name / "images").mkdir(parents=True)
    with folder_written_aside(tmp_path / "set"):
        pass
    there = {path.name for path in tmp_path.iterdir()}
    assert there == {"set", of_others, other, ".partial-set-notes"}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
