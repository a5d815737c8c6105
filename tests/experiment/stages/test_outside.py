"""Data from outside of a run: an external test it was trained on, a folder that shows its test."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from begun import open_run
from lightning_fabric import Fabric
from PIL import Image, ImageOps

from dermaug.config import PhantomConfig
from dermaug.config.data import Reading
from dermaug.data.sources.phantom import write_phantoms
from dermaug.errors import DermaugError
from dermaug.experiment.run.artefacts import StoredClassifier, find_classifiers
from dermaug.experiment.run.contents import Remembered, read_remembered
from dermaug.experiment.run.data import decoded
from dermaug.experiment.run.known import EQUAL, NEAR, SAME_ID, match_images
from dermaug.experiment.run.run import Run
from dermaug.experiment.stages.classify import run_classifier_job
from dermaug.experiment.stages.outside import look_outside
from dermaug.experiment.stages.predict_external import evaluate
from dermaug.experiment_file import validate_experiment

CLASSES = ("bcc", "mel", "nv")
SIDE = 96
Written = Callable[..., Path]


def asked(source: Path, external: tuple[Path, ...] = (), **arms: Path) -> Any:
    """A study of one network; `arms` take images from folders."""
    doses = [
        {"name": name, "replay": False, "synthetic": {"folder": str(folder), "dose": 2}}
        for name, folder in arms.items()
    ]
    tree = {
        "name": "outside",
        "data": {
            "source": str(source),
            "size": 32,
            "classes": list(CLASSES),
            "external_test": [str(path) for path in external],
        },
        "splits": {"folds": 3, "run": [0]},
        "classifiers": [{"images": 64, "batch": 16, "validations": 2}],
        "arms": [{"name": "real"}, *doses],
    }
    return validate_experiment(tree, "outside")


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = PhantomConfig(number=140, balanced=True)
    return write_phantoms(tmp_path_factory.mktemp("outside") / "phantoms", config, SIDE)


@pytest.fixture(scope="module")
def run(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return open_run(tmp_path_factory.mktemp("runs") / "run", asked(phantoms))


@pytest.fixture(scope="module")
def stored(run: Run, fabric: Fabric) -> StoredClassifier:
    job = run.jobs.classifiers[0]
    run_classifier_job(run, job, fabric).write(run.job(job.key).record)
    (found,) = find_classifiers(run.folder)
    return found


@pytest.fixture
def written(run: Run, tmp_path: Path) -> Written:
    """Write images of a part of the fold into class folders, each through some function."""

    def write(
        part: str,
        number: int,
        change: Callable[[Image.Image, Path], None],
        name: Callable[[int, str], str],
        folder: str = "other",
    ) -> Path:
        ids = getattr(run.fold(0), part)[:number]
        for place, row in enumerate(run.catalog.rows(ids)):
            image_id, label, path = run.catalog.table.loc[row, ["image_id", "label", "path"]]
            target = tmp_path / folder / label / name(place, image_id)
            target.parent.mkdir(parents=True, exist_ok=True)
            with Image.open(path) as image:
                change(image, target)
        return tmp_path / folder

    return write


def fresh(folder: Path, number: int, names: list[str] | None = None, seed: int = 9) -> Path:
    """Other phantoms of the three classes, in class folders, under given names."""
    from dermaug.data.sources.phantom import draw_class

    for place, label in enumerate(CLASSES):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for row, pixels in enumerate(draw_class(label, number, seed, SIDE).images):
            name = names[place * number + row] if names else f"fresh{place}-{row}"
            Image.fromarray(pixels).save(folder / label / f"{name}.png")
    return folder


def as_png(image: Image.Image, target: Path) -> None:
    image.save(target)


def as_jpeg(image: Image.Image, target: Path) -> None:
    image.save(target, quality=85)


def turned_and_smaller(image: Image.Image, target: Path) -> None:
    turned = ImageOps.mirror(image.rotate(90))
    turned.resize((72, 72), Image.Resampling.BOX).save(target, quality=95)


@pytest.mark.parametrize(
    ("change", "name", "reason"),
    [
        (as_png, lambda place, _: f"{place}.png", EQUAL),
        (as_jpeg, lambda place, _: f"{place}.jpg", NEAR),
        (turned_and_smaller, lambda place, _: f"{place}.jpg", NEAR),
    ],
    ids=["lossless under other names", "compressed anew", "turned, mirrored, resized"],
)
def test_training_images_are_known_under_any_name(
    stored: StoredClassifier,
    written: Written,
    fabric: Fabric,
    change: Callable[..., None],
    name: Callable[..., str],
    reason: str,
) -> None:
    other = fresh(written("train", 15, change, name), 4)
    with pytest.raises(DermaugError) as caught:
        evaluate([stored], other, fabric, skip_known=False)
    assert "15 of these 27 images match training images" in caught.value.message
    assert f"15 {reason}" in caught.value.message
    assert "leave them out with --skip-known" in caught.value.message
    scores, _ = evaluate([stored], other, fabric, skip_known=True)
    assert scores["images"].tolist() == [12]


def test_other_pixels_under_known_names_are_not_known(
    run: Run, stored: StoredClassifier, fabric: Fabric, tmp_path: Path
) -> None:
    names = list(run.fold(0).train[:12])
    scores, _ = evaluate([stored], fresh(tmp_path / "other", 4, names), fabric, skip_known=False)
    assert scores["images"].tolist() == [12]


def test_labels_of_another_set_are_named(
    stored: StoredClassifier, fabric: Fabric, tmp_path: Path
) -> None:
    other = fresh(tmp_path / "other", 4)
    (other / "mel").rename(other / "melanoma")
    (other / "nv").rename(other / "NV")
    with pytest.raises(DermaugError, match=r"not trained on: NV \(is it nv\?\)"):
        evaluate([stored], other, fabric, skip_known=False)
    labels = {"NV": "nv", "melanoma": ""}
    scores, _ = evaluate([stored], other, fabric, skip_known=False, reading=Reading(labels))
    assert scores["images"].tolist() == [8]


def test_images_of_the_test_part_are_not_known(
    run: Run,
    stored: StoredClassifier,
    fabric: Fabric,
    phantoms: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    known = pd.Series(np.isin(run.catalog.image_ids, run.fold(0).train)).groupby(run.catalog.groups)
    scores, _ = evaluate([stored, stored], phantoms, fabric, skip_known=True)
    told = [line for line in capsys.readouterr().err.splitlines() if "left out" in line]
    assert len(told) == 1, told
    assert "classifiers of fold 0: left out" in told[0]
    scores = scores[:1]
    assert scores["images"].item() == int((~known.transform("any")).sum())
    store, remembered = run.store, read_remembered(run.folder)
    known = match_images(store, remembered).reasons(run.fold(0).train) != ""
    expected = np.isin(store.catalog.image_ids, run.fold(0).train)
    np.testing.assert_array_equal(known, expected)


def test_known_lesions_and_patients_are_left_out_whole(run: Run, stored: StoredClassifier) -> None:
    """A training image in another set makes the others of its lesion known, too."""
    store = run.store
    rows = store.catalog.rows([*run.fold(0).train[:1], *run.fold(0).test[:3]])
    table = store.catalog.table.iloc[rows].reset_index(drop=True).drop(columns="group")
    table["image_id"], table["lesion_id"] = list("abcd"), ["L", "L", "M", "N"]
    trained = stored.record.training_images

    def reasons(patients: list[str]) -> list[str]:
        catalog = store.catalog.take(rows)
        catalog = type(catalog)("other", Path(), table.assign(patient_id=patients), catalog.classes)
        other = type(store)(catalog, store.images[rows], store.contents.take(rows))
        return match_images(other, Remembered.of(store)).reasons(trained).tolist()

    assert reasons([""] * 4) == [EQUAL, "others of these lesions", "", ""]
    told = "others of these patients"
    assert reasons(["P", "P", "P", "Q"]) == [EQUAL, told, told, ""]


def test_ids_count_where_they_are_the_same_everywhere(run: Run) -> None:
    store = run.store
    table = store.catalog.table.iloc[:4].copy()
    remembered = Remembered.of(store)
    known = remembered.table.copy()
    known.loc[:1, "image_id"] = ["ISIC_0000001", "0"]
    known.loc[2:3, "lesion_id"] = ["HAM_0000007", "7"]
    table["image_id"] = ["ISIC_0000001", "0", "x", "y"]
    table["lesion_id"] = ["a", "b", "HAM_0000007", "7"]
    blank = store.contents.take(np.arange(4))
    blank = type(blank)(blank.files, blank.masks, tuple("wxyz"), np.zeros_like(blank.details))
    catalog = type(store.catalog)("other", Path(), table, store.catalog.classes)
    matches = match_images(
        type(store)(catalog, store.images[:4], blank), Remembered(known, remembered.details)
    )
    assert matches.reasons(known["image_id"].tolist()).tolist() == [SAME_ID, "", SAME_ID, ""]


def test_classifier_without_its_run_is_not_evaluated(
    run: Run, stored: StoredClassifier, fabric: Fabric, tmp_path: Path
) -> None:
    copy = shutil.copytree(stored.path.parent, tmp_path / "alone")
    (alone,) = find_classifiers(copy)
    other = fresh(tmp_path / "other", 3)
    with pytest.raises(DermaugError, match="copy the whole run folder"):
        evaluate([alone], other, fabric, skip_known=True)
    # In a run on other data it would be judged by images that it was not trained on.
    config = PhantomConfig(number=70, balanced=True, seed=3)
    source = write_phantoms(tmp_path / "third", config, SIDE)
    stranger = open_run(tmp_path / "stranger", asked(source))
    shutil.copytree(stored.path.parent, stranger.folder / run.jobs.classifiers[0].key)
    with pytest.raises(DermaugError, match="found that of another run"):
        find_classifiers(stranger.folder)
    moved = StoredClassifier(stranger.folder / run.jobs.classifiers[0].key / stored.path.name)
    with pytest.raises(DermaugError, match="found that of another run"):
        evaluate([moved], other, fabric, skip_known=True)
    # The run as a whole may lie anywhere, without the data.
    whole = shutil.copytree(run.folder, tmp_path / "whole")
    (there,) = find_classifiers(whole)
    assert evaluate([there], other, fabric, skip_known=False)[0]["images"].tolist() == [9]


def test_external_test_with_training_images_stops_before_any_training(
    phantoms: Path, written: Written, tmp_path: Path
) -> None:
    other = fresh(written("train", 6, as_jpeg, lambda place, _: f"{place}.jpg"), 4)
    begun = open_run(tmp_path / "run", asked(phantoms, external=(other,)))
    with pytest.raises(DermaugError, match=r"data\.external_test .*6 of these 18 images match"):
        look_outside(begun, begun.jobs.classifiers)
    tested = fresh(written("test", 6, as_jpeg, lambda place, _: f"{place}.jpg", "tested"), 4)
    fine = open_run(tmp_path / "fine", asked(phantoms, external=(tested,)))
    look_outside(fine, fine.jobs.classifiers)


def test_one_external_test_under_two_paths_is_refused(phantoms: Path, tmp_path: Path) -> None:
    other = fresh(tmp_path / "other", 4)
    copy = shutil.copytree(other, tmp_path / "copy")
    with pytest.raises(DermaugError, match=r"found the same images in .*other and .*copy"):
        open_run(tmp_path / "run", asked(phantoms, external=(other, copy)))


def test_external_test_with_other_content_is_another_one(phantoms: Path, tmp_path: Path) -> None:
    other = fresh(tmp_path / "other", 4)
    begun = open_run(tmp_path / "run", asked(phantoms, external=(other,)))
    look_outside(begun, begun.jobs.classifiers)
    moved = shutil.copytree(other, tmp_path / "moved")
    again = open_run(tmp_path / "run", asked(phantoms, external=(moved,)))
    look_outside(again, again.jobs.classifiers)
    fresh(moved, 2, [f"fresh{place}-{row}" for place in range(3) for row in range(2)], seed=10)
    again = open_run(tmp_path / "run", asked(phantoms, external=(moved,)))
    with pytest.raises(DermaugError, match="started with other data: 6 images differ") as caught:
        look_outside(again, again.jobs.classifiers)
    assert caught.value.details[0].startswith("6 images have other content under the same name")


def test_folder_of_images_with_other_content_is_another_one(phantoms: Path, tmp_path: Path) -> None:
    made = fresh(tmp_path / "made", 4)
    begun = open_run(tmp_path / "run", asked(phantoms, made=made))
    look_outside(begun, begun.jobs.classifiers)
    moved = shutil.copytree(made, tmp_path / "moved")
    again = open_run(tmp_path / "run", asked(phantoms, made=moved))
    look_outside(again, again.jobs.classifiers)
    fresh(moved, 1, [f"fresh{place}-0" for place in range(3)], seed=10)
    with pytest.raises(DermaugError, match=r"arm made, synthetic\.folder .* 3 images differ"):
        look_outside(again, again.jobs.classifiers)


@pytest.mark.parametrize(
    ("part", "leaks"), [("train", False), ("validation", True), ("test", True)]
)
def test_folder_that_shows_validation_images_leaks(
    phantoms: Path, written: Written, tmp_path: Path, part: str, leaks: bool
) -> None:
    made = fresh(written(part, 5, as_jpeg, lambda place, _: f"{place}.jpg"), 4)
    begun = open_run(tmp_path / "run", asked(phantoms, made=made))
    if not leaks:
        look_outside(begun, begun.jobs.classifiers)
        return
    with pytest.raises(DermaugError, match="5 of its 17 images match images of the validation or"):
        look_outside(begun, begun.jobs.classifiers)


def test_a_fold_of_other_images_with_the_same_names_is_another_fold(tmp_path: Path) -> None:
    """A synthetic set of one data set must not pass for one of the other."""
    names = [f"{place}-{row}" for place in range(3) for row in range(8)]
    one, other, again = (
        open_run(tmp_path / f"run{place}", asked(fresh(tmp_path / str(place), 8, names, seed)))
        for place, seed in enumerate((0, 1, 0))
    )
    assert one.fold(0).train == other.fold(0).train
    assert one.fold(0).key != other.fold(0).key
    assert one.fold(0) == again.fold(0)


def test_what_is_remembered_survives_the_disk(run: Run) -> None:
    remembered = read_remembered(run.folder)
    pd.testing.assert_frame_equal(remembered.table, run.store.table)
    rows = pd.Index(remembered.table["image_id"]).get_indexer(pd.Index(run.catalog.image_ids))
    np.testing.assert_array_equal(remembered.details[rows], run.store.contents.details)
    assert decoded(run.experiment).fingerprint == run.fingerprint
