"""Outputs replace earlier outputs of the same command, and nothing else."""

from pathlib import Path

import pytest

from dermaug.errors import DermaugError
from dermaug.experiment.run.layout import RunFolder
from dermaug.files import write_text
from dermaug.output_places import (
    require_new_folder,
    require_output_file,
    require_output_folder,
    require_outside,
    require_writable,
)
from dermaug.report.page import MARK, require_report_place


def page(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<title>Does it help? – {MARK}: tiny</title>")
    return path


def test_a_file_is_replaced_if_it_is_an_earlier_output(tmp_path: Path) -> None:
    require_output_file(tmp_path / "new.csv", ".csv", "file,label,")
    (tmp_path / "mine.csv").write_text("image,lesion\n")
    (tmp_path / "ours.csv").write_text("file,label,mel,nv\n")
    require_output_file(tmp_path / "ours.csv", ".csv", "file,label,")
    for name, told in (
        ("mine.csv", "found another file"),
        ("photo.png", "expected the name of a .csv file"),
        ("ours", "expected the name of a .csv file"),
        (".", "found a folder"),
    ):
        with pytest.raises(DermaugError, match=told):
            require_output_file(tmp_path / name, ".csv", "file,label,")


def test_files_of_a_folder_are_replaced_if_they_are_an_earlier_output(tmp_path: Path) -> None:
    names = ("audit.html", "audit.csv")
    require_output_folder(tmp_path, names, "audit.html", MARK)
    (tmp_path / "audit.csv").write_text("mine")
    with pytest.raises(DermaugError, match=r"found audit\.csv of something else"):
        require_output_folder(tmp_path, names, "audit.html", MARK)
    page(tmp_path / "audit.html")
    require_output_folder(tmp_path, names, "audit.html", MARK)
    with pytest.raises(DermaugError, match="expected a folder for the output, found a file"):
        require_output_folder(tmp_path / "audit.html", names, "audit.html", MARK)


@pytest.mark.parametrize("place", [".", "summary"])
def test_no_output_lies_in_the_data_set(tmp_path: Path, place: str) -> None:
    with pytest.raises(DermaugError, match="expected a folder outside of the images"):
        require_output_folder(tmp_path / place, (), "", MARK, tmp_path)
    require_output_folder(tmp_path.parent / "elsewhere", (), "", MARK, tmp_path)


def test_a_report_replaces_no_record_and_no_other_run(tmp_path: Path) -> None:
    run, other = tmp_path / "run", tmp_path / "other"
    for folder in (run, other):
        (folder / "scoring").mkdir(parents=True)
        RunFolder(folder).experiment.write_text("{}")
    require_report_place(run, run / "again.html")
    require_report_place(run, tmp_path / "new" / "report.html")
    require_report_place(run, page(run / "report.html"))
    for output, told in (
        (RunFolder(run).experiment, "expected the name of a .html file"),
        (other / "again.html", "found that of another run"),
        (page(other / "report.html"), "found that of another run"),
    ):
        with pytest.raises(DermaugError, match=told):
            require_report_place(run, output)
    (tmp_path / "mine" / "scoring").mkdir(parents=True)
    with pytest.raises(DermaugError, match="found scoring of something else"):
        require_report_place(run, tmp_path / "mine" / "report.html")
    require_report_place(run, page(tmp_path / "mine" / "report.html"))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        *(("figures", found) for found in ("a file", "a link", "a link to nothing")),
        *(("scoring", "a file"), ("audit", "a file")),
        *(("report.html", "a folder"), ("audit.csv", "a folder")),
    ],
)
def test_places_are_looked_at_before_the_work(tmp_path: Path, name: str, found: str) -> None:
    run, place = tmp_path / "run", tmp_path / "run" / name
    run.mkdir()
    require_report_place(run)
    if found == "a file":
        place.write_text("x")
    elif found == "a folder":
        place.mkdir()
    else:
        place.symlink_to(tmp_path if found == "a link" else tmp_path / "absent")
    with pytest.raises(DermaugError, match=f"{place}: expected a .* found {found[:6]}"):
        require_report_place(run)


def test_links_within_a_folder_of_outputs_are_followed(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "figures").symlink_to(tmp_path / "deep")
    require_report_place(tmp_path)


def test_another_output_that_appeared_during_the_work_stays(tmp_path: Path) -> None:
    require_output_folder(tmp_path, ("audit.html", "audit.csv"), "audit.html", MARK)
    require_output_file(tmp_path / "p.csv", ".csv", "file,label,")
    write_text(tmp_path / "audit.html", "ours")
    for name in ("audit.csv", "p.csv"):
        (tmp_path / name).write_text("file,label,\n")
        with pytest.raises(DermaugError, match=f"{name}: expected that nothing else"):
            write_text(tmp_path / name, "ours")
        assert (tmp_path / name).read_text() == "file,label,\n"
    require_output_file(tmp_path / "p.csv", ".csv", "file,label,")  # the next command
    write_text(tmp_path / "p.csv", "ours")
    assert (tmp_path / "p.csv").read_text() == "ours"


def test_output_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(DermaugError, match="cannot write to the output folder"):
        require_writable(tmp_path / "runs" / "x")


def test_probe_of_an_output_folder_leaves_nothing_behind(tmp_path: Path) -> None:
    require_writable(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "kept").mkdir()
    require_writable(tmp_path / "kept")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_new_folder_is_refused_where_it_would_replace_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("")
    for taken in (".", "loop", "file", "full", "x" * 300):
        with pytest.raises(DermaugError, match="expected a new or empty folder"):
            require_new_folder(Path(taken))
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("empty")
    with pytest.raises(DermaugError, match="found a link"):
        require_new_folder(Path("link"))
    require_new_folder(Path("empty"))
    require_new_folder(Path("absent"))


def test_nothing_lies_beside_a_single_file(tmp_path: Path) -> None:
    (tmp_path / "set.parquet").touch()
    require_outside(tmp_path / "out", tmp_path / "set.parquet")
    require_outside(tmp_path, tmp_path / "set")
