"""Folders of photographs without a table, as they lie on disks."""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

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


def test_a_few_other_names_do_not_hide_the_numbers_of_patients(folder: Folder) -> None:
    names = [f"P{number // 3:02}_{number}.jpg" for number in range(18)]
    files = [f"{'nv' if number % 2 else 'mel'}/{name}" for number, name in enumerate(names)]
    catalog = open_catalog(folder(" ".join([*files, "nv/export.jpg"])))
    assert any("The names of 18 images begin with one of 6 numbers" in n for n in catalog.notes)
