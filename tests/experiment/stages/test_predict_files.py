"""A classifier sees an image as it saw its training images, or says why it cannot."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from begun import open_run
from lightning_fabric import Fabric
from PIL import Image

from dermaug.classifiers.model import load_classifier
from dermaug.cli import images as images_command
from dermaug.config import PhantomConfig
from dermaug.data.image_folders import MASK_FOLDER
from dermaug.data.sources.phantom import write_phantoms
from dermaug.errors import DermaugError
from dermaug.evaluation.predictions import probabilities_of, read_predictions
from dermaug.experiment.run.artefacts import StoredClassifier, find_classifiers, only_classifier
from dermaug.experiment.run.layout import JobFolder
from dermaug.experiment.run.run import Run
from dermaug.experiment.stages.classify import run_classifier_job
from dermaug.experiment.stages.predict_external import evaluate
from dermaug.experiment.stages.predict_files import known_images, predict_files, predict_paths
from dermaug.experiment_file import validate_experiment


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = PhantomConfig(number=84, balanced=True)
    return write_phantoms(tmp_path_factory.mktemp("predicting") / "phantoms", config, 64)


@pytest.fixture(scope="module")
def run(phantoms: Path, fabric: Fabric, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two classifiers of lesion crops."""
    tree = {
        "name": "crops",
        "data": {"source": str(phantoms), "size": 32, "crop": "lesion", "margin": 0.5},
        "splits": {"folds": 3, "run": [0]},
        "classifiers": [{"images": 64, "batch": 16, "validations": 2}],
        "arms": [{"name": "real"}, {"name": "classic", "policy": "standard"}],
    }
    begun = open_run(tmp_path_factory.mktemp("runs") / "run", validate_experiment(tree, "crops"))
    for job in begun.jobs.classifiers:
        run_classifier_job(begun, job, fabric).write(begun.job(job.key).record)
    return begun


@pytest.fixture(scope="module")
def checkpoint(run: Run) -> Path:
    return find_classifiers(run.folder)[0].path


@pytest.fixture
def images(run: Run, checkpoint: Path) -> tuple[list[Path], np.ndarray]:
    """Files of some test images, and what the run predicted for them."""
    table = read_predictions(JobFolder(checkpoint.parent).predictions, run.catalog.classes).head(6)
    rows = run.catalog.rows(table["image_id"].tolist())
    paths = [Path(path) for path in run.catalog.table["path"].iloc[rows]]
    return paths, probabilities_of(table, run.catalog.classes)


def test_the_lesion_is_cut_out_as_in_training(
    checkpoint: Path, images: tuple[list[Path], np.ndarray], fabric: Fabric, tmp_path: Path
) -> None:
    paths, expected = images
    _, spec = load_classifier(checkpoint)
    assert (spec.crop, spec.margin) == ("lesion", 0.5)
    found, _ = predict_files(checkpoint, paths, fabric)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    alone = [Path(shutil.copy(path, tmp_path)) for path in paths]
    masks = paths[0].parent.parent / MASK_FOLDER
    found, _ = predict_files(checkpoint, alone, fabric, masks)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_images_of_the_run_are_known_whatever_their_file(
    run: Run, checkpoint: Path, fabric: Fabric, tmp_path: Path, phantoms: Path
) -> None:
    stored = only_classifier(checkpoint)
    table = run.catalog.table.set_index("image_id")
    trained, tested = run.fold(0).train[0], run.fold(0).test[0]
    seen, new = (
        tmp_path / "seen",
        write_phantoms(tmp_path / "new", PhantomConfig(number=4, seed=9), 64),
    )
    seen.mkdir()
    for name, image_id in (("a.png", trained), ("b.png", tested)):
        with Image.open(table.loc[image_id, "path"]) as image:
            image.save(seen / name)
        mask = phantoms / MASK_FOLDER / f"{image_id}_segmentation.png"
        shutil.copy(mask, seen / f"{Path(name).stem}_segmentation.png")
    (tmp_path / "masks").mkdir()
    for mask in [*seen.glob("*_segmentation.png"), *(new / MASK_FOLDER).iterdir()]:
        shutil.copy(mask, tmp_path / "masks")
    paths = [seen / "a.png", seen / "b.png", min(new.rglob("*.jpg"))]
    found = predict_paths(checkpoint, paths, fabric, tmp_path / "masks")
    known = known_images(stored, found)
    assert known == {str(paths[0]): True, str(paths[1]): False}
    written = images_command._written(found.table, known)
    assert written["known image"].tolist() == ["training image", "other image of the study", ""]
    alone = StoredClassifier(Path(shutil.copy(checkpoint, tmp_path)))
    assert known_images(alone, found) == {}


