"""A whole study on a few phantoms: it ends, survives kills, repeats, and lets nothing leak."""

import shutil
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from begun import open_run
from programs import Program
from small_grid import written

from dermaug.config import Experiment
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.launch import do_jobs, run_experiment
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.run.artefacts import find_classifiers
from dermaug.experiment.run.layout import RunFolder
from dermaug.experiment.run.reading import read_results
from dermaug.experiment.run.results import RunResults
from dermaug.experiment.stages.predict_external import evaluate
from dermaug.experiment.stages.predict_files import predict_files
from dermaug.experiment_file import read_experiment
from dermaug.files import read_sealed, write_sealed
from dermaug.synthesis.png_folder import generate_folder
from dermaug.synthesis.synthetic_set import read_synthetic_set
from dermaug.training.fabric import start_fabric
from dermaug.training.resume import LAST

ONE_SEED = "seeds=[0]"


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Experiment]:
    path = written(tmp_path_factory.mktemp("asked"))
    return path, read_experiment(path, [ONE_SEED])


def work(folder: Path, experiment: Experiment) -> RunResults:
    return read_results(run_experiment(folder, experiment, Launch("cpu"), "dermaug run tiny.toml"))


@pytest.fixture(scope="module")
def finished(
    asked: tuple[Path, Experiment], tmp_path_factory: pytest.TempPathFactory
) -> RunResults:
    return work(tmp_path_factory.mktemp("runs") / "tiny", asked[1])


def test_everything_asked_for_is_there(finished: RunResults) -> None:
    assert (len(finished.generators), len(finished.trials)) == finished.num_jobs
    (fold,) = finished.folds
    for trial in finished.trials:
        test = trial.predictions[trial.predictions["part"] == "test"]
        assert sorted(test["image_id"]) == sorted(fold.test)
        np.testing.assert_allclose(trial.predictions.filter(like="p_").sum(axis=1), 1.0, atol=1e-5)
    synthetic = next(trial for trial in finished.trials if trial.arm == "classic+synthetic")
    assert synthetic.record.train_counts["mel"].synthetic == 20
    assert synthetic.record.train_counts["nv"].synthetic == 0
    replay = next(trial for trial in finished.trials if trial.arm == "classic+synthetic-replay")
    assert replay.record.train_counts == synthetic.record.train_counts
    assert (replay.generator_seed, synthetic.generator_seed) == (None, 0)
    shown = {trial.record.training.images for trial in finished.trials if trial.record.training}
    assert shown == {640}  # equal budgets


def test_arms_start_from_the_same_weights_and_differ_in_the_end(finished: RunResults) -> None:
    arms = [trial.predictions.filter(like="p_").to_numpy() for trial in finished.trials]
    assert np.abs(arms[0] - arms[1]).max() > 1e-3
    assert np.abs(arms[1] - arms[2]).max() > 1e-3


def test_finished_run_is_only_read_again(
    finished: RunResults, asked: tuple[Path, Experiment]
) -> None:
    def times() -> dict[Path, float]:
        kept = ("safetensors", "parquet", "npy")
        found = finished.folder.rglob("*")
        return {path: path.stat().st_mtime for path in found if path.name.endswith(kept)}

    before = times()
    again = work(finished.folder, asked[1])
    assert times() == before
    assert again.record == finished.record


def test_a_run_ends_when_its_last_job_does(
    finished: RunResults, asked: tuple[Path, Experiment], tmp_path: Path
) -> None:
    folder = shutil.copytree(finished.folder, tmp_path / "again")
    shutil.rmtree(folder / finished.trials[-1].folder.relative_to(finished.folder))
    old = finished.record.model_copy(update={"finished": "2020-01-01T00:00:00+00:00"})
    old.write(folder / "run.json")
    assert work(folder, asked[1]).record.finished > finished.record.started


def test_a_kill_after_the_last_file_leaves_no_resume_behind(
    finished: RunResults, asked: tuple[Path, Experiment]
) -> None:
    left = finished.generators[0].folder / LAST
    left.write_bytes(b"the program was killed before it deleted this")
    work(finished.folder, asked[1])
    assert not left.exists()


def test_another_experiment_in_the_folder_is_refused_with_the_difference(
    finished: RunResults, asked: tuple[Path, Experiment]
) -> None:
    other = read_experiment(asked[0], [ONE_SEED, "classifiers.0.images=999"])
    with pytest.raises(DermaugError) as caught:
        open_run(finished.folder, other)
    assert caught.value.details == ("classifiers.0.images: 640 -> 999",)


