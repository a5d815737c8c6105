"""Which source reads a path, and what is said when none does."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dermaug.data.sources import SOURCES, open_catalog
from dermaug.errors import DermaugError


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DermaugError, match="found nothing; check the path"):
        open_catalog(tmp_path / "absent")
    with pytest.raises(DermaugError, match=r"cannot be read|found nothing"):
        open_catalog(tmp_path / ("long" * 1_000))


def test_an_unknown_path_is_told_what_each_source_looked_for(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no data set")
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(DermaugError, match="not a supported data set") as caught:
            open_catalog(path)
        assert len(caught.value.details) == len(SOURCES)
        for detail, (name, source) in zip(caught.value.details, SOURCES.items(), strict=True):
            assert detail == f"{name}: looked for {source.looks_for}"


def test_names_that_are_not_utf8_are_listed(tmp_path: Path, jpeg: bytes) -> None:
    for name in (b"mel/1.jpg", b"nv/\xe9.jpg", b"nv/2.jpg"):
        image = tmp_path / os.fsdecode(name)
        image.parent.mkdir(exist_ok=True)
        try:
            image.write_bytes(jpeg)
        except OSError:
            pytest.skip("this file system takes UTF-8 only")
    with pytest.raises(DermaugError, match="expected names in UTF-8, found others") as caught:
        open_catalog(tmp_path)
    assert caught.value.details == (str(tmp_path / os.fsdecode(b"nv/\xe9.jpg")),)


def test_a_link_in_a_circle_beside_the_data_is_no_concern_of_theirs(
    tmp_path: Path, jpeg: bytes
) -> None:
    for name in ("images/mel/1.jpg", "images/nv/2.jpg"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(jpeg)
    (tmp_path / "loop").symlink_to("loop")
    assert len(open_catalog(tmp_path / "images")) == 2


def test_hints(tmp_path: Path, jpeg: bytes) -> None:
    inside = tmp_path / "inside" / "mel"
    inside.mkdir(parents=True)
    (inside / "1.jpg").write_bytes(jpeg)
    (tmp_path / "set.zip").write_bytes(b"")
    with pytest.raises(DermaugError) as caught:
        open_catalog(tmp_path)
    assert caught.value.details[-2:] == (
        f"did you mean {tmp_path / 'inside'}?",
        "set.zip is not a readable archive: download it again",
    )


@pytest.mark.parametrize("name", ["set.tar", "set.tar.gz", "SET.7Z"])
def test_an_archive_that_is_not_read_in_place_is_to_be_unpacked(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"packed")
    for path in (tmp_path / name, tmp_path):
        with pytest.raises(DermaugError, match="not a supported data set") as caught:
            open_catalog(path)
        assert caught.value.details == (f"unpack first: {name}",)


def test_image_folders_without_their_table_are_no_classes(tmp_path: Path, jpeg: bytes) -> None:
    for part in (1, 2):
        folder = tmp_path / f"HAM10000_images_part_{part}"
        folder.mkdir()
        (folder / f"{part}.jpg").write_bytes(jpeg)
    with pytest.raises(DermaugError, match="not a supported data set"):
        open_catalog(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    with pytest.raises(DermaugError, match="closed: cannot be read"):
        open_catalog(closed)


def test_a_link_that_leads_back_ends(tmp_path: Path, jpeg: bytes) -> None:
    (tmp_path / "mel").mkdir()
    (tmp_path / "mel/1.jpg").write_bytes(jpeg)
    (tmp_path / "nv").mkdir()
    (tmp_path / "nv/again").symlink_to(tmp_path)
    with pytest.raises(DermaugError, match="is a link to a folder in which it lies"):
        open_catalog(tmp_path)


def test_links_in_a_circle_through_several_folders_end(tmp_path: Path, jpeg: bytes) -> None:
    for one, other in (("mel", "nv"), ("nv", "mel")):
        (tmp_path / one).mkdir()
        (tmp_path / one / f"{one}.jpg").write_bytes(jpeg)
        (tmp_path / one / "other").symlink_to(tmp_path / other)
    with pytest.raises(DermaugError, match=r"mel/other/nv\.jpg: image not directly in a class"):
        open_catalog(tmp_path)


@pytest.mark.parametrize("name", ["pipe.csv", "pipe.parquet", "pipe.npz", "pipe"])
def test_a_pipe_is_no_data_set(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(DermaugError, match="expected a file, found a pipe"):
        open_catalog(tmp_path / name)


def test_tables_of_other_data_sets_are_none_of_a_folder_named_images(
    tmp_path: Path, jpeg: bytes
) -> None:
    for name in ("mine/images/mel/1.jpg", "mine/images/nv/2.jpg", "mine/other/images/3.jpg"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(jpeg)
    for table in ("list.csv", "mine/other/list.csv"):
        (tmp_path / table).write_text("picture,finding\n3.jpg,nv\n")
    assert open_catalog(tmp_path / "mine" / "images").classes == ("mel", "nv")


def test_tables_beside_a_folder_of_images_are_named(tmp_path: Path, jpeg: bytes) -> None:
    (tmp_path / "dataset" / "images").mkdir(parents=True)
    for number in range(4):
        (tmp_path / f"dataset/images/{number}.jpg").write_bytes(jpeg)
    rows = "".join(f"{number}.jpg,{'ab'[number % 2]}\n" for number in range(4))
    (tmp_path / "dataset" / "cases.csv").write_text(f"picture,kind\n{rows}")
    with pytest.raises(DermaugError) as caught:
        open_catalog(tmp_path)
    (line,) = caught.value.details
    assert "--image-column picture --label-column COLUMN" in line


HEADERS = {
    "HAM10000_metadata.csv": b"lesion_id,image_id,dx,dx_type,age,sex,localization\n",
    "metadata.csv": b"file_name,label,lesion_id,age\n",
    "hmnist_28_28_RGB.csv": b"",
}
CELLS = st.sampled_from([",", "\n", '"', "1", "1.jpg", "L", "nv", "NA", "-5", "../x", "\0", "\r\n"])
BODIES = st.binary(max_size=40) | st.lists(CELLS, max_size=40).map(lambda c: "".join(c).encode())


@given(name=st.sampled_from(sorted(HEADERS)), body=BODIES, with_header=st.booleans())
@settings(max_examples=200, deadline=None)
def test_no_table_raises_anything_but_the_projects_error(
    name: str, body: bytes, with_header: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "1.jpg").write_bytes(b"")
        Path(folder, name).write_bytes(HEADERS[name] * with_header + body)
        try:
            catalog = open_catalog(Path(folder, name))
        except DermaugError:
            return
        assert catalog.table["image_id"].tolist() == ["1"]


def test_images_alone_and_empty_folders_are_told_in_one_line(tmp_path: Path, jpeg: bytes) -> None:
    with pytest.raises(DermaugError) as caught:
        open_catalog(tmp_path)
    assert caught.value.details == (f"{tmp_path} is empty; check the path, or the download",)
    (tmp_path / "1.jpg").write_bytes(jpeg)
    with pytest.raises(DermaugError) as caught:
        open_catalog(tmp_path)
    (line,) = caught.value.details
    assert "nothing tells their classes: put them into one sub-folder per class" in line
