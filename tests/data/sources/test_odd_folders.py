"""Folders of photographs without a table, as they lie on disks."""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from dermaug.config.data import Reading
from dermaug.data.sources import open_catalog, recognised_as
from dermaug.errors import DermaugError

Folder = Callable[..., Path]
NUMBERED = "nv/L01/1.jpg nv/L01/2.jpg nv/L02/1.jpg mel/L01/1.jpg mel/L02/1.jpg mel/L02/2.jpg"


@pytest.mark.parametrize("word", ["L", "lesion-", "Förändring-"])
def test_folders_numbered_as_lesions_are_lesions_of_their_class(folder: Folder, word: str) -> None:
    root = folder(NUMBERED.replace("L0", f"{word}0"))
    catalog = open_catalog(root)
    assert "one folder per lesion" in recognised_as(root)
    assert catalog.table["lesion_id"].nunique() == 4
    assert set(catalog.table["patient_id"]) == {""}
    assert len(set(catalog.groups)) == 4


def test_folders_of_other_names_in_several_classes_stay_in_doubt(folder: Folder) -> None:
    with pytest.raises(DermaugError) as caught:
        open_catalog(folder(NUMBERED.replace("L0", "visit0")))
    assert "it is open which are the classes" in caught.value.details[0]


def test_a_folder_without_a_photograph_is_left_out_and_named(folder: Folder) -> None:
    root = folder(NUMBERED)
    (root / "mel" / "L03").mkdir()
    (root / "mel" / "L03" / "1.heic").write_bytes(b"x")
    catalog = open_catalog(root)
    assert len(catalog) == 6
    assert any("Left out folders without images: mel/L03 (HEIC" in note for note in catalog.notes)


