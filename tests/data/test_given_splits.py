"""Splits that come with the data, and folds of a CSV file: used as they are, or refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dermaug.config import SplitConfig
from dermaug.data.catalog import COLUMNS, Catalog
from dermaug.data.fold_files import write_folds_csv
from dermaug.data.given_splits import chosen_folds
from dermaug.data.splits import make_folds
from dermaug.errors import DermaugError
from dermaug.experiment_file import validate_section

GIVEN = SplitConfig(use="given", validation=0.25)


@pytest.fixture
def catalog() -> Catalog:
    """Two classes of 20 lesions with two images each; the last five lesions are the test split."""
    table = pd.DataFrame(dict.fromkeys(COLUMNS, ""), index=range(80))
    table["label"] = ["mel", "nv"] * 40
    table["lesion_id"] = [f"L{row % 40:02d}" for row in range(80)]
    table["image_id"] = [f"I{row:02d}" for row in range(80)]
    table["split"] = ["test" if row % 40 >= 30 else "train" for row in range(80)]
    return Catalog("Made", Path(), table, ("mel", "nv"))


def changed(catalog: Catalog, rows: list[int], split: str) -> Catalog:
    catalog.table.loc[rows, "split"] = split
    return catalog


def test_a_given_test_split_is_kept_and_validation_is_taken_from_training(catalog: Catalog) -> None:
    (fold,) = chosen_folds(catalog, GIVEN, "digest")
    test = catalog.table["split"] == "test"
    assert set(fold.test) == set(catalog.image_ids[test])
    assert set(fold.train) | set(fold.validation) == set(catalog.image_ids[~test])
    lesions = [set(catalog.groups[catalog.rows(part)]) for part in (fold.train, fold.validation)]
    assert not lesions[0] & lesions[1]
    assert len(lesions[1]) == 8  # a quarter of 15 lesions per class, rounded
    assert chosen_folds(catalog, GIVEN, "digest") == (fold,)


def test_a_given_validation_split_is_kept(catalog: Catalog) -> None:
    rows = [0, 40, 1, 41]
    (fold,) = chosen_folds(changed(catalog, rows, "validation"), GIVEN)
    assert set(fold.validation) == set(catalog.image_ids[rows])


@pytest.mark.parametrize(
    ("rows", "split", "told"),
    [
        ([0], "test", "1 lesions occur in more than one of the given splits"),
        ([0], "test+train", r"images occur in several given splits \(1 in test\+train\)"),
        ([0, 40], "", "2 images are in none of the given splits"),
        (list(range(0, 80, 2)), "train", "the given test split of fold 0 has no image of mel"),
    ],
)
def test_given_splits_that_leak_or_lack_something_are_refused(
    catalog: Catalog, rows: list[int], split: str, told: str
) -> None:
    with pytest.raises(DermaugError, match=told):
        chosen_folds(changed(catalog, rows, split), GIVEN)


def test_without_given_splits_they_cannot_be_used(catalog: Catalog) -> None:
    del catalog.table["split"]
    with pytest.raises(DermaugError, match="come with no training and test split"):
        chosen_folds(catalog, GIVEN)


def test_folds_come_back_from_their_file(catalog: Catalog, tmp_path: Path) -> None:
    made = make_folds(catalog, SplitConfig(folds=3), "digest")
    write_folds_csv(tmp_path / "folds.csv", made)
    read = SplitConfig(file=str(tmp_path / "folds.csv"), folds=3)
    assert chosen_folds(catalog, read, "digest") == made
    (one,) = chosen_folds(catalog, read.model_copy(update={"run": (1,)}), "digest")
    assert one == made[1]
    text = (tmp_path / "folds.csv").read_text().replace(",train", ",Training")
    (tmp_path / "folds.csv").write_text(text)
    assert chosen_folds(catalog, read, "digest") == made
    text = text.replace(",", ";").replace("image_id;fold;split", "Image_ID;Fold;Split")
    (tmp_path / "folds.csv").write_text(text, encoding="utf-16")
    assert chosen_folds(catalog, read, "digest") == made
    (tmp_path / "folds.csv").unlink()
    with pytest.raises(DermaugError, match=r"expected a table of folds .*, found nothing"):
        chosen_folds(catalog, read)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("I00,0,", "I99,0,", "fold 0 lacks 1 of 80 images, for example I00"),
        ("I00,0,", "I00,7,", "expected a fold from 0 to 2"),
        ("I00,0,", f"I00,{'9' * 5000},", "expected a fold from 0 to 2"),
        ("I00,0,train", "I00,0,learn", "expected train, validation, test, found 'learn'"),
        ("I00,0,train", "I00,0,test\nI00,0,train", "'I00' is in two splits of fold 0"),
        ("I00,0,train", "I00,0,test", "1 lesions occur in more than one of the given splits"),
    ],
)
def test_faults_of_the_file_are_named(
    catalog: Catalog, tmp_path: Path, old: str, new: str, told: str
) -> None:
    made = make_folds(catalog, SplitConfig(folds=3))
    write_folds_csv(tmp_path / "folds.csv", made)
    text = (tmp_path / "folds.csv").read_text()
    if old not in text:  # whatever split the first image is in
        actual = next(line for line in text.splitlines() if line.startswith("I00,0,"))
        text = text.replace(actual, "I00,0,train").replace("I40,0,test", "I40,0,train")
        text = text.replace("I40,0,validation", "I40,0,train")
    (tmp_path / "folds.csv").write_text(text.replace(old, new, 1))
    with pytest.raises(DermaugError) as caught:
        chosen_folds(catalog, SplitConfig(file=str(tmp_path / "folds.csv"), folds=3))
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        ({"use": "given", "holdout": 0.2}, "use = 'given' and holdout exclude each other"),
        ({"file": "folds.csv", "use": "given"}, "use = 'given' and file exclude each other"),
        ({"folds": 1}, "expected at least 2, found 1"),
        ({"use": "given", "run": [1]}, "fold 1 does not exist; there are 1 folds"),
    ],
)
def test_contradictions_are_named(tree: dict[str, object], told: str) -> None:
    with pytest.raises(DermaugError) as caught:
        validate_section(SplitConfig, tree, "splits")
    assert told in str(caught.value)
    assert np.array_equal(SplitConfig(file="a.csv", folds=1).indices, (0,))
