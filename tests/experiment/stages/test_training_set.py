"""What each arm is trained on: the right images, as many as asked for, and nothing that leaks."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from begun import open_run
from lightning_fabric import Fabric

from dermaug.config import Experiment
from dermaug.config.arms import CONTROLS, FOLDER
from dermaug.data.sources.phantom import draw_class
from dermaug.errors import DermaugError
from dermaug.experiment.plan.jobs import ClassifierJob
from dermaug.experiment.run.records import ImageCounts, TrialRecord
from dermaug.experiment.run.run import Run
from dermaug.experiment.stages.classify import _dosage, run_classifier_job
from dermaug.experiment.stages.fillers import FILLERS
from dermaug.experiment.stages.training_set import TrainingSet, training_set
from dermaug.experiment_file import validate_experiment
from dermaug.synthesis.synthetic_set import Provenance, SyntheticSet, write_synthetic_set
from dermaug.training.order import phases

CLASSES = ["bcc", "mel", "nv"]


def asked(*arms: dict[str, object], **changes: object) -> Experiment:
    tree: dict[str, object] = {
        "name": "arms",
        "data": {"size": 32, "classes": CLASSES, "phantom": {"number": 210, "balanced": True}},
        "splits": {"folds": 3, "run": [0], "lesions": [0, 4]},
        "classifiers": [{"images": 64, "batch": 16, "validations": 1}],
        "arms": [{"name": "real"}, *arms],
    }
    return validate_experiment(tree | changes, "test")


@pytest.fixture
def assembled(
    tmp_path: Path,
) -> Callable[..., tuple[Run, ClassifierJob, TrainingSet]]:
    """The training set of the first trial of the last arm that an experiment names."""

    def assemble(*arms: dict[str, object], lesions: int = 0) -> tuple[object, ...]:
        run = open_run(tmp_path / "run", asked(*arms))
        name = str(arms[-1]["name"])
        found = (
            each for each in run.jobs.classifiers if (each.arm, each.lesions) == (name, lesions)
        )
        job = next(found)
        return run, job, training_set(run, job, torch.device("cpu"))

    return assemble  # type: ignore[return-value]


def rows_of(images: np.ndarray) -> set[bytes]:
    return {image.tobytes() for image in images}


def test_real_arm_is_the_training_part(assembled: Callable[..., tuple]) -> None:
    run, _, found = assembled({"name": "weighted", "loss": "weighted"})
    rows = run.catalog.rows(run.folds[0].train)
    np.testing.assert_array_equal(found.images, run.images[rows])
    np.testing.assert_array_equal(found.labels, run.catalog.labels[rows])
    assert found.provenance == "fold"


def test_replay_repeats_real_training_images_of_the_class(assembled: Callable[..., tuple]) -> None:
    arm = {"name": "again", "synthetic": {"family": "replay", "dose": {"mel": 90}}}
    run, _, found = assembled(arm)
    real = len(run.folds[0].train)
    extra, labels = found.images[real:], found.labels[real:]
    assert (labels == CLASSES.index("mel")).all()
    assert found.counts["mel"].synthetic == len(extra) == 90
    train_mel = found.images[:real][found.labels[:real] == CLASSES.index("mel")]
    assert rows_of(extra) == rows_of(train_mel)  # 90 > 40: each at least once
    test = run.images[run.catalog.rows(run.folds[0].test)]
    assert not rows_of(extra) & rows_of(test)


def test_oracle_on_phantoms_draws_lesions_nobody_has(assembled: Callable[..., tuple]) -> None:
    arm = {"name": "more", "synthetic": {"family": "oracle", "dose": 5}}
    run, _, found = assembled(arm)
    extra = found.images[len(run.folds[0].train) :]
    assert len(extra) == 15
    assert not rows_of(extra) & rows_of(np.asarray(run.images))
    assert found.provenance == "beyond"
    assert extra.shape[1:] == draw_class("mel", 1, 0, 32).images.shape[1:]


def test_reduced_training_parts_nest_and_hold_so_many_lesions(
    assembled: Callable[..., tuple],
) -> None:
    run, _, found = assembled({"name": "plain"}, lesions=4)
    whole, reduced = run.fold(0), run.fold(0, 4)
    assert set(reduced.train) < set(whole.train)
    assert set(run.fold(0, 2).train) < set(reduced.train)
    assert (reduced.validation, reduced.test) == (whole.validation, whole.test)
    assert reduced.key != whole.key
    table = run.catalog.table.iloc[run.catalog.rows(reduced.train)]
    assert table.groupby("label")["lesion_id"].nunique().to_dict() == dict.fromkeys(CLASSES, 4)
    assert len(found.images) == len(reduced.train)


def test_variants_are_real_images_changed(assembled: Callable[..., tuple]) -> None:
    run, _, found = assembled({"name": "classic", "variants": 30})
    real = len(run.folds[0].train)
    assert np.bincount(found.labels[real:]).tolist() == [30, 30, 30]
    assert found.counts["nv"].variants == 30
    assert not rows_of(found.images[real:]) & rows_of(found.images[:real])
    level = found.images[real:].mean() - found.images[:real].mean()
    assert abs(level) < 8


def planted(run: Run, folder: Path, fold_key: str, seen: tuple[str, ...]) -> None:
    images = np.full((6, 32, 32, 3), 77, dtype=np.uint8)
    labels = tuple(np.repeat(CLASSES, 2).tolist())
    provenance = Provenance("elsewhere", "0" * 64, 0, fold_key, seen)
    write_synthetic_set(folder, SyntheticSet(images, labels, provenance), "png")


def test_folder_of_ours_is_held_to_its_provenance(
    assembled: Callable[..., tuple], tmp_path: Path
) -> None:
    arm = {"name": "mine", "synthetic": {"folder": str(tmp_path / "set"), "dose": 2}}
    run, *_ = assembled({"name": "real2"})
    (tmp_path / "run").rename(tmp_path / "before")
    fold = run.folds[0]
    planted(run, tmp_path / "set", fold.key, fold.train[:5])
    _, _, found = assembled(arm)
    assert found.provenance == "fold"
    assert (found.images[-6:] == 77).all()
    (tmp_path / "set").rename(tmp_path / "fine")
    planted(run, tmp_path / "set", fold.key, fold.test[:5])
    with pytest.raises(DermaugError, match="was trained on 5 images outside the training split"):
        assembled(arm)


def test_folder_without_provenance_is_accepted_and_marked(
    assembled: Callable[..., tuple], tmp_path: Path
) -> None:
    from PIL import Image

    for label in CLASSES:
        (tmp_path / "set" / label).mkdir(parents=True)
        for number in range(3):
            picture = Image.new("RGB", (40, 40), (200, 10 * number, 100))
            picture.save(tmp_path / "set" / label / f"{label}{number}.png")
    arm: dict[str, Any] = {"name": "theirs"}
    arm["synthetic"] = {"folder": str(tmp_path / "set"), "dose": 3}
    _, _, found = assembled(arm)
    assert found.provenance == "unknown"
    assert np.bincount(found.labels[-9:]).tolist() == [3, 3, 3]
    (tmp_path / "run").rename(tmp_path / "declared")
    arm["synthetic"] |= {"provenance": {"tool": "StyleGAN3", "trained_on": "other data"}}
    assert assembled(arm)[2].provenance == "declared"
    (tmp_path / "run").rename(tmp_path / "before")
    with pytest.raises(DermaugError, match="4 images of bcc are needed, 3 found"):
        assembled({"name": "theirs", "synthetic": {"folder": str(tmp_path / "set"), "dose": 4}})


def class_folders(folder: Path, number: int) -> str:
    from PIL import Image

    for label in CLASSES:
        (folder / label).mkdir(parents=True)
        for shade in range(number):
            picture = Image.new("RGB", (32, 32), (200, shade, 100))
            picture.save(folder / label / f"{label}{shade:03d}.png")
    return str(folder)


@pytest.mark.parametrize("variants", [0, 7])
def test_as_one_set_there_are_no_more_generated_images_than_real_ones(
    assembled: Callable[..., tuple], tmp_path: Path, variants: int
) -> None:
    given = {"folder": class_folders(tmp_path / "set", 40), "dose": {"mel": 40, "nv": 2}}
    arm = {"name": "theirs", "variants": variants, "synthetic": given}
    _, _, found = assembled(arm, lesions=4)
    mel = found.counts["mel"]
    assert mel.variants == variants
    assert mel.synthetic == mel.real + variants < 40
    assert found.counts["nv"].synthetic == 2
    assert found.capped == {"mel": pytest.approx(40 / mel.synthetic)}


def test_a_share_limits_how_often_generated_images_are_shown_and_its_replay_follows(
    assembled: Callable[..., tuple], tmp_path: Path, fabric: Fabric
) -> None:
    given = {"folder": class_folders(tmp_path / "set", 40), "dose": {"mel": 40}, "share": 0.5}
    run, job, found = assembled({"name": "theirs", "synthetic": given}, lesions=4)
    assert found.counts["mel"].synthetic == 40
    real = np.array([found.counts[label].real for label in CLASSES])
    assert found.capped == {"mel": pytest.approx(1.0 / (real[1] / real.sum()))}
    shown = []
    for name in ("theirs", "theirs-replay"):
        each = replace(job, mixture=next(arm for arm in run.experiment.arms if arm.name == name))
        run_classifier_job(run, each, fabric).write(run.job(each.key).record)
        made = training_set(run, each, torch.device("cpu"))
        (phase,) = phases(made.labels, "natural", _dosage(each, made))
        is_dose = np.arange(len(made.labels)) >= len(made.labels) - made.dosed
        parts = (phase.weights[is_dose], phase.weights[~is_dose & (made.labels == 1)])
        shown.append([part.sum() for part in parts])
        written = TrialRecord.read(run.job(each.key).record)
        assert written.capped == made.capped == found.capped
    assert shown[0] == pytest.approx(shown[1])
    assert shown[0][0] == pytest.approx(shown[0][1])  # one for each real one


def test_dose_alone_has_no_real_images(assembled: Callable[..., tuple]) -> None:
    arm = {"name": "only", "synthetic": {"family": "replay", "balance": 10, "only": True}}
    _, _, found = assembled(arm)
    assert np.bincount(found.labels).tolist() == [10, 10, 10]
    assert found.counts["mel"] == ImageCounts(synthetic=10)


def test_dose_alone_has_no_variants_of_real_images() -> None:
    arm = {"name": "x", "variants": 5, "synthetic": {"family": "replay", "dose": 5, "only": True}}
    with pytest.raises(DermaugError, match=r"variants and synthetic\.only exclude each"):
        asked(arm)


def test_dose_alone_without_a_class_is_refused(assembled: Callable[..., tuple]) -> None:
    arm = {"name": "only", "synthetic": {"family": "replay", "dose": {"mel": 5}, "only": True}}
    with pytest.raises(DermaugError, match="has no bcc, nv"):
        assembled(arm)


def test_curve_becomes_arms_with_their_controls() -> None:
    generators = [{"family": "dcgan", "classes": ["mel"]}]
    curve = {"name": "gan", "synthetic": {"dose": [10, 20]}}
    experiment = asked(curve, generators=generators)
    names = [arm.name for arm in experiment.arms]
    assert names == ["real", "gan-10", "gan-10-replay", "gan-20", "gan-20-replay"]
    assert [arm.curve for arm in experiment.arms] == ["", "gan", "gan-replay", "gan", "gan-replay"]
    control = experiment.arms[2]
    assert control.replay_of == "gan-10"
    assert control.synthetic is not None
    assert (control.synthetic.source, control.synthetic.classes) == ("replay", ("mel",))
    again = validate_experiment(experiment.model_dump(mode="json"), "again")
    assert again == experiment
    off = asked(curve | {"replay": False}, generators=generators)
    assert [arm.name for arm in off.arms] == ["real", "gan-10", "gan-20"]


def test_every_source_of_a_dose_that_is_no_generator_has_its_filler() -> None:
    """Without it the images of a generator of that name would be looked for."""
    assert set(FILLERS) == {*CONTROLS, FOLDER}
