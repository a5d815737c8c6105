"""A study for which there is no room is refused before it is run."""

from pathlib import Path

import pytest

from dermaug.errors import DermaugError
from dermaug.experiment.launchers.room import GIB, disk_bytes, room_sentence
from dermaug.experiment.launchers.step_times import Measured
from dermaug.experiment.plan.enumeration import enumerate_jobs
from dermaug.experiment.plan.jobs import Jobs
from dermaug.experiment_file import validate_experiment


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
