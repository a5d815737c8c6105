"""Tables in workbooks: the same cells as in a text, and a remedy for all that are none."""

from pathlib import Path

import pytest
from workbooks import workbook

from dermaug.data.findings import Findings
from dermaug.data.metadata import read_header, read_sheet
from dermaug.data.sources import open_catalog
from dermaug.data.workbook import workbook_cells
from dermaug.errors import DermaugError

pytest.importorskip("python_calamine")
TABLE = [["file_name", "label", "age"], ["Bild 1.jpg", "Nävus", 45.0], ["b", "mel", 61.5]]


def write(folder: Path, sheets: dict[str, list[list[object]]]) -> Path:
    path = folder / "Liste.xlsx"
    path.write_bytes(workbook(sheets))
    return path


def test_cells_are_read_as_they_are_seen(tmp_path: Path) -> None:
    path = write(tmp_path, {"Tabelle1": [*TABLE[:2], [None, None, None], TABLE[2]], "Tabelle2": []})
    sheet = read_sheet(path, ("file_name", "label"), Findings())
    assert sheet.columns == read_header(path) == ("file_name", "label", "age")
    assert [tuple(row.cells.values()) for row in sheet.rows] == [
        ("Bild 1.jpg", "Nävus", "45"),
        ("b", "mel", "61.5"),
    ]
    assert [row.where for row in sheet.rows] == ["Liste.xlsx row 2", "Liste.xlsx row 4"]
    assert sheet.how == "Liste.xlsx was read from its sheet 'Tabelle1'."


def test_a_folder_with_a_workbook_is_a_data_set(tmp_path: Path) -> None:
    write(tmp_path, {"Tabelle1": TABLE})
    (tmp_path / "~$Liste.xlsx").write_bytes(b"what Excel leaves while the workbook is open")
    for name in ("Bild 1.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"not decoded here")
    catalog = open_catalog(tmp_path)
    assert catalog.table["label"].tolist() == ["Nävus", "mel"]
    assert catalog.table["age"].tolist() == [45.0, 61.5]
    assert "Liste.xlsx was read from its sheet 'Tabelle1'." in catalog.notes


def test_the_sheet_is_read_that_alone_names_files_below_its_folder(tmp_path: Path) -> None:
    images = [["Foto", "Diagnose"], ["dsc_1", "nv"], ["dsc_2", "mel"]]
    people = [["Nr", "Alter"], ["7", "40"], ["8", "41"]]
    path = write(tmp_path, {"Fotos": images, "Personen": people})
    with pytest.raises(DermaugError, match="expected one sheet"):
        workbook_cells(path)
    (tmp_path / "Bilder").mkdir()
    for name in ("DSC_1.JPG", "DSC_2.JPG"):
        (tmp_path / "Bilder" / name).write_bytes(b"not decoded here")
    found = workbook_cells(path)
    assert [cells for _, cells in found.rows] == images
    assert "the only one that names image files; not read: 'Personen'" in found.how
    for name in ("7.jpg", "8.jpg"):
        (tmp_path / "Bilder" / name).write_bytes(b"not decoded here")
    with pytest.raises(DermaugError, match="expected one sheet"):
        workbook_cells(path)


@pytest.mark.parametrize(
    ("sheets", "told"),
    [
        ({"A": TABLE, "B": TABLE}, "expected one sheet with a table, found 'A', 'B'; leave only"),
        ({"A": [["Legende"], ["1 = gut"]]}, "expected one sheet with a table, found none"),
    ],
)
def test_workbooks_without_one_table_are_refused(
    tmp_path: Path, sheets: dict[str, list[list[object]]], told: str
) -> None:
    with pytest.raises(DermaugError, match=told):
        workbook_cells(write(tmp_path, sheets))


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\3\4" + bytes(40), b"\xd0\xcf\x11\xe0" * 200])
def test_damaged_workbooks_are_refused_with_the_remedy(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "Liste.xlsx"
    path.write_bytes(content)
    with pytest.raises(DermaugError, match=r"not a readable workbook .*save its sheet as CSV"):
        workbook_cells(path)
    assert read_header(path) == ()
