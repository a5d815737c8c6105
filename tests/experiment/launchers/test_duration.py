"""How long a study takes: jobs on workers, and what other programs do to it."""

import pytest

from dermaug.experiment.launchers import duration
from dermaug.experiment.launchers.duration import busy_sentence, makespan, study_seconds
from dermaug.experiment.plan.enumeration import enumerate_jobs
from dermaug.experiment.plan.jobs import Jobs
from dermaug.experiment_file import validate_experiment


@pytest.fixture(scope="module")
def jobs() -> Jobs:
    """A generator, the trial of its images, the replay that needs that trial, and a baseline."""
    tree = {
        "name": "duration",
        "splits": {"run": [0]},
        "generators": [{"family": "cgan"}],
        "arms": [{"name": "real"}, {"name": "added", "synthetic": {"family": "cgan", "dose": 10}}],
    }
    counts = {(0, 0): {"mel": 20, "nv": 20}}
    return enumerate_jobs(validate_experiment(tree, "test"), ("mel", "nv"), counts)


def test_jobs_fill_the_workers_and_wait_for_what_they_need(jobs: Jobs) -> None:
    order = jobs.in_order
    equal = dict.fromkeys((job.key for job in order), 1.0)
    assert makespan(order, equal, 1) == len(order) == 4
    assert makespan(order, equal, 2) == makespan(order, equal, 1_000) == 3.0  # one needs another
    long = equal | {jobs.generators[0].key: 10.0}
    assert makespan(order, long, 2) == 12.0
    assert makespan([job for job in order if job.requires], long, 2) == 2.0  # a resumed run


def test_two_workers_halve_the_trainings_but_not_the_start(jobs: Jobs) -> None:
    rates = {"classifiers/fridadar": 1e-3, "generators/cgan": 1e-3}
    one, two = (study_seconds(jobs.in_order, rates, workers) for workers in (1, 2))
    assert one / 2 < two < 0.8 * one


def test_busy_machine_is_named_with_the_time_that_it_costs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(duration.joblib, "cpu_count", lambda: 2)
    monkeypatch.setattr(duration, "load", lambda: 4.0)
    for others, at_once, told in ((0.1, 2, ""), (1.0, 1, ""), (1.0, 2, "15 minutes to 30")):
        monkeypatch.setattr(duration, "busy_cores", lambda others=others: others)
        said = busy_sentence(600.0, at_once, "cpu")
        assert told in said
        assert bool(said) == bool(told)
    assert busy_sentence(600.0, 2, "cuda:0") == ""
