"""Short hands of lists are written out where they are certain, and never become classes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dermaug.config import DataConfig
from dermaug.config.data import Reading
from dermaug.data.catalog import Catalog
from dermaug.data.sources import open_catalog, recognised_as
from dermaug.errors import DermaugError
from dermaug.inspection.data_check import examine

Folder = Callable[..., Path]
IMAGES = "1.jpg 2.jpg 3.jpg 4.jpg"
LEFT_OUT = Reading(unclear="leave_out")


def labels_of(catalog: Catalog) -> dict[str, str]:
    return dict(zip(catalog.image_ids, catalog.table["label"], strict=True))


ONE_HOT = "filename,malignt_melanom,nevus,other\n1,0,1,0\n2,1,0,0\n3,0,1.0,0\n4,true,0,false\n"


def test_columns_of_classes_are_one_column(folder: Folder) -> None:
    root = folder(IMAGES, ONE_HOT)
    catalog = open_catalog(root)
    assert list(labels_of(catalog).values()) == [*["nevus", "malignt_melanom"] * 2]
    assert recognised_as(root).startswith("Read by the columns filename (file_name), class with a")
    assert "a 1 in that of each row: malignt_melanom, nevus, other." in " ".join(catalog.notes)
    named = open_catalog(
        root, Reading(columns={"file_name": "filename", "label": "class with a 1"})
    )
    assert labels_of(named) == labels_of(catalog)


def test_rows_of_no_or_several_classes_are_unclear(folder: Folder) -> None:
    rows = [f"{place},0,1" for place in range(1, 20)]
    files = " ".join(f"{place}.jpg" for place in range(1, 23))
    table = "\n".join(["image,melanoma,nevus", *rows, "20,0,0", "21,1,1", "22,1,0"])
    root = folder(files, table)
    with pytest.raises(DermaugError) as caught:
        open_catalog(root)
    assert caught.value.details[0] == (
        "Liste.csv line 21: expected a 1 in the column of one class, found none (and 1 more row "
        "with melanoma, nevus)"
    )
    catalog = open_catalog(root, LEFT_OUT)
    assert len(catalog) == 20
    assert "labels of rows with no 1 or several: 2 (Liste.csv line 21," in catalog.notes[-1]


@pytest.mark.parametrize(
    "table",
    [
        ONE_HOT.replace("nevus", "biopsied").replace("malignt_melanom", "smoker"),
        ONE_HOT.replace(",0,0\n", ",1,1\n"),  # several findings of one image
        ONE_HOT.replace("4,true", "4,2"),
    ],
)
def test_other_columns_of_0_and_1_are_no_classes(folder: Folder, table: str) -> None:
    with pytest.raises(DermaugError, match="not a supported data set"):
        open_catalog(folder(IMAGES, table))


@pytest.mark.parametrize(
    "mark", ['""""', "-//-", '"-""-"', "〃", "idem", "jw.", "s.o.", "wie oben", "Dito"]
)
def test_marks_stand_for_the_cell_above(folder: Folder, mark: str) -> None:
    table = f"file_name,label,Pacjent\n1,nevus,JW\n2,melanoma,{mark}\n3,{mark},{mark}\n4,nevus,B\n"
    catalog = open_catalog(folder(IMAGES, table))
    assert catalog.table["label"].tolist() == ["nevus", "melanoma", "melanoma", "nevus"]
    assert catalog.table["patient_id"].tolist() == ["JW", "JW", "JW", "B"]
    assert any("stand for the cell above were read as it" in note for note in catalog.notes)
    assert any("(3)" in note for note in catalog.notes)


@pytest.mark.parametrize(
    ("table", "found"),
    [
        ("file_name,label\n1,-//-\n2,-//-\n3,-//-\n4,-//-\n", "no row is above"),
        ("file_name,label\n1,nevus\n2,idem,idem\n3,idem\n4,mel\n", "marks .idem. stand for"),
    ],
)
def test_marks_below_no_cell_are_refused(folder: Folder, table: str, found: str) -> None:
    root = folder(IMAGES, table)
    for reading in (Reading(), LEFT_OUT):
        with pytest.raises(DermaugError, match=found):
            open_catalog(root, reading)


def test_initials_are_no_marks(folder: Folder) -> None:
    table = "file_name,label,Patient\n1,nv,J.W.\n2,mel,ID\n3,nv,JW\n4,mel,JW.\n"
    assert open_catalog(folder(IMAGES, table)).table["patient_id"].nunique() == 4


