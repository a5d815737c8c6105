"""Strict reading of tables: encodings, separators, ragged rows, broken quotes."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dermaug.data.findings import LISTED_FINDINGS, Findings
from dermaug.data.metadata import Sheet, read_sheet
from dermaug.errors import DermaugError

TEXT = 'name,label\none,mel\n"two, three",NA\n'


def read(path: Path, content: bytes) -> Sheet:
    path.write_bytes(content)
    findings = Findings()
    sheet = read_sheet(path, ("name", "label"), findings)
    findings.stop("table")
    return sheet


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        b"sep=;\r\n"
        + TEXT.replace("one,", "one;").replace("e,l", "e;l").replace('",', '";').encode(),
        TEXT.replace("\n", ",,\n").encode() + b",,,\n",
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r\n").encode("utf-16"),
        TEXT.replace("\n", "\r").encode(),
        TEXT.replace("\n", "\n\n").encode(),
        b'"name"\t"label"\n"one"\t"mel"\n"two, three"\tNA\n',
        b'name;label\none;mel\n"two, three";NA\n',
        b'name , label\n one,mel \n"two, three",NA',
    ],
    ids=[
        "utf8",
        "bom",
        "utf16",
        "utf16-le",
        "utf16-be",
        "separator-named",
        "empty-columns",
        "crlf",
        "utf16-crlf",
        "cr",
        "blank-lines",
        "tabs",
        "semicolons",
        "blanks",
    ],
)
def test_same_cells_in_every_encoding(tmp_path: Path, content: bytes) -> None:
    sheet = read(tmp_path / "table.csv", content)
    assert sheet.columns == ("name", "label")
    assert [dict(row.cells) for row in sheet.rows] == [
        {"name": "one", "label": "mel"},
        {"name": "two, three", "label": "NA"},
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no column 'name'"),
        (b"name,lable\none,mel\n", "no column 'label'; is it 'lable'?"),
        (b"name,label,name\n", "column 'name' occurs twice"),
        (b"name,label\n", "found no row"),
        (b"name,label\none,mel\ntwo\n", "table.csv line 3: expected 2 cells, found 1"),
        (b"name,label\none,mel,x\n", "table.csv line 2: expected 2 cells, found 3"),
        (b'name,label\n"a\nb",mel\none\n', "table.csv line 4: expected 2 cells, found 1"),
        (b'name,label\none,"mel\n', "line 2: not a readable table"),
        (b'name,label\none,"me"l\n', "line 2: not a readable table"),
        (b"name,label\none,m\x8el\n", "line 2: expected UTF-8 text, found byte 0x8e"),
        (TEXT.encode("utf-16")[:-1], "expected UTF-16 text"),
        (TEXT.encode("utf-32-le"), "line 1: expected text, found a NUL byte"),
        (b"name,label\n" + b"x" * 200_000 + b",mel\n", "line 2: not a readable table"),
    ],
)
def test_faults_are_named(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(DermaugError) as caught:
        read(tmp_path / "table.csv", content)
    assert told in str(caught.value)
    assert "table" in str(caught.value)


def test_a_table_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.csv"):
        with pytest.raises(DermaugError, match=f"{path}: cannot be read"):
            read_sheet(path, ("name",), Findings())


def test_all_findings_are_told_at_once_up_to_a_limit() -> None:
    findings = Findings()
    findings.stop("nothing is wrong yet")
    for number in range(LISTED_FINDINGS + 1_234):
        findings.add(f"finding {number}")
    with pytest.raises(DermaugError, match="found 1,254 findings") as caught:
        findings.stop("table")
    assert caught.value.details[:2] == ("finding 0", "finding 1")
    assert len(caught.value.details) == LISTED_FINDINGS + 1
    assert caught.value.details[-1] == "and 1,234 more"


CELLS = st.sampled_from(
    ["name", "label", ",", "\t", ";", '"', "\n", "\r", "NA", "a", "\ufeff", "é"]
)
TABLES = st.binary(max_size=80) | st.builds(
    lambda cells, encoding: "".join(cells).encode(encoding),
    st.lists(CELLS, max_size=40),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be"]),
)


@given(content=TABLES | TABLES.map(lambda tail: b"name,label\n" + tail))
@settings(max_examples=300, deadline=None)
def test_reader_raises_nothing_but_its_own_error(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            sheet = read(Path(folder) / "table.csv", content)
        except DermaugError:
            return
    assert sheet.rows
    assert all(tuple(row.cells) == sheet.columns for row in sheet.rows)


def test_one_fault_of_many_rows_is_told_once() -> None:
    findings = Findings()
    for row in (2, 5, 7):
        findings.add(f"my list.csv line {row}: expected an age, found 'x'")
    findings.add("my list.csv line 9: expected an age, found 'y'")
    findings.add("my list.csv line 9: label 'a/b' is a path")
    findings.add("my list.csv line 10: label 'a/b' is a path")
    with pytest.raises(DermaugError, match="found 6 findings") as caught:
        findings.stop("set")
    assert caught.value.details == (
        "my list.csv line 2: expected an age, found 'x' (and 3 more rows with 'y')",
        "my list.csv line 9: label 'a/b' is a path (and 1 more row)",
    )
