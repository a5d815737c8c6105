"""Half of each class's lesions: whole groups, the same half for all arms, and nothing else seen."""

import math
from pathlib import Path

import numpy as np
import pytest
from begun import open_run
from hypothesis import given
from hypothesis import strategies as st
from lightning_fabric import Fabric

from dermaug.classifiers.model import load_classifier
from dermaug.config import Experiment
from dermaug.data.image_bank import channel_statistics
from dermaug.errors import DermaugError
from dermaug.experiment.run.records import TrialRecord
from dermaug.experiment.run.run import Run
from dermaug.experiment.stages.classify import run_classifier_job
from dermaug.experiment.stages.training_set import first_half, halved
from dermaug.experiment_file import validate_experiment
from dermaug.training.file_names import CLASSIFIER

CLASSES = ["bcc", "mel", "nv"]


def asked(*arms: dict[str, object], source: str = "phantom") -> Experiment:
    tree = {
        "name": "halves",
        "seeds": [0, 1],
        "data": {"source": source, "size": 32, "classes": CLASSES}
        | {"phantom": {"number": 240, "balanced": True}},
        "splits": {"folds": 3, "run": [0], "lesions": [0, 7]},
        "classifiers": [{"images": 64, "batch": 16, "validations": 2}],
        "arms": [{"name": "real"}, *arms],
    }
    return validate_experiment(tree, "test")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return open_run(tmp_path_factory.mktemp("run"), asked({"name": "half", "half": True}))


@given(st.lists(st.integers(0, 20), min_size=1, max_size=60), st.integers(0, 5))
def test_half_of_each_class_s_groups_rounded_up(numbers: list[int], seed: int) -> None:
    groups = np.array([f"g{number}" for number in numbers])
    labels = np.array([number % 3 for number in numbers])
    first = first_half(groups, labels, seed)
    for label in set(labels.tolist()):
        members = set(groups[labels == label])
        chosen = set(groups[(labels == label) & first])
        assert len(chosen) == math.ceil(len(members) / 2)
        assert not chosen & set(groups[~first])  # all images of a group, or none
    turned = first_half(groups[::-1], labels[::-1], seed)[::-1]
    np.testing.assert_array_equal(first, turned)


def test_a_patient_with_two_diagnoses_goes_to_one_half() -> None:
    groups = np.array([f"patient{number // 2}" for number in range(80)])
    labels = np.arange(80) % 2  # each patient has one image of each class
    labels[60:] = 1
    first = first_half(groups, labels, seed=0)
    assert {groups[first].tolist().count(name) for name in set(groups[first])} == {2}
    for label in (0, 1):
        members = set(groups[labels == label])
        assert len(set(groups[first]) & members) == len(members) / 2


@pytest.mark.parametrize("lesions", [0, 7])
def test_the_halves_part_the_training_part_by_lesion(run: Run, lesions: int) -> None:
    whole = run.fold(0, lesions)
    one, other = halved(run, whole, 0), halved(run, whole, 1)
    assert set(one.train) | set(other.train) == set(whole.train)
    assert (one.validation, one.test) == (whole.validation, whole.test)
    table = run.catalog.table.set_index("image_id")
    kept, left = table.loc[list(one.train)], table.loc[list(other.train)]
    assert not set(kept["lesion_id"]) & set(left["lesion_id"])
    of_each, rest = (part.groupby("label")["lesion_id"].nunique() for part in (kept, left))
    assert set(of_each - rest) <= {0, 1}
    if lesions:
        assert of_each.to_dict() == dict.fromkeys(CLASSES, 4)


@pytest.mark.parametrize("lesions", [0, 7])
def test_an_arm_of_half_sees_that_half_and_nothing_else(
    run: Run, fabric: Fabric, lesions: int
) -> None:
    jobs = [job for job in run.jobs.classifiers if (job.arm, job.lesions) == ("half", lesions)]
    seen = []
    for job in jobs:
        run_classifier_job(run, job, fabric).write(run.job(job.key).record)
        record = TrialRecord.read(run.job(job.key).record)
        seen.append(record.training_images)
        assert record.fold_key == run.fold(0, lesions).key
    assert len(seen) == 2
    half = halved(run, run.fold(0, lesions))
    assert seen[0] == seen[1] == half.train
    rows = run.catalog.rows(half.train)
    counts = {label: count.real for label, count in record.train_counts.items()}
    labels = run.catalog.table["label"].iloc[rows]
    assert counts == {label: int((labels == label).sum()) for label in CLASSES}
    classifier, _ = load_classifier(run.folder / jobs[0].key / CLASSIFIER)
    mean, _ = channel_statistics(run.images[rows])
    np.testing.assert_allclose(classifier.mean.flatten().tolist(), mean, atol=1e-6)


def test_half_and_a_dose_contradict_each_other() -> None:
    with pytest.raises(DermaugError, match="half and synthetic exclude each other"):
        asked({"name": "x", "half": True, "synthetic": {"family": "replay", "dose": 5}})
    with pytest.raises(DermaugError, match="discriminator and half exclude each other"):
        asked({"name": "x", "half": True, "discriminator": "acgan"})


def test_an_oracle_is_of_phantoms_only(run: Run, tmp_path: Path) -> None:
    oracle = {"name": "more", "synthetic": {"family": "oracle", "dose": 5}}
    with pytest.raises(DermaugError, match=r"arm more: .* fresh phantoms.*half = true"):
        open_run(tmp_path / "run", asked(oracle, source=str(run.catalog.root)))
    assert not (tmp_path / "run").exists()
