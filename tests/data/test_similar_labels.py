"""Names that probably mean one class are asked about, and never merged in silence."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dermaug.config import DataConfig
from dermaug.data.catalog import COLUMNS, Catalog
from dermaug.data.diagnoses import OTHER_NAMES, meaning
from dermaug.data.selection import select, select_alike
from dermaug.data.similar_labels import merges, similar_label_lines, similar_labels
from dermaug.errors import DermaugError


def catalog_of(labels: list[str]) -> Catalog:
    table = pd.DataFrame(dict.fromkeys(COLUMNS, ""), index=range(len(labels)))
    ids = [f"i{row}" for row in range(len(labels))]
    table = table.assign(image_id=ids, lesion_id=ids, label=labels, age=np.nan)
    return Catalog("Made", Path(), table, tuple(sorted(set(labels))))


@pytest.mark.parametrize(
    "labels",
    [
        ("Melanoma", "melanoma"),
        ("nevus ", "nevus"),
        ("n\u00e9vus", "ne\u0301vus"),
        ("in situ", "In  Situ"),
        ("mel", "melanoma"),
        ("Naevus", "Nevus", "N\u00e4vi", "melanocytic_nevi"),
        ("BCC", "basal cell carcinoma", "Basalzellkarzinom"),
        ("SK", "seborrheic keratosis", "Seborrhoeic keratoses"),
        ("H\u00e4mangiom", "haemangioma"),
        ("Bowen's disease", "morbus bowen"),
        ("1", "1.0", "1.00"),
        ("Dermatitis herpetiformis", "dermatitis herpetifromis"),
        ("Psoriasis vulgaris", "psoriassis vulgaris"),
        ("BCC", "BCC (nodular)", "Basal cell ca"),
        ("Seb K", "Seb. keratosis", "SK"),
        ("MM", "Melanoom", "Melanom"),
        ("BZK", "Basaliom", "basaalcelcarcinoom"),
        ("Melanoma 2021", "Melanoma_2022", "2023 Melanom"),
        ("Nevo", "Nevi - Copia", "Nevi 2"),
    ],
)
def test_names_of_one_class_are_found(labels: tuple[str, ...]) -> None:
    others = ("squamous cell carcinoma", "blue nevus", "lentigo maligna")
    assert similar_labels([*labels, *others]) == [labels]


def test_diagnoses_of_several_years_are_read_as_the_diagnosis() -> None:
    catalog = catalog_of(["Nevi 2021", "Nevi 2021", "Nevi 2022", "mel"])
    assert merges(catalog) == {"Nevi 2021": "Nevi", "Nevi 2022": "Nevi"}
    (line,) = similar_label_lines(catalog)
    assert "merge them: --labels 'Nevi 2021=Nevi' --labels 'Nevi 2022=Nevi'" in line


@pytest.mark.parametrize(
    "labels",
    [
        ("BCC", "SCC"),
        ("typical nevus", "atypical nevus", "nevus"),
        ("malignant", "nonmalignant", "benign"),
        ("grade I", "grade II", "grade III"),
        ("grade 1", "grade 2", "2021", "2022"),
        ("class 10", "class 11", "1.0", "10"),
        ("lesionA", "lesionB"),
        ("hypertrophic", "hypotrophic"),
        ("+", "-"),
        ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc", "scc", "unk"),
    ],
)
def test_names_of_different_classes_are_not(labels: tuple[str, ...]) -> None:
    assert similar_labels(labels) == []


def test_no_name_is_of_two_diagnoses() -> None:
    for diagnosis, others in OTHER_NAMES.items():
        assert {meaning(name) for name in (diagnosis, *others)} == {diagnosis}


def test_spellings_of_one_label_are_refused_with_counts_and_can_be_merged() -> None:
    catalog = catalog_of(["Melanoma", "melanoma", "melanoma", "nv"])
    with pytest.raises(DermaugError, match="found several that mean one class") as caught:
        select(catalog, DataConfig())
    assert caught.value.details == (
        "'Melanoma' (1 image) and 'melanoma' (2 images) differ only in case or blanks; merge them: "
        "--labels Melanoma=melanoma",
    )
    merged = select(catalog, DataConfig(groups={"melanoma": ("Melanoma", "melanoma")}))
    assert merged.classes == ("melanoma", "nv")
    assert select(catalog, DataConfig(classes=("melanoma", "nv"))).num_classes == 2


def test_synonyms_are_merged_or_kept_as_the_user_decides() -> None:
    catalog = catalog_of(["nv", "Naevus", "Naevus", "mel"])
    with pytest.raises(DermaugError) as caught:
        select(catalog, DataConfig())
    assert caught.value.details == (
        "'Naevus' (2 images) and 'nv' (1 image) probably mean one thing; merge them: --labels "
        "nv=Naevus, or keep them as classes of their own: --labels nv=nv",
    )
    assert select(catalog, DataConfig(labels={"nv": "nv"})).num_classes == 3
    assert select(catalog, DataConfig(classes=("Naevus", "nv"))).num_classes == 2


def test_another_data_set_is_asked_about_its_names_of_known_classes() -> None:
    with pytest.raises(DermaugError, match=r"Basaliom \(is it bcc\?\)"):
        select_alike(catalog_of(["Basaliom", "nv"]), DataConfig(), ("bcc", "nv"))


def test_a_suspicion_is_left_out_and_not_merged() -> None:
    catalog = catalog_of(["Angiome", "Angiome", "Angiome ?", "Angiomme", "unklar", "Nevus"])
    assert merges(catalog) == {"Angiome ?": "", "unklar": "", "Angiomme": "Angiome"}
    lines = similar_label_lines(catalog)
    assert len(lines) == 3
    assert any(
        line.startswith("'unklar' (1 image) is no diagnosis; leave it out") for line in lines
    )
    assert similar_label_lines(catalog, decided=["Angiome ?", "unklar", "Angiomme"]) == []


@pytest.mark.parametrize(
    ("sure", "doubtful"),
    [
        ("Czerniak", "podejrzenie czerniaka"),
        ("Melanoma", "?melanoma"),
        ("Melanoma", "melanoma (?)"),
        ("Melanoma", "r/o melanoma"),
        ("Nevo", "a esclarecer"),
        ("D22.5", "D48.5"),
        ("Nevus", "Z12.83 Encounter for screening for malignant neoplasm of skin"),
        ("Melanom", "Misstänkt melanom"),
        ("Melanom", "mistanke om melanom"),
        ("Nevus", "do weryfikacji"),
        ("Nevus", "osäkert"),
        ("Nevus", "à vérifier"),
    ],
)
def test_doubts_are_understood_in_several_languages(sure: str, doubtful: str) -> None:
    assert merges(catalog_of([sure, sure, doubtful])) == {doubtful: ""}


def test_codes_of_one_diagnosis_are_one_and_of_others_are_not() -> None:
    catalog = catalog_of(["C43.59", "C43.4", "c43.59", "C44.519", "C44.529", "C44.9", "D23.5"])
    assert merges(catalog) == {"C43.59": "C43.4", "c43.59": "C43.4"}
    described = catalog_of(["D22.5 Melanocytic nevi of trunk", "Nevus", "L82.1"])
    assert merges(described) == {"Nevus": "D22.5 Melanocytic nevi of trunk"}


def test_a_suspicion_is_no_diagnosis() -> None:
    catalog = catalog_of(["Melanom", "V. a. Melanom", "Melanom", "Nevus", "Scar?"])
    with pytest.raises(DermaugError) as caught:
        select(catalog, DataConfig())
    (line,) = caught.value.details
    assert line.startswith(
        "'V. a. Melanom' (1 image) is a suspicion beside 'Melanom' (2 images); leave it out: "
        "--leave-out 'V. a. Melanom', or merge them: "
    )
    config = DataConfig(labels={"V. a. Melanom": "V. a. Melanom"})
    assert len(select(catalog, config).table) == 5
