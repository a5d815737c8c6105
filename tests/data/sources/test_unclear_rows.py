"""What tables leave unclear stops the reading, or is left out and counted: nothing in between."""

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from dermaug.config.data import Reading
from dermaug.data.findings import UnclearError
from dermaug.data.sources import open_catalog
from dermaug.errors import DermaugError

Folder = Callable[..., Path]

UNCLEAR = """file_name;label;lesion_id;age;sex
1.jpg;nv;A;61;f
2.jpg;mel;B;sixty;zz
3.jpg;nv;C;50;m
4.jpg;mel;C;50;m
5.jpg;nv;D;50
6.jpg;nv;E;50;m
8.jpg;mel;F;40;m
"""
"""Of eight photographs: ages, sexes, a lesion of two labels, a short row, 6 lost, 7 not listed."""


def test_what_is_unclear_is_left_out_and_counted_if_asked(folder: Folder) -> None:
    root = folder("1.jpg 2.jpg 3.jpg 4.jpg 5.jpg 7.jpg 8.jpg", UNCLEAR)
    with pytest.raises(DermaugError) as caught:
        open_catalog(root)
    assert len(caught.value.details) == 7
    assert (
        caught.value.details[-1] == "--leave-out-unclear leaves out what was found, and counts it"
    )
    catalog = open_catalog(root, Reading(unclear="leave_out"))
    assert catalog.image_ids.tolist() == ["1", "2", "8"]
    assert catalog.table["label"].tolist() == ["nv", "mel", "mel"]
    assert catalog.table["age"].fillna(-1).tolist() == [61.0, -1.0, 40.0]
    assert catalog.table["sex"].tolist() == ["female", "unknown", "male"]
    assert catalog.notes[-1] == (
        "Left out as unclear: rows with too many or too few cells: 1 (Liste.csv line 6); lesions "
        "with several diagnoses: 1 (C); rows without an image: 1 (6.jpg); images without a row in "
        "Liste.csv: 2 (5.jpg, 7.jpg); ages: 1 (sixty); sexes: 1 (zz)."
    )


def test_a_lesion_of_two_labels_is_left_out_even_if_one_image_is_lost(folder: Folder) -> None:
    rows = "lost.jpg,mel,A\n1.jpg,nv,A\n2.jpg,nv,B\n3.jpg,mel,C\n"
    root = folder("1.jpg 2.jpg 3.jpg", f"file_name,label,lesion_id\n{rows}")
    catalog = open_catalog(root, Reading(unclear="leave_out"))
    assert catalog.image_ids.tolist() == ["2", "3"]
    assert "lesions with several diagnoses: 1 (A)" in catalog.notes[-1]


@pytest.mark.parametrize("words", ["h m hembra", "v m x1", "m m varon"])
def test_no_woman_becomes_a_man_by_what_is_left_out(folder: Folder, words: str) -> None:
    rows = [f"{place}.jpg,nv,{word}" for place, word in enumerate(words.split(), start=1)]
    root = folder("1.jpg 2.jpg 3.jpg", "\n".join(["file_name,label,sex", *rows]))
    with pytest.raises(DermaugError) as caught:
        open_catalog(root, Reading(unclear="leave_out"))
    assert "without 'f' may be male or mujer" in caught.value.details[0]


def test_what_is_wrong_is_not_left_out(folder: Folder) -> None:
    root = folder("1.jpg 2.jpg", "file_name,label,age\n1.jpg,nv,old\n2.jpg,nv,1\n2.jpg,mel,1\n")
    with pytest.raises(DermaugError) as caught:
        open_catalog(root)
    assert caught.value.details[-1].startswith("--leave-out-unclear leaves out 1 of the findings")
    with pytest.raises(DermaugError, match="found 1 finding") as caught:
        open_catalog(root, Reading(unclear="leave_out"))
    assert "occurs already" in caught.value.details[0]


def test_no_row_may_be_left_without_an_image(folder: Folder) -> None:
    root = folder("1.jpg 2.jpg", "file_name,label\n3.jpg,nv\n4.jpg,mel\n")
    for reading in (Reading(), Reading(unclear="leave_out")):
        with pytest.raises(DermaugError):
            open_catalog(root, reading)


def test_no_row_may_be_left_without_its_undecided_lesion(folder: Folder) -> None:
    root = folder("1.jpg 2.jpg", "file_name,label,lesion_id\n1.jpg,nv,A\n2.jpg,mel,A\n")
    with pytest.raises(DermaugError) as caught:
        open_catalog(root, Reading(unclear="leave_out"))
    assert caught.value.details == (
        "Liste.csv: nothing is left without what is unclear; correct the table",
    )