@pytest.mark.slow
def test_killed_in_each_stage_it_ends_as_if_it_had_not_been(
    asked: tuple[Path, Experiment], finished: RunResults, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    words = ["run", str(asked[0]), "--set", ONE_SEED, "--output", str(folder)]
    words += ["--launcher", "serial"]
    stages = [
        "generators/*/*/*/resume.safetensors",
        "generators/*/*/*/record.json",
        "classifiers/classic/*/*/resume.safetensors",
        "classifiers/classic+synthetic/*/*/resume.safetensors",
    ]
    for appears in stages:
        code, said = Program(words, tmp_path, killed_at=appears).ended()
        assert code == -signal.SIGKILL, said
    again = work(folder, asked[1])
    for one, other in zip(again.trials, finished.trials, strict=True):
        pd.testing.assert_frame_equal(one.predictions, other.predictions)
    for one_generator, other_generator in zip(again.generators, finished.generators, strict=True):
        np.testing.assert_array_equal(one_generator.samples, other_generator.samples)
    assert not list(folder.rglob("resume*"))
    assert not list(folder.rglob(".partial-*"))


def test_synthetic_set_of_another_fold_stops_the_run(
    asked: tuple[Path, Experiment], tmp_path: Path
) -> None:
    """A planted leak: the set says that its generator was trained in another fold."""
    folder = tmp_path / "run"
    run = open_run(folder, asked[1])
    (job,) = run.jobs.generators
    do_jobs(run, [job], Launch("cpu"))
    manifest = RunFolder(folder).job(job.key).synthetic / "manifest.json"
    told = read_sealed(manifest)
    write_sealed(manifest, told | {"fold_key": "another"})
    with pytest.raises(DermaugError, match="made for fold another"):
        work(folder, asked[1])
    seen = [*told["training_images"], run.folds[0].test[0]]
    write_sealed(manifest, told | {"training_images": seen})
    with pytest.raises(DermaugError, match="was trained on 1 images outside the training split"):
        work(folder, asked[1])
    write_sealed(manifest, told)
    assert len(work(folder, asked[1]).trials) == 3


def test_evaluation_refuses_images_it_was_trained_on(finished: RunResults, tmp_path: Path) -> None:
    fabric = start_fabric("cpu")
    classifiers = find_classifiers(finished.folder)
    assert len(classifiers) == 3
    keep = tmp_path / "three"
    for label in ("bcc", "mel", "nv"):
        (keep / label).mkdir(parents=True)
        rows = finished.catalog.table[finished.catalog.table["label"] == label]
        for path in rows["path"]:
            (keep / label / Path(path).name).symlink_to(path)
    with pytest.raises(DermaugError, match="leave them out with --skip-known"):
        evaluate(classifiers, keep, fabric, skip_known=False)
    scores, class_scores = evaluate(classifiers, keep, fabric, skip_known=True)
    (fold,) = finished.folds
    assert set(scores["images"]) == {len(fold.validation) + len(fold.test)}
    assert class_scores["support"].sum() == 3 * (len(fold.validation) + len(fold.test))
    assert set(scores["arm"]) == {trial.arm for trial in finished.trials}


def test_predictions_of_files_equal_those_of_the_run(finished: RunResults) -> None:
    trial = finished.trials[0]
    some = trial.predictions.head(5)
    rows = finished.catalog.rows(some["image_id"].tolist())
    paths = [Path(path) for path in finished.catalog.table["path"].iloc[rows]]
    (stored,) = find_classifiers(trial.folder)
    probabilities, spec = predict_files(stored.path, paths, start_fabric("cpu"))
    assert spec.classes == ("bcc", "mel", "nv")
    np.testing.assert_allclose(probabilities, some.filter(like="p_").to_numpy(), atol=1e-4)
    with pytest.raises(DermaugError, match="1 of 2 files are not valid images"):
        predict_files(stored.path, [paths[0], Path("none.jpg")], start_fabric("cpu"))


def test_generated_folder_is_the_run_s_generator(finished: RunResults, tmp_path: Path) -> None:
    generator = finished.generators[0]
    checkpoint = generator.folder / "generator.safetensors"
    device = start_fabric("cpu").device
    generate_folder(checkpoint, "mel", 5, 0, tmp_path / "a", device)
    generate_folder(checkpoint, "mel", 3, 0, tmp_path / "b", device)
    large, small = (read_synthetic_set(tmp_path / name) for name in "ab")
    np.testing.assert_array_equal(large.images[:3], small.images)
    assert large.provenance.fold_key == finished.folds[0].key
    own = read_synthetic_set(generator.folder / "synthetic").provenance
    assert large.provenance.validation_images == own.validation_images
    with pytest.raises(DermaugError, match="expected a class it was trained on"):
        generate_folder(checkpoint, "nv", 5, 0, tmp_path / "c", device)
    with pytest.raises(DermaugError, match="expected a new or empty folder"):
        generate_folder(checkpoint, "mel", 5, 0, tmp_path / "a", device)
    classifier = finished.trials[0].folder / "classifier.safetensors"
    with pytest.raises(DermaugError, match="not a generator checkpoint"):
        generate_folder(classifier, "mel", 5, 0, tmp_path / "c", device)