def test_one_name_in_two_forms_of_unicode_is_one_class(folder: Folder) -> None:
    composed, apart = (unicodedata.normalize(form, "Nävus") for form in ("NFC", "NFD"))
    catalog = open_catalog(folder(f"{composed}/1.jpg {apart}/2.jpg mel/3.jpg"))
    assert catalog.classes == (composed, "mel")
    assert catalog.table["label"].tolist().count(composed) == 2


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Müller_Eva {} 2021-03-14_2.jpg", False),  # as many beginnings as photographs, or one
        ("IMG_{}.jpg", False),
        ("{}_2021-03-14_2.jpg", True),
    ],
)
def test_names_of_patients_before_a_date_are_pointed_out(
    folder: Folder, name: str, told: bool
) -> None:
    people = ["Müller_Eva", "Huber_Franz", "Huber_Karin", "Gruber-Maier Ida", "Bauer", "Ott_Leo"]
    for place in range(18):
        who = people[place // 3] if told else f"{place:03}"
        day = name.format(who).replace("14_2", f"{10 + place}_2")
        root = folder("")
        (root / ("nv" if place % 2 else "mel")).mkdir(parents=True, exist_ok=True)
        (root / ("nv" if place % 2 else "mel") / day).write_bytes(b"not decoded here")
    notes = " ".join(open_catalog(root).notes)
    assert ("The names of 18 images begin with one of 6 names (" in notes) == told


def test_a_few_other_names_do_not_hide_the_numbers_of_patients(folder: Folder) -> None:
    names = [f"P{number // 3:02}_{number}.jpg" for number in range(18)]
    files = [f"{'nv' if number % 2 else 'mel'}/{name}" for number, name in enumerate(names)]
    catalog = open_catalog(folder(" ".join([*files, "nv/export.jpg"])))
    assert any("The names of 18 images begin with one of 6 numbers" in n for n in catalog.notes)


@pytest.mark.parametrize("names", ["2022 2023 2024", "2024-01 2024-02", "1.3.2024 12.3.2024"])
def test_folders_named_after_dates_are_no_classes(folder: Folder, names: str) -> None:
    files = " ".join(f"{name}/{number}.jpg" for number, name in enumerate(names.split()))
    with pytest.raises(DermaugError) as caught:
        open_catalog(folder(files))
    assert f"the folders {', '.join(sorted(names.split()))} are named after dates" in str(
        caught.value
    )


@pytest.mark.parametrize("below", ["", "IMD{0}_Dermoscopic_Image/"])
def test_a_folder_per_lesion_is_no_class(folder: Folder, below: str) -> None:
    files = " ".join(f"set/IMD{n}/{below.format(n)}IMD{n}.jpg" for n in range(30))
    root = folder(files)
    for path in (root, root / "set"):
        with pytest.raises(DermaugError) as caught:
            open_catalog(path)
        assert "30 folders (IMD0, ...) with 30 images: one folder per lesion" in str(caught.value)
        assert "did you mean" not in str(caught.value)


def test_folders_per_patient_below_class_folders_are_read(folder: Folder) -> None:
    root = folder("nv/P1/1.jpg nv/P1/2.jpg nv/P2/1.jpg mel/P1/3.jpg mel/P3/3.jpg mel/P4/1.jpg")
    catalog = open_catalog(root)
    assert catalog.table["label"].tolist() == ["mel"] * 3 + ["nv"] * 3
    assert catalog.table["patient_id"].tolist() == ["P1", "P3", "P4", "P1", "P1", "P2"]
    assert recognised_as(root).startswith("Read as class folders (mel, nv) with one folder per")


def test_classes_below_folders_of_patients_are_not_taken_for_patients(folder: Folder) -> None:
    root = folder("P1/nv/1.jpg P1/mel/2.jpg P2/nv/3.jpg P2/mel/4.jpg P3/mel/5.jpg")
    with pytest.raises(DermaugError, match="not a supported data set") as caught:
        open_catalog(root)
    (line,) = caught.value.details
    assert "folders of the same names (mel, nv) in them, and it is open which are" in line


def test_folders_of_dates_below_classes_are_no_patients(folder: Folder) -> None:
    root = folder("nv/2021/a.jpg nv/2022/Luglio/b.jpg mel/2021/c.jpg mel/2022/März/d.jpg")
    catalog = open_catalog(root)
    assert catalog.table["label"].tolist() == ["mel", "mel", "nv", "nv"]
    assert set(catalog.table["patient_id"]) == {""}
    assert "with folders of dates in each" in recognised_as(root)


def test_names_that_may_begin_with_a_patient_are_pointed_out(folder: Folder) -> None:
    catalog = open_catalog(folder("nv/P1_1.jpg nv/P1_2.jpg nv/P2_1.jpg mel/P1_3.jpg mel/P3_1.jpg"))
    (note,) = [note for note in catalog.notes if "begin with" in note]
    assert "5 images begin with one of 3 numbers (P1, P3, P2, ...)" in note


def test_names_of_a_camera_are_no_patients(folder: Folder) -> None:
    catalog = open_catalog(folder("nv/IMG_1.jpg nv/IMG_2.jpg mel/IMG_3.jpg mel/DSC4.jpg"))
    assert not any("begin with" in note for note in catalog.notes)


def test_folders_of_a_camera_are_no_classes(folder: Folder) -> None:
    root = folder("100CANON/IMG_1.jpg 100CANON/IMG_2.jpg 101CANON/IMG_3.jpg 101CANON/IMG_4.jpg")
    with pytest.raises(DermaugError, match="100CANON bears the name of a split or of a folder for"):
        open_catalog(root)


@pytest.mark.parametrize(
    "files",
    [
        "Patient-0/mel/1.jpg Patient-1/nv/2.jpg Patient-2/bcc/3.jpg",
        "Graz/melanoma/1.jpg Wien/nevus/2.jpg",
        "P00/2019/1.jpg P01/2020/2.jpg",
    ],
)
def test_patients_years_and_places_are_no_classes(folder: Folder, files: str) -> None:
    with pytest.raises(DermaugError) as caught:
        open_catalog(folder(files))
    assert "do not seem to be classes" in caught.value.details[0]


def test_bare_numbers_are_patients_and_no_months(folder: Folder) -> None:
    files = [f"{label}/{n}/{n}.jpg" for label, n in [("nv", 1), ("nv", 2), ("mel", 3), ("mel", 4)]]
    catalog = open_catalog(folder(" ".join(files)))
    assert catalog.table["patient_id"].tolist() == ["3", "4", "1", "2"]


YEARS = "2021/Melanoma/a.jpg 2021/Nevo/b.jpg 2022/Melanoma/c.jpg 2022/Da_rivedere/d.jpg"


def test_diagnoses_within_years_are_the_classes(folder: Folder) -> None:
    root = folder(YEARS)
    catalog = open_catalog(root)
    assert catalog.table["label"].tolist() == ["Melanoma", "Nevo", "Da_rivedere", "Melanoma"]
    assert set(catalog.table["patient_id"]) == {""}
    assert recognised_as(root).endswith("(Da_rivedere, Melanoma, Nevo) in folders of dates.")


@pytest.mark.parametrize(
    "files",
    [
        YEARS.replace("2021", "Dr.Rossi"),  # a place, a doctor, a patient
        YEARS.replace("Nevo", "Varie").replace("Da_rivedere", "Altro"),  # mostly no diagnoses
        YEARS.replace("Nevo", "Melanoma").replace("Da_rivedere", "Melanoma"),
    ],
)
def test_outer_folders_in_doubt_are_asked_about(folder: Folder, files: str) -> None:
    with pytest.raises(DermaugError, match="not a supported data set"):
        open_catalog(folder(files))


def test_a_folder_per_patient_with_one_per_diagnosis_in_it(folder: Folder) -> None:
    names = [f"{n:02d}_X/{'Melanoma' if n % 2 else 'Naevus'}/{n}.jpg" for n in range(24)]
    root = folder(" ".join([*names, "00_X/Rare/a.jpg", "01_X/loose.jpg"]))
    with pytest.raises(DermaugError) as caught:
        open_catalog(root, Reading(unclear="stop"))
    assert caught.value.details[0] == "images in no folder of a class: 1 (01_X/loose.jpg)"
    catalog = open_catalog(root, Reading(unclear="leave_out"))
    assert catalog.classes == ("Melanoma", "Naevus", "Rare")
    assert catalog.table["patient_id"].nunique() == 24
    assert "Images in one of the outer folders are taken as those of one patient." in catalog.notes


NAMED = "SK_nose_1a.jpg SK_nose_1b.jpg BCC_ear_2.jpg Basal_cell_carcinoma_3.jpg"


def test_names_of_images_that_begin_with_diagnoses_tell_the_classes(folder: Folder) -> None:
    root = folder(f"images/{NAMED.replace(' ', ' images/')}")
    catalog = open_catalog(root)
    assert sorted(catalog.table["label"]) == ["BCC", "Basal cell carcinoma", "SK", "SK"]
    assert recognised_as(root).startswith("Read by the beginnings of the images' names: BCC, ")


def test_names_without_a_diagnosis_are_unclear(folder: Folder) -> None:
    many = " ".join(f"MM_{n}.jpg" for n in range(14))
    root = folder(f"{NAMED} {many} quiz_1.jpg")
    with pytest.raises(DermaugError) as caught:
        open_catalog(root, Reading(unclear="stop"))
    assert caught.value.details[0] == "1 of 19 images' names begin with no diagnosis: quiz_1.jpg"
    assert len(open_catalog(root, Reading(unclear="leave_out"))) == 18


@pytest.mark.parametrize("files", ["a.jpg b.jpg c.jpg", f"{NAMED} a.jpg", "MM_1.jpg MM_2.jpg"])
def test_names_of_images_that_may_tell_nothing_are_not_read(folder: Folder, files: str) -> None:
    with pytest.raises(DermaugError, match="not a supported data set"):
        open_catalog(folder(files))


def test_zero_and_one_are_classes_and_no_months(folder: Folder) -> None:
    assert open_catalog(folder("0/a.jpg 1/b.jpg")).classes == ("0", "1")


def test_names_of_images_in_a_folder_per_patient_tell_the_classes(folder: Folder) -> None:
    names = [f"P{n:02d}/{'BCC' if n % 2 else 'nevus'}_back_{n}.jpg" for n in range(24)]
    catalog = open_catalog(folder(" ".join(names)))
    assert catalog.classes == ("BCC", "nevus")
    assert catalog.table["patient_id"].nunique() == 24