@pytest.mark.parametrize("count", [1, 4])
def test_a_word_of_many_rows_is_no_slip(folder: Folder, count: int) -> None:
    words = ["zz"] * count + ["f", "m"] * 10
    rows = [f"{place}.jpg,{['nv', 'mel'][place % 2]},{word}" for place, word in enumerate(words)]
    files = " ".join(f"{place}.jpg" for place in range(len(words)))
    root = folder(files, "\n".join(["file_name,label,sex", *rows]))
    if count == 1:
        catalog = open_catalog(root, Reading(unclear="leave_out"))
        assert "sexes: 1 (zz)" in catalog.notes[-1]
        return
    with pytest.raises(DermaugError, match="found 1 finding") as caught:
        open_catalog(root, Reading(unclear="leave_out"))
    assert "'zz' in 4 rows is no known word" in caught.value.details[0]


def test_a_row_of_photographs_without_any_is_counted(folder: Folder) -> None:
    table = "Photo 1,Photo 2,Diagnosis,lesion_id\n"
    table += "1.jpg,2.jpg,nv,\n3.jpg,4.jpg,mel,L\n,,mel,M\n5.jpg,,nv,\n6.jpg,7.jpg,mel,\n"
    root = folder("1.jpg 2.jpg 3.jpg 4.jpg 5.jpg 6.jpg 7.jpg", table)
    with pytest.raises(DermaugError, match="found 1 finding"):
        open_catalog(root)
    catalog = open_catalog(root, Reading(unclear="leave_out"))
    assert (
        catalog.table["lesion_id"].tolist() == ["row 1"] * 2 + ["L"] * 2 + ["row 4"] + ["row 5"] * 2
    )
    assert "rows without an image: 1 (no name)" in catalog.notes[-1]


def test_of_two_lists_with_other_columns_none_is_chosen(folder: Folder) -> None:
    root = folder("1.jpg 2.jpg", "file_name,label\n1.jpg,nv\n2.jpg,mel\n", "first.csv")
    (root / "revised.csv").write_text("file_name,label,note\n1.jpg,mel,x\n2.jpg,mel,x\n")
    with pytest.raises(DermaugError, match="pass the one you want") as caught:
        open_catalog(root)
    assert [Path(line).name for line in caught.value.details] == ["first.csv", "revised.csv"]
    assert open_catalog(root / "first.csv").classes == ("mel", "nv")


def test_a_label_that_is_a_path_is_renamed_or_left_out(folder: Folder) -> None:
    root = folder("1.jpg 2.jpg 3.jpg", "file_name,label\n1.jpg,nv\n2.jpg,mel\n3.jpg,nv / mel\n")
    with pytest.raises(DermaugError, match="found 1 finding") as caught:
        open_catalog(root)
    assert "leave it out: --leave-out 'nv / mel'" in caught.value.details[0]
    assert len(open_catalog(root, Reading({"nv / mel": ""}))) == 2
    assert len(open_catalog(root, Reading({"nv / mel": "both"}))) == 3


def test_lines_of_json_are_a_table_of_any_name(folder: Folder) -> None:
    lines = [
        json.dumps({"path": f"{name}.jpg", "diagnosis": label, "patient": f"P{patient}"})
        for name, label, patient in ROWS
    ]
    catalog = open_catalog(folder("1.jpg 2.jpg 3.jpg 4.jpg", "\n".join(lines), "labels.jsonl"))
    assert catalog.table["label"].tolist() == ["nv", "mel", "nv", "mel"]
    assert catalog.table["patient_id"].tolist() == ["P1", "P1", "P2", "P2"]


ROWS = [(1, "nv", 1), (2, "mel", 1), (3, "nv", 2), (4, "mel", 2)]


def test_names_of_sexes_in_more_languages_are_read(folder: Folder) -> None:
    root = folder(
        "1.jpg 2.jpg", "file_name,label,Pohlaví,ID pacienta\n1.jpg,nv,Ž,a\n2.jpg,mel,M,b\n"
    )
    catalog = open_catalog(root)
    assert catalog.table["sex"].tolist() == ["female", "male"]
    assert catalog.table["patient_id"].tolist() == ["a", "b"]


def test_another_table_is_named_beside_images_without_a_row(folder: Folder) -> None:
    root = folder("1.jpg 2.jpg 3.jpg", "file_name,label\n1.jpg,nv\n2.jpg,mel\n")
    (root / "slip.csv").write_text("file name,label\n3.jpg,nv\n")
    with pytest.raises(DermaugError) as caught:
        open_catalog(root)
    assert caught.value.details[0].endswith("(there is also slip.csv, which is not read)")


