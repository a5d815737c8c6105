"""Merged labels, chosen classes and the limit on lesions."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dermaug.config import DataConfig
from dermaug.data.catalog import COLUMNS, Catalog
from dermaug.data.selection import require_asked, select, select_alike
from dermaug.errors import DermaugError


@pytest.fixture
def catalog() -> Catalog:
    """Three classes of 6, 10 and 20 lesions, two images each; pixels hold their row number."""
    lesions = [("bcc", n) for n in range(6)] + [("mel", n) for n in range(10)]
    lesions += [("nv", n) for n in range(20)]
    table = pd.DataFrame(dict.fromkeys(COLUMNS, ""), index=range(2 * len(lesions)))
    table["label"] = [label for label, _ in lesions] * 2
    table["lesion_id"] = [f"{label}-{number}" for label, number in lesions] * 2
    table["image_id"] = [f"image-{row}" for row in range(len(table))]
    pixels = np.arange(len(table), dtype=np.uint8)[:, None, None, None]
    embedded = np.broadcast_to(pixels, (len(table), 2, 2, 3))
    return Catalog("toy", Path("toy"), table, ("bcc", "mel", "nv"), embedded=embedded)


def test_nothing_asked_changes_nothing(catalog: Catalog) -> None:
    selected = select(catalog, DataConfig())
    assert selected.table.equals(catalog.table)
    assert selected.notes == ()


def test_no_class_bears_the_name_of_all_of_them(catalog: Catalog) -> None:
    with pytest.raises(DermaugError, match=r"rename it with --labels all=NAME"):
        select(catalog, DataConfig(groups={"all": ("mel", "bcc")}))


def test_groups_come_before_classes(catalog: Catalog) -> None:
    config = DataConfig(groups={"malignant": ("mel", "bcc")}, classes=("nv", "malignant"))
    selected = select(catalog, config)
    assert selected.classes == ("malignant", "nv")
    assert selected.table["label"].value_counts().to_dict() == {"nv": 40, "malignant": 32}
    assert selected.table["lesion_id"].tolist() == catalog.table["lesion_id"].tolist()
    assert selected.notes == ("Merged labels: mel, bcc into malignant.",)
    assert catalog.classes == ("bcc", "mel", "nv")


def test_classes_keep_rows_and_pixels_together(catalog: Catalog) -> None:
    selected = select(catalog, DataConfig(classes=("nv", "bcc")))
    assert selected.classes == ("bcc", "nv")
    assert selected.notes == ("Left out by data.classes: mel (20) images.",)
    assert selected.embedded is not None
    rows = [int(image_id.removeprefix("image-")) for image_id in selected.table["image_id"]]
    assert rows == selected.embedded[:, 0, 0, 0].tolist()
    assert set(selected.labels) == {0, 1}


def test_limit_counts_lesions_and_keeps_all_their_images(catalog: Catalog) -> None:
    selected = select(catalog, DataConfig(limit=8), seed=1)
    lesions = selected.table.groupby("label")["lesion_id"].nunique()
    assert lesions.to_dict() == {"bcc": 6, "mel": 8, "nv": 8}
    assert len(selected) == 2 * 22
    assert selected.notes == ("Lesions kept by data.limit: mel (8 of 10), nv (8 of 20).",)
    order = catalog.rows(selected.table["image_id"].tolist())
    assert (np.diff(order) > 0).all()


def test_limit_is_chosen_by_seed_and_grows_by_adding(catalog: Catalog) -> None:
    def chosen(limit: int, seed: int) -> set[str]:
        return set(select(catalog, DataConfig(limit=limit), seed).table["lesion_id"])

    assert chosen(5, 0) == chosen(5, 0)
    assert chosen(5, 0) != chosen(5, 1)
    assert chosen(3, 0) < chosen(5, 0)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (
            DataConfig(classes=("mell",)),
            "data.classes: no label 'mell' in the data; did you mean 'm",
        ),
        (DataConfig(groups={"x": ("melanoma",)}), "data.groups.x: no label 'melanoma'"),
        (DataConfig(groups={"x": ("mel",), "y": ("mel",)}), "data.groups.y: 'mel' is in group 'x'"),
        (DataConfig(groups={"x": ()}), "data.groups.x: no labels"),
        (DataConfig(groups={"../x": ("mel",)}), "data.groups.../x: the new label is a path"),
        (DataConfig(groups={"nv": ("mel",)}), "the name of a label that is not in the group"),
        (DataConfig(groups={"x": ("mel",)}, classes=("mel",)), "no label 'mel' in the data"),
        (DataConfig(groups={"x": ("mel", "nvv")}), "data.groups.x: no label 'nvv'"),
        (DataConfig(labels={"MEL": "nv"}), "data.labels: no label 'MEL' in the data"),
        (DataConfig(leave_out=("bc",)), "no label 'bc' in the data; did you mean 'bcc'?"),
    ],
)
def test_labels_that_do_not_fit_are_named(catalog: Catalog, config: DataConfig, told: str) -> None:
    with pytest.raises(DermaugError, match="toy: expected labels among") as caught:
        select(catalog, config)
    assert told in str(caught.value)


def test_a_class_without_images_is_an_error(catalog: Catalog) -> None:
    emptied = catalog.take(np.flatnonzero(catalog.table["label"] != "mel"))
    with pytest.raises(DermaugError, match=r"found none of mel; exclude them with data\.classes"):
        select(emptied, DataConfig())
    assert select(emptied, DataConfig(classes=("bcc", "nv"))).num_classes == 2


def test_limit_counts_patients_where_these_are_known(catalog: Catalog) -> None:
    patients = [f"P{n.split('-')[1]}" for n in catalog.table["lesion_id"]]
    known = replace(catalog, table=catalog.table.assign(patient_id=patients))
    selected = select(known, DataConfig(limit=3))
    kept = selected.table.groupby("label")["patient_id"].nunique()
    assert kept.to_dict() == {"bcc": 3, "mel": 3, "nv": 3}
    assert selected.notes[0].startswith("Patients kept by data.limit: bcc (3 of 6)")


def test_members_of_a_group_that_the_data_lack_are_ignored(catalog: Catalog) -> None:
    selected = select(catalog, DataConfig(groups={"malignant": ("mel", "bcc", "scc", "akiec")}))
    assert selected.classes == ("malignant", "nv")
    assert selected.notes == ("Merged labels: mel, bcc into malignant.",)


def test_another_set_has_the_classes_of_the_experiment(catalog: Catalog) -> None:
    named = DataConfig(classes=("mel", "nv", "df"))
    other = select_alike(catalog, named, ("df", "mel", "nv"))
    assert other.classes == ("df", "mel", "nv")
    assert set(other.table["label"]) == {"mel", "nv"}
    assert other.notes == ("Left out by data.classes: bcc (12) images.",)
    grouped = DataConfig(groups={"nv": ("naevus", "lentigo"), "malignant": ("mel", "bcc", "scc")})
    merged = select_alike(catalog, grouped, ("malignant", "nv"))
    assert merged.table["label"].value_counts().to_dict() == {"nv": 40, "malignant": 32}


def test_a_label_that_nobody_left_out_is_refused_in_another_set(catalog: Catalog) -> None:
    with pytest.raises(DermaugError, match=r"not trained on: bcc; they were trained on mel, nv"):
        select_alike(catalog, DataConfig(), ("mel", "nv"))
    spelt = replace(catalog, classes=("Bcc", "mel", "nv"))
    spelt.table["label"] = spelt.table["label"].replace("bcc", "Bcc")
    with pytest.raises(DermaugError, match=r"not trained on: Bcc \(is it bcc\?\)"):
        select_alike(spelt, DataConfig(classes=("mel", "bcc")), ("bcc", "mel"))
    with pytest.raises(DermaugError, match="has no image of the classes x, y"):
        select_alike(catalog, DataConfig(classes=("x", "y")), ("x", "y"))


def test_labels_that_the_user_names_for_another_set_must_be_there(catalog: Catalog) -> None:
    label = catalog.classes[0]
    require_asked(catalog, [label])
    with pytest.raises(DermaugError, match="--labels and --leave-out: no label") as caught:
        require_asked(catalog, [label, label + "l"])
    assert f"no label '{label}l' in the data; did you mean {label!r}?" in str(caught.value)