REDCAP = (
    "record_id,redcap_repeat_instrument,redcap_repeat_instance,age,sex,dx_final,img_1,img_2\n"
    "7,,,55,1,,,\n7,lesion,1,,,2,1,2\n7,lesion,2,,,1,3,\n8,,,60,2,,,\n8,lesion,1,,,99,4,\n"
    "8,lesion,2,,,2,5,\n9,,,70,2,,,\n9,lesion,1,,,2,6,\n9,lesion,2,,,1,7,\n"
)
DICTIONARY = (
    'Variable / Field Name,Field Type,"Choices, Calculations, OR Slider Labels"\n'
    'record_id,text,\nage,calc,"round([a], 1)"\nsex,radio,"1, Male | 2, Female"\n'
    'dx_final,radio,"1, Melanoma | 2, Nevus | 99, Pending"\n'
)


def test_an_export_of_redcap_is_read_with_its_dictionary(folder: Folder) -> None:
    root = folder(f"{IMAGES} 5.jpg 6.jpg 7.jpg", REDCAP, "export.csv")
    (root / "dictionary.csv").write_text(DICTIONARY)
    catalog = open_catalog(root)
    assert catalog.table["label"].tolist() == [
        *("Nevus", "Nevus", "Melanoma", "Pending", "Nevus", "Nevus", "Melanoma")
    ]
    assert catalog.table["patient_id"].tolist() == [*"7778899"]
    lesions = ["7_1", "7_1", "7_2", "8_1", "8_2", "9_1", "9_2"]
    assert catalog.table["lesion_id"].tolist() == lesions
    assert catalog.table["age"].tolist() == [55, 55, 55, 60, 60, 70, 70]
    assert catalog.table["sex"].tolist() == ["male"] * 3 + ["female"] * 4
    notes = " ".join(catalog.notes)
    assert (
        "words of REDCap's data dictionary dictionary.csv, in the columns sex, dx_final." in notes
    )
    assert "each record_id in a row of its own was read into its other rows: age, sex." in notes


def test_codes_without_a_dictionary_are_asked_about(folder: Folder) -> None:
    root = folder(f"{IMAGES} 5.jpg 6.jpg 7.jpg", REDCAP, "export.csv")
    with pytest.raises(DermaugError, match="'2' in 4 rows is no known word for a sex"):
        open_catalog(root)
    catalog = open_catalog(root, Reading(columns={"sex": "-"}))
    assert catalog.classes == ("1", "2", "99")
    found = examine(DataConfig(source=str(root), sex_column="-"))
    (line,) = [each for each in found.refused if "often stands for unknown" in each]
    assert line.startswith("labels: '99' (1 image) is a number that often stands for unknown")
    assert list(found.repairs) == ["--leave-out", "99"]
    assert any("--labels 1=NAME --labels 2=NAME" in sentence for sentence in found.sentences)
    known = DataConfig(source=str(root), sex_column="-", labels={"1": "mel", "2": "nv", "99": "99"})
    assert not examine(known).repairs


def test_cells_of_rows_without_an_image_are_no_findings(folder: Folder) -> None:
    table = "file_name,label,age,sex\n1,nv,50,f\n2,mel,60,m\n3,nv,50,f\n4,mel,60,m\n,,old,what\n"
    with pytest.raises(DermaugError) as caught:
        open_catalog(folder(IMAGES, table))
    assert caught.value.details == (
        "Liste.csv line 6: no file_name",
        "--leave-out-unclear leaves out what was found, and counts it",
    )


def test_columns_that_tell_nothing_are_not_told_as_read(folder: Folder) -> None:
    table = "file_name,label,age,sex\n1,nv,,f\n2,mel,,m\n3,nv,n/a,f\n4,mel,,m\n"
    notes = open_catalog(folder(IMAGES, table)).notes
    assert "Columns that tell nothing of any image: age." in notes


def test_images_without_patient_are_counted_among_those_that_are_read(folder: Folder) -> None:
    table = "file_name,label,patient_id\n1,nv,P1\n2,mel,\n3,nv,\n4,,\n"
    found = examine(DataConfig(source=str(folder(IMAGES, table))))
    told = [each for each in found.sentences if "without" in each and "patient" in each]
    assert all("2 images" in each for each in told), told
    assert any("1 rows name neither a label nor a patient" in each for each in found.sentences)


POLISH = "Nr zdjęcia;Pacjent;Rozpoznanie;Okolica\n{}\n"


def test_numbers_of_photographs_are_those_of_a_camera(folder: Folder) -> None:
    rows = "1;A;czerniak;plecy\n2;A;znamię;noga\n03;B;czerniak;noga\n4;C;znamię;noga"
    files = "DCIM/IMG_0001.JPG DCIM/IMG_0002.JPG DCIM/IMG_0003.JPG DCIM/IMG_0004.JPG"
    root = folder(files, POLISH.format(rows))
    catalog = open_catalog(root)
    assert catalog.image_ids.tolist() == [f"IMG_000{number}" for number in range(1, 5)]
    assert catalog.table["label"].tolist() == ["czerniak", "znamię"] * 2
    assert catalog.table["localization"].tolist() == ["plecy", *["noga"] * 3]
    assert any("Nr zdjęcia holds the numbers at the end of" in note for note in catalog.notes)