@pytest.mark.parametrize("name", ["Diagnosed by", "Histology done", "Diagnosedatum", "Pathologist"])
def test_a_column_about_a_diagnosis_is_none_of_diagnoses(folder: Folder, name: str) -> None:
    rows = [f"{n}.jpg,{('nv', 'mel')[n % 2]},{('yes', 'no')[n // 2 % 2]}" for n in range(1, 9)]
    files = " ".join(f"{number}.jpg" for number in range(1, 9))
    with pytest.raises(DermaugError) as caught:
        open_catalog(folder(files, "\n".join([f"Bild,Typ,{name}", *rows])))
    assert "--image-column Bild --label-column Typ" in caught.value.details[0]


def test_a_second_list_of_other_columns_is_no_truth(folder: Folder) -> None:
    files = " ".join(f"{number}.jpg" for number in range(1, 9))
    labels = [("nv", "mel")[number % 2] for number in range(8)]
    rows = [f"{number}.jpg,{label}" for number, label in enumerate(labels, start=1)]
    root = folder(files, "\n".join(["image,diagnosis", *rows]))
    (root / "other.csv").write_text("\n".join(["file_name,label", *rows]))
    with pytest.raises(DermaugError, match="pass the one you want"):
        open_catalog(root)
    (root / "other.csv").rename(root / "metadata.csv")
    assert len(open_catalog(root)) == 8


def test_the_folder_of_a_whole_path_must_be_there_as_in_other_rows(folder: Folder) -> None:
    files = [f"P{number}/{number}.jpg" for number in range(1, 6)]
    rows = [f"/home/eva/{file},{('nv', 'mel')[place % 2]}" for place, file in enumerate(files)]
    root = folder(" ".join([*files[:-1], "P9/5.jpg"]), "\n".join(["file_name,label", *rows]))
    with pytest.raises(DermaugError) as caught:
        open_catalog(root)
    assert len(caught.value.details) == 3
    assert len(open_catalog(root, Reading(unclear="leave_out"))) == 4


def test_of_two_columns_that_complete_names_none_is_chosen(folder: Folder) -> None:
    table = "Nr,file_name,label,Patient\n1,a.jpg,nv,3\n2,a.jpg,mel,1\n3,a.jpg,nv,2\n"
    with pytest.raises(DermaugError) as caught:
        open_catalog(folder("1/a.jpg 2/a.jpg 3/a.jpg", table))
    assert "occurs already" in caught.value.details[0]


@pytest.mark.parametrize(("column", "words"), [("H/M", "M M"), ("Género", "M M"), ("m_v", "M M")])
def test_m_alone_is_ambiguous_in_columns_of_some_languages(
    folder: Folder, column: str, words: str
) -> None:
    first, second = words.split()
    table = f"file_name,label,{column}\n1.jpg,nv,{first}\n2.jpg,mel,{second}\n"
    with pytest.raises(DermaugError, match="found 1 finding"):
        open_catalog(folder("1.jpg 2.jpg", table))


def test_d_is_donna_in_italian(folder: Folder) -> None:
    table = "file_name,label,sesso\n1.jpg,nv,D\n2.jpg,mel,M\n"
    assert open_catalog(folder("1.jpg 2.jpg", table)).table["sex"].tolist() == ["female", "male"]


def test_a_data_set_of_its_own_is_not_read_by_the_table_of_a_neighbour(folder: Folder) -> None:
    root = folder("dermatology/mine/1.jpg dermatology/yours/2.jpg other/3.jpg other/4.jpg")
    (root / "other/derm.csv").write_text("isic_id,target,patient_id\n3,0,P1\n4,1,P2\n")
    assert open_catalog(root / "dermatology").classes == ("mine", "yours")


def test_a_cell_with_several_names_is_a_lesion_of_several_photographs(folder: Folder) -> None:
    table = 'file_name,label\n"1.jpg; 2.jpg",nv\n3.jpg,mel\n"4.jpg, 9.jpg",mel\n'
    root = folder("1.jpg 2.jpg 3.jpg 4.jpg", table)
    catalog = open_catalog(root, Reading(unclear="leave_out"))
    assert catalog.image_ids.tolist() == ["1", "2", "3"]
    assert catalog.table["lesion_id"].tolist() == ["row 1", "row 1", "row 2"]
    assert "rows without an image: 1 (4.jpg, 9.jpg)" in catalog.notes[-1]


def test_lists_that_are_read_as_one_say_how_ids_count(folder: Folder) -> None:
    table = "file_name;label;patient_id\n{}.jpg;nv;1\n{}.jpg;mel;2\n"
    root = folder("1.jpg 2.jpg 3.jpg 4.jpg", table.format(1, 2))
    (root / "Liste 2.csv").write_text(table.format(3, 4))
    catalog = open_catalog(root)
    assert catalog.table["patient_id"].nunique() == 2
    assert any("of equal ids in them count as one" in note for note in catalog.notes)


