from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dermaug.data.catalog import Catalog
from dermaug.errors import DermaugError
from dermaug.evaluation.predictions import (
    build_predictions,
    checked_predictions,
    label_indices,
    probabilities_of,
    read_predictions,
    refuse_other_rows,
    write_predictions,
)

CLASSES = ("bkl", "mel")


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    table = pd.DataFrame(
        {
            "image_id": ["a", "b", "c"],
            "lesion_id": ["1", "1", "2"],
            "label": ["mel", "mel", "bkl"],
            "patient_id": "",
            "path": "",
            "mask_path": "",
            "age": np.nan,
            "sex": "unknown",
            "localization": "unknown",
            "skin_tone": "unknown",
            "dx_type": "unknown",
        }
    )
    return Catalog("three", tmp_path, table, CLASSES)


@pytest.fixture
def table(catalog: Catalog) -> pd.DataFrame:
    probabilities = np.array([[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]])
    return build_predictions(catalog, np.array([1, 0, 2]), "test", probabilities)


def test_what_is_written_is_read(table: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "trial" / "predictions.parquet"
    write_predictions(path, table, CLASSES)
    again = read_predictions(path, CLASSES)
    assert again.to_dict("list") == table.to_dict("list")
    assert [file.name for file in path.parent.iterdir()] == ["predictions.parquet"]


def test_the_group_is_the_patient_where_one_is_known(catalog: Catalog, table: pd.DataFrame) -> None:
    assert list(table.columns[:5]) == ["image_id", "lesion_id", "group", "part", "label"]
    assert table["group"].tolist() == table["lesion_id"].tolist()
    known = replace(catalog, table=catalog.table.assign(patient_id=["P", "P", ""]))
    probabilities = np.full((3, 2), 0.5)
    found = build_predictions(known, np.arange(3), "test", probabilities)
    assert found["group"].tolist() == ["patient P", "patient P", "2"]
    assert found["lesion_id"].tolist() == ["1", "1", "2"]


def test_rows_keep_their_order(table: pd.DataFrame) -> None:
    assert table["image_id"].tolist() == ["b", "a", "c"]
    assert label_indices(table, CLASSES).tolist() == [1, 1, 0]
    assert probabilities_of(table, CLASSES).tolist() == [[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]]


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"p_mel": 0.9}, "sum 1, the first b"),
        ({"p_mel": np.nan}, "sum 1"),
        ({"part": "train"}, "part: expected validation, test; found train"),
        ({"label": "nv"}, "label: expected bkl, mel; found nv"),
        ({"image_id": "a"}, "occur twice: a"),
        ({"part": ["test", "validation", "test"]}, "lesions in two splits: 1"),
        ({"part": ["test", "test", "validation"], "group": "g"}, "groups in two splits: g"),
    ],
)
def test_each_fault_is_named(table: pd.DataFrame, change: dict, finding: str) -> None:
    with pytest.raises(DermaugError, match="invalid predictions") as caught:
        checked_predictions(table.assign(**change), CLASSES)
    assert finding in "\n".join(caught.value.details)


def test_other_classes_and_damaged_files_are_refused(table: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    with pytest.raises(DermaugError, match="found no file"):
        read_predictions(path, CLASSES)
    write_predictions(path, table, CLASSES)
    with pytest.raises(DermaugError, match=r"expected the columns .* p_nv"):
        read_predictions(path, (*CLASSES, "nv"))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DermaugError, match="not a readable parquet file"):
        read_predictions(path, CLASSES)


def test_no_flipped_bit_changes_predictions_in_silence(table: pd.DataFrame, tmp_path: Path) -> None:
    """Parquet has checksums, but writes none by default."""
    path = tmp_path / "predictions.parquet"
    write_predictions(path, table, CLASSES)
    whole, sound = path.read_bytes(), read_predictions(path, CLASSES)
    for place in range(0, len(whole), 53):
        content = bytearray(whole)
        content[place] ^= 16
        path.write_bytes(content)
        with suppress(DermaugError):
            pd.testing.assert_frame_equal(read_predictions(path, CLASSES), sound)


def test_a_wrong_shape_is_refused(catalog: Catalog) -> None:
    with pytest.raises(DermaugError, match="expected 3 x 2 probabilities, found 3 x 3"):
        build_predictions(catalog, np.arange(3), "test", np.full((3, 3), 1 / 3))


@pytest.mark.parametrize(
    "change", [{"p_mel": "x"}, {"p_mel": None}, {"lesion_id": None}, {"image_id": None}]
)
def test_trials_of_another_kind_are_findings(
    table: pd.DataFrame, change: dict[str, str | None]
) -> None:
    with pytest.raises(DermaugError, match="invalid predictions"):
        checked_predictions(table.assign(**change), CLASSES)


def test_predictions_of_the_fold_pass_in_any_order(table: pd.DataFrame, catalog: Catalog) -> None:
    refuse_other_rows(table, catalog, {"validation": (), "test": ("c", "a", "b")}, "x")


@pytest.mark.parametrize(
    ("change", "images"),
    [
        ({"image_id": ["b", "a", "z"]}, ("a", "b", "c")),
        ({"label": "mel"}, ("a", "b", "c")),
        ({"lesion_id": "1"}, ("a", "b", "c")),
        ({"group": "1"}, ("a", "b", "c")),
        ({"part": "validation"}, ("a", "b", "c")),
        ({}, ("a", "b")),
    ],
    ids=[
        "other image",
        "other label",
        "other lesion",
        "other group",
        "other part",
        "image too many",
    ],
)
def test_predictions_of_other_images_are_refused(
    table: pd.DataFrame, catalog: Catalog, change: dict[str, object], images: tuple[str, ...]
) -> None:
    with pytest.raises(DermaugError, match="in the test split"):
        refuse_other_rows(table.assign(**change), catalog, {"test": images}, "x")