def test_a_folder_within_a_run_holds_the_classifiers_below_it(run: Run) -> None:
    assert len(find_classifiers(run.folder)) == 2
    assert len(find_classifiers(run.folder / "classifiers")) == 2
    only = only_classifier(run.folder / "classifiers" / "classic")
    assert only.record.arm.name == "classic"
    with pytest.raises(DermaugError, match="of the trainings of an arm the first is as good"):
        only_classifier(run.folder / "classifiers")
    with pytest.raises(DermaugError, match="found none"):
        find_classifiers(run.folder / "contents")


def test_without_its_segmentation_an_image_is_refused(
    checkpoint: Path, images: tuple[list[Path], np.ndarray], fabric: Fabric, tmp_path: Path
) -> None:
    paths, _ = images
    alone = Path(shutil.copy(paths[0], tmp_path))
    with pytest.raises(DermaugError, match="1 of 2 images have no segmentation") as caught:
        predict_files(checkpoint, [paths[1], alone], fabric)
    assert "--masks FOLDER" in caught.value.message
    assert caught.value.details == (str(alone),)
    (tmp_path / "masks").mkdir()
    with pytest.raises(DermaugError, match="1 of 1 images have no segmentation"):
        predict_files(checkpoint, [alone], fabric, tmp_path / "masks")
    empty = tmp_path / "masks" / f"{alone.stem}_segmentation.png"
    Image.new("L", (64, 64)).save(empty)
    with pytest.raises(DermaugError, match="1 of 1 files are not valid images") as caught:
        predict_files(checkpoint, [alone], fabric, tmp_path / "masks")
    assert caught.value.details == (f"{empty}: the segmentation marks no pixel",)


def test_data_without_segmentations_are_not_evaluated(
    run: Run, phantoms: Path, fabric: Fabric, tmp_path: Path
) -> None:
    other = write_phantoms(tmp_path / "other", PhantomConfig(number=70, balanced=True, seed=4), 64)
    classifiers = find_classifiers(run.folder)
    assert evaluate(classifiers, other, fabric, skip_known=False)[0]["images"].tolist() == [70, 70]
    next((other / MASK_FOLDER).iterdir()).unlink()
    with pytest.raises(DermaugError, match="1 of 70 images have no segmentation"):
        evaluate(classifiers, other, fabric, skip_known=False)


def test_of_several_classifiers_none_is_taken_in_silence(run: Run, checkpoint: Path) -> None:
    with pytest.raises(DermaugError, match="expected one classifier, found 2") as caught:
        only_classifier(run.folder)
    assert caught.value.details == tuple(
        str(each.path.parent) for each in find_classifiers(run.folder)
    )
    assert only_classifier(checkpoint.parent).path == checkpoint


def test_folders_are_predicted_and_what_is_no_image_is_listed(
    checkpoint: Path, images: tuple[list[Path], np.ndarray], fabric: Fabric, tmp_path: Path
) -> None:
    paths, expected = images
    folder = tmp_path / "some" / "deeper"
    folder.mkdir(parents=True)
    for path in paths[1:]:
        shutil.copy(path, folder)
    (folder / "notes.txt").write_text("none")
    (folder / "broken.jpg").write_bytes(b"none")
    masks = paths[0].parent.parent / MASK_FOLDER
    mine = Path(shutil.copytree(masks, tmp_path / "masks"))
    shutil.copy(min(mine.iterdir()), mine / "broken_segmentation.png")
    found = predict_paths(checkpoint, [paths[0], tmp_path / "some"], fabric, mine)
    order = [0, *(1 + place for place in np.argsort([path.name for path in paths[1:]]))]
    assert [path.name for path in found.images] == [paths[place].name for place in order]
    np.testing.assert_allclose(found.probabilities, expected[order], atol=1e-5)
    assert [Path(name).name for name, _ in found.skipped] == ["notes.txt", "broken.jpg"]
    assert list(found.table.columns) == ["file", "label", *found.spec.classes]
    (tmp_path / "empty").mkdir()
    with pytest.raises(DermaugError, match="found only empty folders"):
        predict_paths(checkpoint, [tmp_path / "empty"], fabric)
