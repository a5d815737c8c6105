"""What a table saved as text says of itself: encodings, separators, decimal commas."""

from pathlib import Path

import pytest

from dermaug.data.cells import parse_age
from dermaug.data.findings import Findings
from dermaug.data.metadata import Row, read_header, read_sheet
from dermaug.data.table_text import encoding_of, header_cells, text_cells

WESTERN = (
    "Läsion am Rücken, größer; Nävus",
    "lésion pigmentée créée – n°3, œil",
    "corazón «niño» 10 µm², 3×4 mm",
    "mål på høyre rygg; ação não",
)
OTHERS = [
    ("Меланома", "cp1251"),
    ("Μελάνωμα", "cp1253"),
    ("ağır şüphe", "cp1254"),
    ("złośliwy", "cp1250"),
    ("łagodny", "cp1250"),
    ("žena", "cp1250"),
    ("Läsion", "cp850"),
    ("Rücken", "cp437"),
    ("Läsion", "mac_roman"),
    ("メラノーマ", "shift_jis"),
    ("黑色素瘤", "gbk"),
]


@pytest.mark.parametrize("text", WESTERN)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
def test_western_text_is_read_in_every_encoding(text: str, encoding: str) -> None:
    raw = f"Bild;Ort\na.jpg;{text}\n".encode(encoding)
    assert encoding_of(raw) == encoding
    assert raw.decode(encoding_of(raw)).endswith(f"{text}\n")


@pytest.mark.parametrize(("text", "encoding"), OTHERS)
def test_no_other_encoding_is_taken_for_western_text(text: str, encoding: str) -> None:
    assert encoding_of(f"Bild;Ort\na.jpg;{text}\n".encode(encoding)) == "utf-8-sig"


@pytest.mark.parametrize(
    ("content", "how"),
    [
        (b"a,b\n1,2\n", ""),
        ("a,b\nä,2\n".encode(), ""),
        (b"a\tb\n1\t2\n", "t.csv was read as UTF-8 text separated by tabs."),
        ("a\tb\n1\t2\n".encode("utf-16"), "t.csv was read as UTF-16 text separated by tabs."),
        (
            "a;b\nLäsion;45,5\n".encode("cp1252"),
            "t.csv was read as Windows-1252 text separated by semicolons, with decimal commas; if "
            "its words look wrong (Läsion), save it as CSV UTF-8.",
        ),
    ],
)
def test_how_a_table_was_read_is_told_where_it_is_not_plain(
    tmp_path: Path, content: bytes, how: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    assert read_sheet(path, (), Findings()).how == text_cells(path).how == how


def test_lines_are_counted_below_the_line_that_names_the_separator(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'"sep=;"\r\nname;label\r\none;mel\r\n;;\r\n')
    assert read_header(path) == header_cells(path) == ("name", "label")
    assert text_cells(path).rows == [(2, ["name", "label"]), (3, ["one", "mel"])]


@pytest.mark.parametrize("text", ["45,5", "45.5", "1,234", "12,5,5"])
def test_ages_have_a_decimal_comma_or_point_and_no_thousands(text: str) -> None:
    findings = Findings()
    age = parse_age(Row("row 2", {"age": text}), findings)
    assert (age == 45.5) == (text in ("45,5", "45.5"))
    assert bool(findings.lines) == (text not in ("45,5", "45.5"))