def test_lists_in_folders_of_their_own_are_not_read_by_halves(folder: Folder) -> None:
    root = folder("Odense/1.jpg Odense/2.jpg Aarhus/3.jpg Aarhus/4.jpg")
    for name, number in (("Odense", 1), ("Aarhus", 3)):
        rows = f"{number}.jpg,nv\n{number + 1}.jpg,mel\n"
        (root / name / "liste.csv").write_text(f"file_name,label\n{rows}")
    with pytest.raises(DermaugError) as caught:
        open_catalog(root)
    assert "to study them together, write" in caught.value.details[-1]


def test_a_column_without_a_name_is_not_told_as_read(folder: Folder) -> None:
    table = "file_name,label,,Alder\n1.jpg,nv,,50\n2.jpg,mel,,60\n"
    notes = open_catalog(folder("1.jpg 2.jpg", table)).notes
    assert "Also read: age (Alder)." in notes


def test_columns_that_complete_names_alike_are_one(folder: Folder) -> None:
    table = "file_name,label,Patient,Folder\na.jpg,nv,3,3\na.jpg,mel,1,1\na.jpg,nv,2,2\n"
    catalog = open_catalog(folder("1/a.jpg 2/a.jpg 3/a.jpg", table))
    assert [Path(path).parent.name for path in catalog.table["path"]] == ["3", "1", "2"]


def test_letters_of_sexes_in_either_form_of_unicode_are_read(folder: Folder) -> None:
    apart = unicodedata.normalize("NFD", "Ž")
    table = f"file_name,label,Pohlaví\n1.jpg,nv,{apart}\n2.jpg,mel,M\n"
    assert open_catalog(folder("1.jpg 2.jpg", table)).table["sex"].tolist() == ["female", "male"]


def test_an_empty_column_of_sexes_is_not_told_as_read(folder: Folder) -> None:
    notes = open_catalog(
        folder("1.jpg 2.jpg", "file_name,label,sesso\n1.jpg,nv,\n2.jpg,mel,\n")
    ).notes
    assert not any("Read as sexes" in note for note in notes)


def test_rows_that_count_as_lesions_are_told_as_such(folder: Folder) -> None:
    table = 'file_name,label\n"1.jpg; 2.jpg",nv\n3.jpg,mel\n'
    notes = open_catalog(folder("1.jpg 2.jpg 3.jpg", table)).notes
    assert "Cells that name several photographs, of one lesion each: 1." in notes
    assert any(note.startswith("Each row counts as a lesion of its own") for note in notes)


def test_rows_that_say_the_same_are_one_and_others_are_refused(folder: Folder) -> None:
    rows = ["1.jpg,nv,A", "2.jpg,mel,B", "1.jpg,nv,A", "NULL,mel,C", "NULL,nv,D"]
    root = folder("1.jpg 2.jpg", "\n".join(["file_name,label,lesion_id", *rows]))
    with pytest.raises(UnclearError) as caught:
        open_catalog(root)
    assert "occurs already in Liste.csv line 2, with the same label" in caught.value.details[0]
    assert caught.value.details[1] == "Liste.csv line 5: no file_name (and 1 more row)"
    catalog = open_catalog(root, Reading(unclear="leave_out"))
    assert catalog.image_ids.tolist() == ["1", "2"]
    assert "rows that repeat another: 1 (1.jpg)" in catalog.notes[-1]
    (root / "Liste.csv").write_text("\n".join(["file_name,label,lesion_id", *rows, "2.jpg,nv,B"]))
    with pytest.raises(DermaugError, match=r"line 7: file_name '2\.jpg' occurs already"):
        open_catalog(root, Reading(unclear="leave_out"))


def test_a_path_of_several_diagnoses_is_unclear_and_another_path_is_not(folder: Folder) -> None:
    rows = ["1.jpg,nv", "2.jpg,Melanoma / naevus", "3.jpg,mel"]
    root = folder("1.jpg 2.jpg 3.jpg", "\n".join(["file_name,label", *rows]))
    with pytest.raises(UnclearError, match="label 'Melanoma / naevus' is a path"):
        open_catalog(root)
    catalog = open_catalog(root, Reading(unclear="leave_out"))
    assert catalog.table["label"].tolist() == ["nv", "mel"]
    assert "images of several diagnoses: 1 (Melanoma / naevus)" in catalog.notes[-1]
    (root / "Liste.csv").write_text("\n".join(["file_name,label", rows[0], "3.jpg,a/b"]))
    with pytest.raises(DermaugError, match="label 'a/b' is a path"):
        open_catalog(root, Reading(unclear="leave_out"))
