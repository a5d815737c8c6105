"""Curation in a real small study: what is left out is counted, and what stays passes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dermaug.classifiers.training import CLASSIFIER
from dermaug.config import SyntheticConfig
from dermaug.errors import DermaugError
from dermaug.experiment.curating import curated_dose
from dermaug.experiment.judges import classifier_judge
from dermaug.experiment.runs import Run, open_run, synthetic_folder
from dermaug.experiment.stages import run_classifier_job, run_generator_jobs
from dermaug.experiment.training_sets import training_set
from dermaug.experiment_file import validate_experiment
from dermaug.synthesis.synthetic_set import read_synthetic_set
from dermaug.training.fabric import start_fabric

CPU = torch.device("cpu")

TREE = {
    "name": "curated",
    "data": {
        "size": 32,
        "classes": ["mel", "nv"],
        "phantom": {"number": 160, "balanced": True},
    },
    "splits": {"folds": 3, "run": [0]},
    "classifiers": [{"images": 640, "batch": 16, "validations": 2}],
    "generators": [{"family": "cgan", "images": 320, "batch": 16, "width": 4, "latent": 8}],
    "arms": [
        {"name": "real"},
        {
            "name": "curated",
            "synthetic": {
                "family": "cgan",
                "dose": 20,
                "max_per_real": 0.0,
                "curation": {
                    "drop_copies": True,
                    "drop_duplicates": True,
                    "confidence": 0.3,
                    "typical": 0.8,
                    "pool": 3.0,
                },
            },
        },
    ],
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DERMAUG_CACHE", str(tmp_path_factory.mktemp("cache")))
        begun = open_run(tmp_path_factory.mktemp("run"), validate_experiment(TREE, "test"))
    fabric = start_fabric("cpu")
    run_generator_jobs(begun, begun.jobs.generators[:1], fabric)
    run_classifier_job(begun, begun.jobs.classifiers[0], fabric)
    return begun


def test_pool_is_drawn_and_only_passing_images_are_taken(run: Run) -> None:
    job = run.jobs.classifiers[1]
    drawn = read_synthetic_set(synthetic_folder(run.folder, job.generators[0]))
    assert drawn.labels.count("mel") == 64  # 3 x 20 is less than a grid's worth
    dose = {"mel": 20, "nv": 20}
    images, labels, removed = curated_dose(run, job, run.fold(0), [drawn], dose, CPU)
    judge = classifier_judge(
        run.folder / run.jobs.classifiers[0].key / "classifier.safetensors", torch.device("cpu")
    )
    for label in ("mel", "nv"):
        rows = np.asarray(labels) == label
        record = removed[label]
        assert record["pool"] == 60
        rules = {"copies", "duplicates", "unconfident", "atypical"}
        assert set(record) == {"wanted", "pool", "kept", *rules}
        assert record["atypical"] == 12
        assert rows.sum() == min(20, record["kept"] or 0)
        if rows.any():
            assert judge.probability(images[rows], label).min() >= 0.3


def test_cell_records_what_was_removed(run: Run) -> None:
    from dermaug.files import read_json

    job = run.jobs.classifiers[1]
    run_classifier_job(run, job, start_fabric("cpu"))
    manifest = read_json(run.folder / job.key / "manifest.json")
    kept = {label: record["kept"] for label, record in manifest["curation"].items()}
    counts = {label: count["synthetic"] for label, count in manifest["train_counts"].items()}
    assert counts == {label: min(20, number) for label, number in kept.items()}
    assert min(counts.values()) < 20  # as many as asked for would be no test of what follows
    replay = run.jobs.classifiers[2]
    assert replay.mixture.replay_of == "curated"
    repeated = training_set(run, replay, run.fold(0), CPU).counts
    assert {label: count["synthetic"] for label, count in repeated.items()} == counts


def test_replay_waits_for_what_its_arm_really_added(run: Run) -> None:
    replay = run.jobs.classifiers[2]
    assert replay.needs == (run.jobs.classifiers[1].key,)
    begun = replace(run, folder=run.folder / "elsewhere")
    with pytest.raises(DermaugError, match=f"{replay.needs[0]}, which is not trained"):
        training_set(begun, replay, run.fold(0), CPU)


def test_wider_latents_give_other_images(run: Run) -> None:
    job = run.jobs.classifiers[1]
    drawn = read_synthetic_set(synthetic_folder(run.folder, job.generators[0]))

    def first(spread: float) -> np.ndarray:
        asked = SyntheticConfig.model_validate(
            {"family": "cgan", "dose": 5, "curation": {"spread": spread, "pool": 1.0}}
        )
        wider = job.mixture.model_copy(update={"synthetic": asked})
        cell = replace(job, mixture=wider)
        return curated_dose(run, cell, run.fold(0), [drawn], {"mel": 5}, CPU)[0]

    np.testing.assert_array_equal(first(1.0), drawn.images[np.asarray(drawn.labels) == "mel"][:5])
    assert not np.array_equal(first(1.5), first(1.0))


@pytest.mark.parametrize("change", [{"curation": {"confidence": 0.5}}, {"labels": "judged"}])
def test_judge_must_stand_before_the_arm(change: dict[str, object]) -> None:
    judged = {"name": "judged", "synthetic": {"family": "cgan", "dose": 20} | change}
    for arms in ([judged, {"name": "real"}], [judged]):
        with pytest.raises(DermaugError, match="before it"):
            validate_experiment(TREE | {"arms": arms}, "test")


def test_soft_labels_are_what_the_judge_gives(run: Run) -> None:
    job = run.jobs.classifiers[1]
    asked = SyntheticConfig(family="cgan", dose=20, max_per_real=0.0, labels="judged")
    soft = replace(job, mixture=job.mixture.model_copy(update={"synthetic": asked}))
    found = training_set(run, soft, run.fold(0), CPU)
    judge = classifier_judge(run.folder / run.jobs.classifiers[0].key / CLASSIFIER, CPU)
    assert found.soft is not None
    assert found.soft.shape == (40, 2)
    np.testing.assert_array_equal(found.soft, judge.probabilities(found.images[-40:]))
    replayed = asked.model_copy(update={"family": "replay"})
    control = replace(job, mixture=job.mixture.model_copy(update={"synthetic": replayed}))
    assert training_set(run, control, run.fold(0), CPU).soft is not None
    assert training_set(run, job, run.fold(0), CPU).soft is None


def test_judge_must_be_trained(run: Run) -> None:
    job = run.jobs.classifiers[1]
    other = replace(job, seed=7)
    with pytest.raises(DermaugError, match="not trained yet"):
        curated_dose(run, other, run.fold(0), [], {"mel": 5}, CPU)