@pytest.mark.parametrize(
    ("header", "other"),
    [
        ("Lp.", "DCIM/IMG_0004.JPG"),  # the number of the row
        ("Nr zdjęcia", "DCIM/DSC_0004.JPG"),
        ("Nr zdjęcia", "B/IMG_0003.JPG DCIM/IMG_0004.JPG"),
    ],
)
def test_other_numbers_are_none_of_a_camera(folder: Folder, header: str, other: str) -> None:
    rows = "1;A;czerniak;plecy\n2;A;znamię;noga\n3;B;czerniak;noga\n4;C;znamię;noga"
    files = f"DCIM/IMG_0001.JPG DCIM/IMG_0002.JPG DCIM/IMG_0003.JPG {other}"
    with pytest.raises(DermaugError):
        open_catalog(folder(files, POLISH.format(rows).replace("Nr zdjęcia", header)))


def test_ranges_of_photographs_are_named_in_the_refusal(folder: Folder) -> None:
    rows = "0001-0002;A;czerniak;plecy\n0003;B;znamię;noga\n0004;C;czerniak;noga"
    files = "DCIM/IMG_0001.JPG DCIM/IMG_0002.JPG DCIM/IMG_0003.JPG DCIM/IMG_0004.JPG"
    with pytest.raises(DermaugError) as caught:
        open_catalog(folder(files, POLISH.format(rows)))
    assert "found ranges of images (0001-0002) in the column Nr zdjęcia" in str(
        caught.value.details
    )


def test_a_list_of_json_records_is_a_table(folder: Folder) -> None:
    records = [{"file": f"{place}.jpg", "diagnosis": each} for place, each in enumerate("abab", 1)]
    root = folder(IMAGES, json.dumps(records), "export.json")
    assert labels_of(open_catalog(root)) == {"1": "a", "2": "b", "3": "a", "4": "b"}


CASES = [
    {"patient": {"id": "p"}, "diagnosis": {"text": each}, "images": images}
    for each, images in (
        ("Naevus", [{"file": "1.jpg"}, {"file": "2.jpg"}]),
        ("Melanoma", [{"file": "3.jpg"}]),
        ("Naevus", [{"file": "4.jpg"}]),
        ("Melanoma", []),
    )
]


@pytest.mark.parametrize("content", [CASES, {"version": "2", "cases": CASES}])
def test_nested_objects_are_a_table_of_the_innermost_ones(folder: Folder, content: object) -> None:
    root = folder(IMAGES, json.dumps(content), "export.json")
    catalog = open_catalog(root, Reading(unclear="leave_out"))
    assert labels_of(catalog) == {"1": "Naevus", "2": "Naevus", "3": "Melanoma", "4": "Naevus"}
    assert set(catalog.table["patient_id"]) == {"p"}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (
            {"images": [{"id": 1}], "annotations": [{"id": 1}]},
            "images (a list of 1 objects), annotations (a list of 1 objects)",
        ),
        ([1, 2], "a list of 2 values"),
    ],
)
def test_other_json_is_told_what_it_is(folder: Folder, content: object, found: str) -> None:
    root = folder("images/1.jpg images/2.jpg", json.dumps(content), "export.json")
    with pytest.raises(DermaugError) as caught:
        open_catalog(root)
    told = " ".join(caught.value.details)
    assert found in told
    assert "one row per image, with the columns file_name,label" in told


@pytest.mark.parametrize(
    ("column", "read"),
    [
        *((name, "patient_id") for name in ("Pacjent", "Pacient", "Paziente", "Patiënt", "Hasta")),
        *((name, "age") for name in ("Wiek", "Ålder", "Alder", "Věk", "Età", "Leeftijd", "Yaş")),
        *((name, "sex") for name in ("Płeć", "Kön", "Køn", "Pohlaví", "Sesso", "Cinsiyet")),
        *((name, "localization") for name in ("Okolica", "Lokalizacja", "Kroppsdel")),
        *((name, "localization") for name in ("Lokalizace", "Sede", "Locatie", "bodySite")),
    ],
)
def test_usual_names_of_columns_are_known(folder: Folder, column: str, read: str) -> None:
    cells = {"age": "50", "sex": "f"}.get(read, "x1")
    rows = "\n".join(f"{place},{each},{cells}" for place, each in enumerate(("nv", "mel") * 2, 1))
    catalog = open_catalog(folder(IMAGES, f"file_name,label,{column}\n{rows}\n"))
    assert f"Also read: {read} ({column})." in catalog.notes
