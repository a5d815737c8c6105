"""A study for which there is no room is refused before it is run."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from dermaug.errors import DermaugError
from dermaug.experiment.launchers.room import (
    GIB,
    disk_bytes,
    refuse_too_large,
    refuse_too_many,
    room_sentence,
)
from dermaug.experiment.launchers.step_times import Measured
from dermaug.experiment.plan.enumeration import enumerate_jobs
from dermaug.experiment.plan.jobs import Jobs
from dermaug.experiment.run.machine import available_memory, within_memory
from dermaug.experiment_file import validate_experiment
from dermaug.files import write_text


@pytest.fixture
def jobs() -> Jobs:
    """One generator that draws 64 images of each of two classes, and three classifiers."""
    tree = {
        "name": "room",
        "data": {"size": 32},
        "splits": {"run": [0]},
        "classifiers": [{}],
        "generators": [{"family": "cgan"}],
        "arms": [{"name": "real"}, {"name": "added", "synthetic": {"family": "cgan", "dose": 10}}],
    }
    counts = {(0, 0): {"mel": 20, "nv": 20}}
    return enumerate_jobs(validate_experiment(tree, "room"), ("mel", "nv"), counts)


def of(kept: int, resume: int) -> dict[str, Measured]:
    one = Measured(1e-3, kept, resume)
    return {"classifiers/fridadar": one, "generators/cgan": one}


def test_disk_holds_all_networks_the_images_and_a_checkpoint_for_each_job_at_work(
    jobs: Jobs,
) -> None:
    trainings, images = len(jobs.in_order), 2 * 64 * 3 * 32**2
    assert disk_bytes(jobs, 32, 4, of(1_000, 700)) == 1_200 * trainings + images + 4 * 700


def test_too_small_disk_or_memory_is_refused(jobs: Jobs, tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there"
    assert "GiB of memory" in room_sentence(folder, jobs, 32, 2, of(1_000, 1_000))
    with pytest.raises(DermaugError, match="GiB on disk"):
        room_sentence(folder, jobs, 32, 2, of(10**6 * GIB, 0))
    with pytest.raises(DermaugError, match="reduce --jobs"):
        room_sentence(folder, jobs, 32, 10**6, of(1_000, 1_000))


def test_images_that_cannot_fit_are_refused(jobs: Jobs, tmp_path: Path) -> None:
    refuse_too_many(tmp_path / "not" / "there", jobs, 32)
    (job,) = jobs.generators
    endless = replace(jobs, generators=(replace(job, numbers=(10**9, 10**9)),))
    with pytest.raises(DermaugError, match=r"generated need .* GB on disk.*reduce the"):
        refuse_too_many(tmp_path, endless, 1024)
    write_text(tmp_path / job.key / "record.json", "{}")
    refuse_too_many(tmp_path, endless, 1024)  # they are there already
    (tmp_path / job.key / "record.json").unlink()
    enough = shutil.disk_usage(tmp_path).free
    number = min(enough, available_memory() * 2) // (3 * 32**2) - 1
    if number * 3 * 32**2 > available_memory():
        many = replace(jobs, generators=(replace(job, numbers=(number,)),))
        with pytest.raises(DermaugError, match=r"images need .* GiB of memory"):
            refuse_too_many(tmp_path, many, 32)


def test_a_training_that_cannot_fit_is_refused() -> None:
    cpu = torch.device("cpu")
    refuse_too_large("small", nn.Linear(3, 3), 64, 64, cpu)
    with pytest.raises(DermaugError, match="for a batch of 65,536 images of 1024 px"):
        refuse_too_large("many", nn.Linear(3, 3), 65_536, 1_024, cpu)
    with torch.device("meta"):
        wide = nn.Linear(10**6, 10**6)
    with pytest.raises(DermaugError, match="wide: its training needs more than 14,9"):
        refuse_too_large("wide", wide, 1, 16, cpu)


def test_an_allocation_beyond_the_memory_fails_instead_of_ending_the_program() -> None:
    with within_memory(), pytest.raises(RuntimeError, match="allocate memory"):
        torch.empty(available_memory() + 2**32, dtype=torch.uint8)
    with within_memory():
        assert torch.ones(10).sum() == 10
