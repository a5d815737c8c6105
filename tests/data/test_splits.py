"""Folds never share a lesion, use every image once as test, and know nothing of row order."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dermaug.config import SplitConfig
from dermaug.data.catalog import Catalog
from dermaug.data.fold_files import read_folds, write_folds
from dermaug.data.grouping import equal_links
from dermaug.data.splits import Fold, make_folds, reduce_training, refuse_shared
from dermaug.errors import DermaugError

PARTS = ("train", "validation", "test")


def catalog_of(images_of_lesions: dict[str, list[int]], grouped: bool = True) -> Catalog:
    """One entry a lesion with its number of images, by class."""
    rows = [
        (f"{label}{lesion}_{image}", f"{label}{lesion}", label)
        for label, lesions in images_of_lesions.items()
        for lesion, images in enumerate(lesions)
        for image in range(images)
    ]
    table = pd.DataFrame(rows, columns=["image_id", "lesion_id", "label"], dtype=object)
    unknown = dict.fromkeys(
        ["patient_id", "path", "mask_path", "sex", "localization", "skin_tone", "dx_type"], ""
    )
    table = table.assign(age=np.nan, **unknown)
    return Catalog("Made", Path(), table, tuple(sorted(images_of_lesions)), grouped)


def lesions_of(catalog: Catalog, ids: tuple[str, ...]) -> set[str]:
    return set(catalog.table["lesion_id"].iloc[catalog.rows(ids)])


COUNTS = st.lists(st.integers(1, 4), min_size=12, max_size=25)
CATALOGS = st.builds(
    lambda first, second, third: catalog_of({"mel": first, "nv": second, "df": third}),
    COUNTS,
    COUNTS,
    COUNTS,
)


@settings(max_examples=25, deadline=None)
@given(
    catalog=CATALOGS,
    folds=st.integers(2, 7),
    validation=st.floats(0.01, 0.99),
    seed=st.integers(0, 5),
    equal=st.lists(st.integers(0, 5), min_size=400, max_size=400),
    united=st.booleans(),
)
def test_lesions_never_cross_and_every_image_is_tested_once(
    catalog: Catalog, folds: int, validation: float, seed: int, equal: list[int], united: bool
) -> None:
    config = SplitConfig(folds=folds, validation=validation, seed=seed)
    # A few equal images, within and across lesions of a class.
    digests, labels = list(catalog.image_ids), catalog.table["label"]
    for number in range(0, len(digests) - 6, 30):
        if labels[number] == labels[number + equal[number]]:
            digests[number] = digests[number + equal[number]]
    catalog = catalog.united(*equal_links(digests)) if united else catalog
    made = make_folds(catalog, config)
    assert [fold.index for fold in made] == list(range(folds))
    for fold in made:
        parts = [lesions_of(catalog, getattr(fold, part)) for part in PARTS]
        assert sum(map(len, parts)) == len(set.union(*parts)) == catalog.table.lesion_id.nunique()
        images = [*fold.train, *fold.validation, *fold.test]
        assert sorted(images) == sorted(catalog.image_ids)
        for part in PARTS:
            labels = catalog.table["label"].iloc[catalog.rows(getattr(fold, part))]
            assert set(labels) == set(catalog.classes)
        if united:
            refuse_shared(catalog, fold, digests, "equal image")
    tested = [image for fold in made for image in fold.test]
    assert sorted(tested) == sorted(catalog.image_ids)


@settings(max_examples=10, deadline=None)
@given(catalog=CATALOGS, seed=st.integers(0, 3), order=st.randoms())
def test_row_order_does_not_matter(catalog: Catalog, seed: int, order: object) -> None:
    rows = list(range(len(catalog)))
    order.shuffle(rows)  # type: ignore[attr-defined]
    config = SplitConfig(folds=3, seed=seed)
    shuffled = replace(catalog.take(rows), classes=catalog.classes[::-1])
    assert make_folds(catalog, config) == make_folds(shuffled, config)


def test_another_seed_parts_otherwise_and_the_same_seed_alike() -> None:
    catalog = catalog_of({"mel": [1] * 30, "nv": [2] * 30})
    one, same, other = (make_folds(catalog, SplitConfig(seed=seed)) for seed in (0, 0, 1))
    assert one == same
    assert {fold.key for fold in one}.isdisjoint(fold.key for fold in other)


def test_parts_hold_their_share_of_every_class() -> None:
    generator = np.random.default_rng(0)
    catalog = catalog_of(
        {
            label: list(generator.choice([1, 1, 1, 2, 4], number))
            for label, number in {"nv": 600, "mel": 120, "df": 40}.items()
        }
    )
    config = SplitConfig(folds=4, validation=0.2)
    labels, lesions = catalog.table["label"], catalog.table.groupby("label")["lesion_id"].nunique()
    for fold in make_folds(catalog, config):
        for part, share in {"test": 1 / 4, "validation": 0.15, "train": 0.6}.items():
            rows = catalog.rows(getattr(fold, part))
            table = catalog.table.iloc[rows]
            found = table.groupby("label")["lesion_id"].nunique()
            assert (found - share * lesions).abs().max() <= 1
            images = labels.iloc[rows].value_counts() - share * labels.value_counts()
            assert images.abs().max() <= 6


def test_holdout_is_one_fixed_part() -> None:
    catalog = catalog_of({"mel": [1] * 40, "nv": [2] * 100})
    (fold,) = make_folds(catalog, SplitConfig(holdout=0.3, validation=0.1))
    assert len(lesions_of(catalog, fold.test)) == 12 + 30
    assert len(lesions_of(catalog, fold.validation)) == 3 + 7
    assert fold.index == 0


def test_folds_that_are_run_are_those_of_the_whole() -> None:
    catalog = catalog_of({"mel": [1] * 20, "nv": [2] * 20})
    whole = make_folds(catalog, SplitConfig())
    assert make_folds(catalog, SplitConfig(run=(3, 1))) == (whole[3], whole[1])


@pytest.mark.parametrize(
    ("lesions", "config"),
    [
        (0, SplitConfig(folds=3)),
        (1, SplitConfig(folds=3)),
        (2, SplitConfig(folds=3)),
        (4, SplitConfig(folds=5)),
        (3, SplitConfig(folds=2)),
        (2, SplitConfig(holdout=0.2)),
    ],
)
def test_too_few_lesions_name_the_class(lesions: int, config: SplitConfig) -> None:
    # Many images of few lesions do not help.
    catalog = catalog_of({"df": [3] * lesions, "nv": [1] * 20})
    with pytest.raises(DermaugError, match=r"data\.groups") as caught:
        make_folds(catalog, config)
    assert caught.value.details == (f"class 'df' has {lesions} lesions",)


@pytest.mark.parametrize(
    ("lesions", "config"),
    [
        (3, SplitConfig(folds=3)),
        (5, SplitConfig(folds=5)),
        (4, SplitConfig(folds=2)),
        (3, SplitConfig(holdout=0.9, validation=0.9)),
    ],
)
def test_just_enough_lesions_fill_every_part(lesions: int, config: SplitConfig) -> None:
    catalog = catalog_of({"df": [1] * lesions, "nv": [2] * 20})
    for fold in make_folds(catalog, config):
        for part in PARTS:
            assert any(name.startswith("df") for name in getattr(fold, part))


def test_one_class_is_an_error() -> None:
    with pytest.raises(DermaugError, match="at least two classes"):
        make_folds(catalog_of({"nv": [1] * 20}), SplitConfig())


def test_ungrouped_images_are_their_own_lesions() -> None:
    catalog = catalog_of({"mel": [10], "nv": [10]}, grouped=False)
    assert list(catalog.groups) == list(catalog.image_ids)
    assert len(make_folds(catalog, SplitConfig(folds=5))) == 5


def test_lesion_in_two_parts_is_refused_and_named() -> None:
    catalog = catalog_of({"mel": [1, 2, 1], "nv": [1] * 3})
    fold = Fold(0, ("mel0_0", "mel1_0", "nv0_0"), ("nv1_0",), ("mel1_1", "mel2_0"))
    with pytest.raises(DermaugError, match="leak") as caught:
        refuse_shared(catalog, fold, catalog.groups, catalog.unit)
    assert caught.value.details == ("lesion mel1: mel1_0 (train), mel1_1 (test)",)
    with pytest.raises(DermaugError, match="no image 'other'"):
        refuse_shared(catalog, replace(fold, test=("other",)), catalog.groups, catalog.unit)


def test_equal_images_in_two_parts_are_refused_and_named() -> None:
    catalog = catalog_of({"mel": [1, 1, 1], "nv": [1] * 3})
    fold = Fold(0, ("mel0_0", "nv0_0"), ("nv1_0",), ("mel2_0", "nv2_0"))
    refuse_shared(catalog, fold, list("abcdef"), "equal image")
    refuse_shared(catalog, fold, list("aacdef"), "equal image")  # mel1_0 is in no part
    refuse_shared(catalog, replace(fold, train=("mel0_0", "mel1_0")), list("aacdef"), "equal image")
    with pytest.raises(DermaugError, match="equal images occur") as caught:
        refuse_shared(catalog, fold, list("abadef"), "equal image")
    assert caught.value.details == ("equal image a: mel0_0 (train), mel2_0 (test)",)


def test_equal_images_unite_their_lesions() -> None:
    catalog = catalog_of({"mel": [2, 1, 1, 1], "nv": [1, 1]})
    #          mel0_0 mel0_1 mel1_0 mel2_0 mel3_0 nv0_0 nv1_0
    digests = ["a", "b", "b", "c", "d", "c", "e"]
    united = catalog.united(*equal_links(digests))
    assert list(united.groups) == ["mel0", "mel0", "mel0", "mel2", "mel3", "mel2", "nv1"]
    assert list(united.take([4, 5]).groups) == ["mel3", "mel2"]
    assert list(catalog.groups) == list(catalog.table["lesion_id"])


def test_united_lesions_are_kept_together_where_they_would_part() -> None:
    catalog = catalog_of({"mel": [1] * 20, "nv": [1] * 20})
    digests = [str(row // 2) for row in range(40)]
    (parted,) = make_folds(catalog, SplitConfig(run=(0,)))
    with pytest.raises(DermaugError, match="equal images occur"):
        refuse_shared(catalog, parted, digests, "equal image")
    for fold in make_folds(catalog.united(*equal_links(digests)), SplitConfig()):
        refuse_shared(catalog, fold, digests, "equal image")


def patients(catalog: Catalog, patient_of: dict[str, str]) -> Catalog:
    """The catalog with the patient of each lesion; a lesion that is not named has none."""
    known = catalog.table["lesion_id"].map(patient_of).fillna("")
    return replace(catalog, table=catalog.table.assign(patient_id=known))


def test_patients_with_several_diagnoses_stay_whole() -> None:
    catalog = catalog_of({"df": [1] * 12, "mel": [1, 2] * 15, "nv": [1, 3] * 30})
    # Two lesions per patient, of two diagnoses for most; the last lesions name no patient.
    lesions = list(dict.fromkeys(catalog.table["lesion_id"]))
    random = np.random.default_rng(0)
    shuffled = random.permutation(lesions[:-6])
    catalog = patients(catalog, {lesion: f"P{row // 2}" for row, lesion in enumerate(shuffled)})
    assert catalog.unit == "patient"
    labels = catalog.table.groupby(catalog.groups)["label"].nunique()
    assert labels.max() == 2
    folds = make_folds(catalog, SplitConfig(folds=3))
    for fold in folds:
        groups = [set(catalog.groups[catalog.rows(getattr(fold, part))]) for part in PARTS]
        assert sum(map(len, groups)) == len(set.union(*groups))
        for part in PARTS:
            there = set(catalog.table["label"].iloc[catalog.rows(getattr(fold, part))])
            assert there == set(catalog.classes)
    by_lesion = make_folds(catalog.grouped_by("lesion"), SplitConfig(folds=3))
    assert any(
        set(catalog.groups[catalog.rows(fold.train)]) & set(catalog.groups[catalog.rows(fold.test)])
        for fold in by_lesion
    )
    with pytest.raises(DermaugError, match="patients occur in more than one split"):
        refuse_shared(catalog, by_lesion[0], catalog.groups, catalog.unit)


def test_lesion_belongs_to_its_patient_in_every_row() -> None:
    catalog = catalog_of({"mel": [2, 1], "nv": [1, 1]})
    table = catalog.table.assign(patient_id=["P", "", "", "P", ""])
    known = replace(catalog, table=table)
    assert list(known.groups) == ["patient P", "patient P", "mel1", "patient P", "nv1"]
    assert list(known.grouped_by("lesion").groups) == ["mel0", "mel0", "mel1", "nv0", "nv1"]


def test_grouping_by_patient_needs_patients() -> None:
    catalog = catalog_of({"mel": [1] * 3, "nv": [1] * 3})
    assert catalog.grouped_by("auto").unit == "lesion"
    with pytest.raises(
        DermaugError, match=r"splits\.group is patient, but the data identify no patients"
    ):
        catalog.grouped_by("patient")


def test_class_that_rare_patients_carry_reaches_every_part_or_is_named() -> None:
    # Every patient has both diagnoses: dealt by the commoner one, a part could lack the rarer.
    catalog = catalog_of({"df": [1] * 5, "nv": [4] * 40})
    catalog = patients(
        catalog,
        {f"df{row}": f"P{row}" for row in range(5)} | {f"nv{row}": f"P{row}" for row in range(40)},
    )
    for fold in make_folds(catalog, SplitConfig(folds=5)):
        for part in PARTS:
            assert any(name.startswith("df") for name in getattr(fold, part))
    two = patients(catalog, {f"df{row}": f"P{row % 2}" for row in range(5)})
    with pytest.raises(DermaugError, match="patients of every class") as caught:
        make_folds(two, SplitConfig(folds=3))
    assert caught.value.details == ("class 'df' has 2 patients",)


def test_reduced_training_part_keeps_whole_groups_per_class() -> None:
    catalog = catalog_of({"mel": [2] * 20, "nv": [1] * 40})
    by_patient = patients(
        catalog,
        {f"mel{row}": f"P{row // 2}" for row in range(20)}
        | {f"nv{row}": f"P{row // 2}" for row in range(40)},
    )
    (fold,) = make_folds(by_patient, SplitConfig(folds=3, run=(0,)))
    small, large = (reduce_training(by_patient, fold, number, 0) for number in (2, 4))
    assert set(small.train) < set(large.train) < set(fold.train)
    for reduced, number in ((small, 2), (large, 4)):
        rows = by_patient.rows(reduced.train)
        groups = pd.Series(by_patient.groups[rows])
        counts = groups.groupby(by_patient.table["label"].to_numpy()[rows]).nunique()
        assert counts.to_dict() == {"mel": number, "nv": number}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((("a", "b"), ("b",), ("c",)), "both train and validation"),
        ((("a",), ("b",), ("c", "a")), "both train and test"),
        ((("a",), ("b",), ("b",)), "both validation and test"),
        ((("a", "a"), ("b",), ("c",)), "twice in the train split"),
        ((("a",), (), ("c",)), "the validation split is empty"),
    ],
)
def test_a_fold_cannot_overlap(parts: tuple[tuple[str, ...], ...], message: str) -> None:
    with pytest.raises(DermaugError, match=message):
        Fold(0, *parts)


def test_key_tells_parts_apart_and_not_their_order() -> None:
    fold = Fold(0, ("a", "b"), ("c",), ("d",))
    assert fold.key == Fold(7, ("b", "a"), ("c",), ("d",)).key
    assert fold.key != Fold(0, ("a", "b"), ("d",), ("c",)).key
    assert fold.key != Fold(0, ("a",), ("b", "c"), ("d",)).key
    assert fold.key != replace(fold, data="another data set").key


def test_folds_survive_the_disk_and_changes_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "folds.json"
    folds = make_folds(catalog_of({"mel": [1] * 9, "nv": [2] * 9}), SplitConfig(folds=3), "data")
    assert {fold.data for fold in folds} == {"data"}
    write_folds(path, folds)
    assert read_folds(path) == folds
    tree = json.loads(path.read_text())
    tree[1]["train"] = tree[1]["train"][1:]
    path.write_text(json.dumps(tree))
    with pytest.raises(DermaugError, match="fold 1 was changed"):
        read_folds(path)
    parts = '"train": [1, "a"], "validation": ["b"], "test": ["c"], "data": "", "key": "x"'
    odd = [f'[{{"index": {index}, {parts}}}]' for index in ("0", "Infinity")]
    for damaged in ("[{}]", "[1]", "7", '[{"index": 0}]', "{", *odd):
        path.write_text(damaged)
        with pytest.raises(DermaugError, match=r"folds\.json"):
            read_folds(path)
