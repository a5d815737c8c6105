"""Columns of one's own tables are known by their names in several languages, or named."""

from pathlib import Path

import pytest
import typer.testing
from PIL import Image

from dermaug.cli import app
from dermaug.config import DataConfig
from dermaug.config.data import Reading
from dermaug.data.catalog import Catalog
from dermaug.data.dataset import open_other
from dermaug.data.sources import open_catalog
from dermaug.data.sources.column_names import ALIASES, OWN_NAMES, known_columns
from dermaug.errors import DermaugError


def table_of(tmp_path: Path, header: str, *rows: str, name: str = "set") -> Path:
    root = tmp_path / name
    root.mkdir()
    lines = [header]
    for number, row in enumerate(rows):
        Image.new("RGB", (20, 20), (number, 0, 0)).save(root / f"{number}.png")
        lines.append(f"{number}.png,{('mel', 'nv')[number % 2]},{row}")
    (root / "metadata.csv").write_text("\n".join(lines), "utf-8")
    return root


def told(catalog: Catalog) -> list[tuple[object, ...]]:
    columns = ["patient_id", "age", "sex", "localization"]
    return list(catalog.table[columns].itertuples(index=False, name=None))


@pytest.mark.parametrize(
    ("header", "row", "sex"),
    [
        ("Patient,Alter,Geschlecht,Lokalisation", "P1,45 Jahre,weiblich,x", "female"),
        ("PATIENT_ID,Âge,Sexe,Localisation", "P1,45 ans,homme,x", "male"),
        ("ID paciente,Edad,Sexo,Localización", "P1,45,mujer,x", "female"),
        ("Paziente,Età,Sesso,Sede", "P1,45 anni,Uomo,x", "male"),
        ("Paciente,Idade,Género,Localização", "P1,45,Masculino,x", "male"),
        ("Patient-ID,Age (years),Gender,Body site", "P1,45 y,divers,x", "unknown"),
    ],
)
def test_columns_of_several_languages_are_known(
    tmp_path: Path, header: str, row: str, sex: str
) -> None:
    catalog = open_catalog(table_of(tmp_path, f"file_name,label,{header}", row, row))
    assert told(catalog) == [("P1", 45.0, sex, "x")] * 2
    patient, age, gender, site = header.split(",")
    assert catalog.notes[-1] == (
        f"Also read: patient_id ({patient}), age ({age}), sex ({gender}), localization ({site})."
    )


def test_no_name_stands_for_two_columns() -> None:
    names = [
        name
        for column in {**ALIASES, **OWN_NAMES}
        for name in {*ALIASES.get(column, ()), *OWN_NAMES.get(column, ())}
    ]
    for name in names:
        assert len(known_columns([name.upper()])) == 1
    assert len(names) == len(set(names))


def test_a_column_of_any_name_can_be_named_once_for_check_and_plan(tmp_path: Path) -> None:
    root = table_of(tmp_path, "file_name,label,J,Typ,W", "45,3,arm", "46,2,leg")
    asked = DataConfig(age_column="J", site_column="W", tone_column="Typ")
    catalog = open_catalog(root, Reading(columns=asked.columns))
    assert told(catalog) == [("", 45.0, "unknown", "arm"), ("", 46.0, "unknown", "leg")]
    assert catalog.table["skin_tone"].tolist() == ["3", "2"]
    words = ["--age-column", "J", "--site-column", "W", "--tone-column", "Typ"]
    assert asked.as_options == words
    ended = typer.testing.CliRunner().invoke(app, ["data", "check", str(root), *words])
    assert "Also read: age (J), localization (W), skin_tone (Typ)." in ended.output
    with pytest.raises(DermaugError) as caught:
        open_catalog(root, Reading(columns={"sex": "Sex"}))
    assert "no column 'Sex'" in str(caught.value)


def test_another_data_set_keeps_those_of_the_columns_that_it_has(tmp_path: Path) -> None:
    header, named = "Bild,Befund,J", {"file_name": "Bild", "label": "Befund", "age": "J"}
    first = table_of(tmp_path, header, "45", "46", name="first")
    second = table_of(tmp_path, "Bild,Befund,lens", "a", "b", name="second")
    config = DataConfig(source=str(first)).with_columns(named)
    assert open_other(config, first).table["age"].tolist() == [45.0, 46.0]
    assert open_other(config, second).classes == ("mel", "nv")
    plain = table_of(tmp_path, "file_name,label,J", "45", "46", name="third")
    assert open_other(config, plain).table["age"].isna().all()
