"""An arm whose classifier is a generator's discriminator: a small study from file to report."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from begun import open_run
from drawn import reported

from dermaug.data.splits import Fold
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.launch import run_experiment
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.run.artefacts import find_classifiers
from dermaug.experiment.run.reading import read_results
from dermaug.experiment.run.results import RunResults
from dermaug.experiment.stages.classify import run_classifier_job
from dermaug.experiment.stages.discriminators import borrow_discriminator
from dermaug.experiment_file import validate_experiment
from dermaug.generators.saved_generator import load_family
from dermaug.inspection.audit_run import control_of_family
from dermaug.report.sections.cost import cost_table
from dermaug.training.fabric import start_fabric

TREE = {
    "name": "discriminators",
    "seeds": [0, 1],
    "data": {
        "size": 32,
        "classes": ["bcc", "mel", "nv"],
        "phantom": {"number": 120, "balanced": True},
    },
    "splits": {"folds": 3, "run": [0]},
    "classifiers": [{"images": 160, "batch": 16, "validations": 2}],
    "generators": [
        # Classes in another order than the study's.
        {
            "family": "acgan",
            "classes": ["nv", "bcc", "mel"],
            "images": 480,
            "snapshots": 2,
            "examined": 16,
            "batch": 16,
            "width": 8,
            "rate": 1e-3,
            "seeds": [0, 1],
        }
    ],
    "arms": [
        {"name": "real"},
        {"name": "discriminator", "discriminator": "acgan"},
    ],
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunResults:
    folder = tmp_path_factory.mktemp("runs") / "discriminators"
    asked = validate_experiment(TREE, "test")
    return read_results(run_experiment(folder, asked, Launch("cpu")))


def discriminator_trials(results: RunResults) -> list[pd.DataFrame]:
    return [trial.predictions for trial in results.trials if trial.arm == "discriminator"]


def test_predictions_are_the_discriminator_s(finished: RunResults) -> None:
    """Image by image: softmax of the class head on [-1, 1], columns in the study's order."""
    for trial in (trial for trial in finished.trials if trial.arm == "discriminator"):
        checkpoint = finished.folder / trial.record.discriminator_of / "generator.safetensors"
        family, spec = load_family(checkpoint, start_fabric("cpu").device)
        assert spec.classes == ("nv", "bcc", "mel")
        rows = finished.catalog.rows(trial.predictions["image_id"].tolist())
        pixels = np.array(finished.images[rows]).transpose(0, 3, 1, 2) / 127.5 - 1.0
        with torch.inference_mode():
            logits = family.class_logits(torch.from_numpy(pixels).float())
        assert logits is not None
        expected = logits.softmax(1).numpy()[:, [1, 2, 0]]
        found = trial.predictions[["p_bcc", "p_mel", "p_nv"]].to_numpy()
        np.testing.assert_allclose(found, expected, atol=1e-5)
        (fold,) = finished.folds
        assert set(trial.predictions["image_id"]) == {*fold.validation, *fold.test}


def test_each_seed_has_its_generator_s_discriminator(finished: RunResults) -> None:
    trials = {trial.seed: trial for trial in finished.trials if trial.arm == "discriminator"}
    assert {seed: trial.generator_seed for seed, trial in trials.items()} == {0: 0, 1: 1}
    digests = {trial.record.digest for trial in trials.values()}
    assert len(digests) == 2
    first, second = (table.filter(like="p_").to_numpy() for table in discriminator_trials(finished))
    assert np.abs(first - second).max() > 1e-3


def test_nothing_is_trained_and_the_report_copes(finished: RunResults, tmp_path: Path) -> None:
    for trial in (trial for trial in finished.trials if trial.arm == "discriminator"):
        assert len(trial.journal) == 0
        assert not list(trial.folder.glob("*.safetensors"))
        assert trial.record.training is None
        assert trial.record.train_counts["mel"].synthetic == 0
    # `dermaug evaluate RUN` leaves discriminators alone.
    assert {stored.record.arm.name for stored in find_classifiers(finished.folder)} == {"real"}
    page = reported(finished, tmp_path / "report.html").read_text(encoding="utf-8")
    assert "none: the discriminator of acgan" in page
    (_, classifiers) = cost_table(finished).rows
    assert classifiers[:2] == ("classifier fridadar", "2")  # trainings: one arm, two seeds


def test_discriminator_of_another_fold_is_refused(finished: RunResults) -> None:
    run = open_run(finished.folder, finished.experiment)
    job = next(job for job in run.jobs.classifiers if job.arm == "discriminator")
    (fold,) = run.folds
    swapped = Fold(fold.index, fold.test, fold.validation, fold.train)
    with pytest.raises(DermaugError, match="lesions that this fold tests on"):
        borrow_discriminator(run, job, swapped, start_fabric("cpu").device)


def test_discriminator_before_its_generator(finished: RunResults, tmp_path: Path) -> None:
    run = open_run(tmp_path / "run", finished.experiment)
    job = next(job for job in run.jobs.classifiers if job.arm == "discriminator")
    with pytest.raises(DermaugError, match="generators/acgan/fold0-seed0/all, which has not been"):
        run_classifier_job(run, job, start_fabric("cpu"))


def test_audit_asks_a_trained_classifier() -> None:
    arms = [{"name": "discriminator", "discriminator": "acgan"}, {"name": "real"}]
    study = validate_experiment(TREE | {"arms": arms}, "test")
    control = control_of_family(study, "acgan")
    assert control is not None
    assert control.name == "real"


def asked(arm: dict[str, object], generator: dict[str, object]) -> dict[str, object]:
    return TREE | {
        "arms": [{"name": "real"}, {"name": "discriminator"} | arm],
        "generators": [generator],
    }


@pytest.mark.parametrize(
    ("arm", "expected"),
    [
        (
            {"discriminator": "acgan", "policy": "standard"},
            "discriminator and policy exclude each other",
        ),
        (
            {"discriminator": "acgan", "synthetic": {"dose": 5, "family": "acgan"}},
            "discriminator and synthetic",
        ),
        (
            {"discriminator": "acgan", "variants": 5, "loss": "weighted"},
            "discriminator and loss, variants",
        ),
        ({"discriminator": "replay"}, "arm 'discriminator' needs generator 'replay'"),
        ({"discriminator": "dcgan"}, "arm 'discriminator' needs generator 'dcgan'"),
    ],
)
def test_what_does_not_go_with_a_discriminator(arm: dict[str, object], expected: str) -> None:
    with pytest.raises(DermaugError) as caught:
        validate_experiment(asked(arm, {"family": "acgan"}), "test")
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("generator", "expected"),
    [
        (
            {"family": "dcgan"},
            r"discriminator of dcgan \(dcgan\) does not predict classes; .* acgan",
        ),
        (
            {"family": "acgan", "classes": ["bcc", "mel"]},
            "discriminator of acgan is not trained on nv",
        ),
    ],
)
def test_discriminators_that_cannot_be_classifiers(
    generator: dict[str, object], expected: str, tmp_path: Path
) -> None:
    arm = {"discriminator": generator["family"]}
    with pytest.raises(DermaugError, match=expected):
        _ = open_run(tmp_path / "run", validate_experiment(asked(arm, generator), "test")).jobs
