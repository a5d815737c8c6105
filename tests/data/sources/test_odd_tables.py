"""Lists as clinics write them are read by one command, or refused in one line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dermaug.config.data import Reading
from dermaug.data.catalog import Catalog
from dermaug.data.sources import open_catalog, recognised_as
from dermaug.errors import DermaugError

Folder = Callable[..., Path]


def lesions_and_patients(catalog: Catalog) -> list[tuple[object, ...]]:
    return list(catalog.table[["lesion_id", "patient_id"]].itertuples(index=False, name=None))


GERMAN = (
    "Lfd. Nr.;Bilddatei;Pat.-Nr.;Läsion Nr.;Alter;Geschlecht;Diagnose\n"
    "1;a;7;1;54 J.;w;Melanom\n2;b;7;1;54 Jahre;w;Melanom\n3;c;7;2;unbekannt;w;Nävus\n"
    "4;d;8;1;61;m;Nävus\n5;e;9;1;40;m;Nävus\n6;f;9;2;k.A.;m;Melanom\n"
)
BILDER = "Bilder/a.jpg Bilder/b.jpg Bilder/c.jpg Bilder/d.jpg Bilder/e.jpg Bilder/f.jpg"


def test_a_list_is_read_whose_columns_are_beyond_doubt(folder: Folder) -> None:
    root = folder(BILDER, GERMAN, encoding="cp1252")
    catalog = open_catalog(root)
    assert recognised_as(root) == (
        "Read by the columns Bilddatei (file_name), Diagnose (label) of Liste.csv."
    )
    assert catalog.table["label"].tolist() == [
        "Melanom",
        "Melanom",
        "Nävus",
        "Nävus",
        "Nävus",
        "Melanom",
    ]
    assert catalog.table["sex"].tolist() == ["female"] * 3 + ["male"] * 3
    ages = catalog.table["age"].fillna(-1).tolist()
    assert ages == [54.0, 54.0, -1, 61.0, 40.0, -1]
    assert lesions_and_patients(catalog) == [
        *[("7_1", "7")] * 2,
        *[("7_2", "7"), ("8_1", "8"), ("9_1", "9"), ("9_2", "9")],
    ]
    assert any("numbers lesions within each patient" in note for note in catalog.notes)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Geschlecht", "Verdachtsdiagnose"),  # two columns of diagnoses
        ("Diagnose", "Was"),  # none
        ("Bilddatei", "Lfd. Nr."),
    ],
)
def test_a_list_in_doubt_is_refused(folder: Folder, old: str, new: str) -> None:
    with pytest.raises(DermaugError):
        open_catalog(folder(BILDER, GERMAN.replace(old, new)))


def test_lesions_numbered_within_unnamed_patients_are_one_finding(folder: Folder) -> None:
    root = folder(BILDER, GERMAN.replace("Pat.-Nr.", "Fall"))
    with pytest.raises(DermaugError) as caught:
        open_catalog(root)
    (line,) = caught.value.details
    assert line.startswith("2 of the 2 lesions with several images have several diagnoses each")
    assert "--patient-column COLUMN" in line
    assert "--lesion-column -" in line
    named = open_catalog(root, Reading(columns={"patient_id": "Fall"}))
    assert set(named.table["lesion_id"]) == {"7_1", "7_2", "8_1", "9_1", "9_2"}
    unread = open_catalog(root, Reading(columns={"lesion_id": "-"}))
    assert unread.table["lesion_id"].tolist() == list("abcdef")


def test_a_column_can_be_left_unread(folder: Folder) -> None:
    root = folder(BILDER, GERMAN.replace("54 J.", "mitte 50").replace("61", "ca. 60"))
    with pytest.raises(DermaugError) as caught:
        open_catalog(root)
    assert caught.value.details == (
        "Liste.csv line 2: expected an age in years or nothing (--age-column - leaves the column "
        "out), found 'mitte 50' (and 1 more row with 'ca. 60')",
        "--leave-out-unclear leaves out what was found, and counts it",
    )
    catalog = open_catalog(root, Reading(columns={"age": "-"}))
    assert catalog.table["age"].isna().all()
    assert set(catalog.table["sex"]) == {"female", "male"}


def test_a_column_of_a_public_data_set_cannot_be_left_unread(folder: Folder) -> None:
    root = folder("nv/a.jpg mel/b.jpg")
    with pytest.raises(DermaugError, match=r"--sex-column - leaves out a column of a table"):
        open_catalog(root, Reading(columns={"sex": "-"}))


def test_a_title_above_the_header_is_no_header(folder: Folder) -> None:
    table = (
        "Consulta de Dermatologia, 2019-2022\t\t\t\n\t\t\t\n"
        "Ficheiro\tN.º doente\tLesão\tDiagnóstico\n"
        "a.jpg\t1\tL1\tNevo\nb.jpg\t1\tL2\tMelanoma\nc.jpg\t2\tL3\tNevo\nd.jpg\t2\tL3\tNevo\n"
    )
    files = "Fotografias/a.jpg Fotografias/b.jpg Fotografias/c.jpg Fotografias/d.jpg"
    catalog = open_catalog(folder(files, table, "Registo de doentes.txt", "utf-16"))
    assert lesions_and_patients(catalog) == [("L1", "1"), ("L2", "1"), ("L3", "2"), ("L3", "2")]
    assert any(
        "Left out above the header: Consulta de Dermatologia, 2019-2022." in note
        for note in catalog.notes
    )


def test_a_column_called_lesion_may_hold_diagnoses(folder: Folder) -> None:
    table = "foto,lesión,diagnóstico\na,nevo,nevo\nb,melanoma,melanoma\nc,nevo,nevo\nd,nevo,nevo\n"
    catalog = open_catalog(folder("a.jpg b.jpg c.jpg d.jpg", table))
    assert not catalog.grouped
    assert any("Columns that were not read: lesión" in note for note in catalog.notes)


def test_equal_names_in_folders_of_patients_are_told_apart(folder: Folder) -> None:
    table = (
        "Nº historia;Archivo;Diagnóstico\n"
        "01;foto1.jpg;Nevus\n01;foto2.jpg;Melanoma\n02;foto1.jpg;Nevus\n03;foto1.jpg;Melanoma\n"
    )
    root = folder("01/foto1.jpg 01/foto2.jpg 02/foto1.jpg 03/foto1.jpg", table)
    catalog = open_catalog(root)
    paths = [Path(path).relative_to(root).as_posix() for path in catalog.table["path"]]
    assert paths == ["01/foto1.jpg", "01/foto2.jpg", "02/foto1.jpg", "03/foto1.jpg"]
    assert catalog.table["patient_id"].tolist() == ["01", "01", "02", "03"]
    assert catalog.table["label"].tolist() == ["Nevus", "Melanoma", "Nevus", "Melanoma"]


def test_images_without_a_label_are_left_out_and_counted(folder: Folder) -> None:
    catalog = open_catalog(folder("a.jpg b.jpg c.jpg", "file_name,label\na,nv\nb,\nc,mel\n"))
    assert catalog.image_ids.tolist() == ["a", "c"]
    assert catalog.classes == ("mel", "nv")
    assert "Left out 1 image by label: no label (1)." in catalog.notes


DUTCH = (
    "Patiënt;Laesie;Leeftijd;Geslacht;Uitslag PA;Foto 1;Foto 2\n"
    "1;1;54;m;Naevus;a;b\n1;2;54;m;Melanoom;c;\n2;1;70;v;Naevus;d;\n2;2;70;v;Melanoom;e;f\n"
)


def test_several_photographs_in_a_row_are_those_of_one_lesion(folder: Folder) -> None:
    catalog = open_catalog(folder(BILDER, DUTCH))
    assert catalog.image_ids.tolist() == list("abcdef")
    assert lesions_and_patients(catalog) == [
        *[("1_1", "1")] * 2,
        *[("1_2", "1"), ("2_1", "2")],
        *[("2_2", "2")] * 2,
    ]
    assert catalog.table["sex"].tolist() == ["male"] * 3 + ["female"] * 3
    assert any("also read Foto 2." in note for note in catalog.notes)
    assert "Read as sexes: m = male, v = female." in catalog.notes


@pytest.mark.parametrize(
    ("column", "letters", "sexes"),
    [
        ("Sexe", "fhfhfh", ["female", "male"]),
        ("Sexo", "mhmhmh", ["female", "male"]),
        ("Sexo", "mvmvmv", ["female", "male"]),
        ("Geslacht", "mvmvmv", ["male", "female"]),
    ],
)
def test_letters_of_sexes_are_read_in_pairs(
    folder: Folder, column: str, letters: str, sexes: list[str]
) -> None:
    labels = ["nv"] * 3 + ["mel"] * 3
    rows = [
        f"{name},{label},{sex}" for name, label, sex in zip("abcdef", labels, letters, strict=True)
    ]
    catalog = open_catalog(folder(BILDER, "\n".join([f"file_name,label,{column}", *rows])))
    assert catalog.table["sex"].tolist() == sexes * 3


def test_what_names_no_diagnoses_is_not_proposed_as_labels(folder: Folder) -> None:
    table = (
        "Cliché,Lésion,S,Côté,Retenu\na,A,h,g,nævus\nb,B,f,d,mélanome\nc,A,h,g,nævus\n"
        "d,A,f,d,mélanome\ne,B,h,d,nævus\nf,B,f,g,nævus\n"
    )
    with pytest.raises(DermaugError) as caught:
        open_catalog(folder(BILDER, table))
    assert "--image-column 'Cliché' --label-column Retenu;" in str(caught.value)


def test_lists_of_several_years_are_read_as_one(folder: Folder) -> None:
    header, *rows = GERMAN.splitlines()
    root = folder(BILDER, "\n".join([header, *rows[:2]]), "Liste 2021.csv")
    (root / "Liste 2022.csv").write_text("\n".join([header, *rows[2:]]), "utf-8")
    catalog = open_catalog(root)
    assert catalog.image_ids.tolist() == list("abcdef")
    assert "of Liste 2021.csv, Liste 2022.csv." in recognised_as(root)
    named = open_catalog(root, Reading(columns={"file_name": "Bilddatei", "label": "Diagnose"}))
    assert named.table["lesion_id"].tolist() == catalog.table["lesion_id"].tolist()
    (root / "Liste 2022.csv").write_text(header.replace("Alter", "Jahre") + "\n", "utf-8")
    with pytest.raises(DermaugError):
        open_catalog(root)


def test_no_photograph_of_another_patient_is_proposed_for_a_lost_one(folder: Folder) -> None:
    table = "file_name,label\nP1/1.jpg,nv\nP2/1.jpg,mel\nP9/1.jpg,mel\n"
    with pytest.raises(DermaugError) as caught:
        open_catalog(folder("P1/1.jpg P2/1.jpg", table))
    assert caught.value.details == (
        "Liste.csv line 4: no image file for file_name 'P9/1.jpg'; put it there, or delete the row",
        "--leave-out-unclear leaves out what was found, and counts it",
    )


def test_an_export_with_vertical_bars_is_read(folder: Folder) -> None:
    cells = ("1|a.jpg|C43.5|M", "1|b.jpg|D22.5|M", "2|c.jpg|D22.5|F", "3|d.jpg|C43.5|F")
    rows = [f"{each}|{place}" for place, each in enumerate(cells)]
    table = "\n".join(["PAT_MRN|FILE|DIAGNOSIS|SEX|NOTE", *rows])
    catalog = open_catalog(folder("a.jpg b.jpg c.jpg d.jpg", table, "export.txt"))
    assert catalog.table["label"].tolist() == ["C43.5", "D22.5", "D22.5", "C43.5"]
    assert catalog.table["patient_id"].tolist() == ["1", "1", "2", "3"]
    assert catalog.table["sex"].tolist() == ["male", "male", "female", "female"]


@pytest.mark.parametrize("name", ["N.º processo", "Hosp No", "NHS number", "Processo clínico"])
def test_numbers_of_hospitals_are_those_of_patients(folder: Folder, name: str) -> None:
    rows = ["1201,nevo,a.jpg,masc.", "1201,nevo,b.jpg,masc.", "1300,melanoma,c.jpg,Fem."]
    rows.append("1301,melanoma,d.jpg,fem")
    table = "\n".join([f"{name},Diagnóstico,Ficheiro,Sexo", *rows])
    catalog = open_catalog(folder("a.jpg b.jpg c.jpg d.jpg", table))
    assert catalog.table["patient_id"].tolist() == ["1201", "1201", "1300", "1301"]
    assert catalog.table["sex"].tolist() == ["male", "male", "female", "female"]


@pytest.mark.parametrize(
    ("numbers", "is_told"),
    [
        (("925311/0042", "925311/0042", "916105/1177", "916105/1177"), True),
        (("2021-03-04", "2021-03-04", "2021-03-05", "2021-03-05"), False),
        (("101", "102", "103", "104"), False),  # of the images
        (("back", "back", "nose", "nose"), False),
    ],
)
def test_an_unread_column_that_may_number_patients_is_pointed_out(
    folder: Folder, numbers: tuple[str, ...], is_told: bool
) -> None:
    rows = "\n".join(
        f"{name};{label};{each}"
        for name, label, each in zip("abcd", ("nv", "mel") * 2, numbers, strict=True)
    )
    root = folder("a.jpg b.jpg c.jpg d.jpg", f"file_name;label;Fach\n{rows}\n")
    notes = " ".join(open_catalog(root).notes)
    assert ("Fach may number patients (2 values in 4 rows)" in notes) == is_told
