"""Hours are estimated from measured steps, and scaled by pixels."""

from pathlib import Path

import pytest

from dermaug.config import Experiment
from dermaug.experiment.launchers.cost import estimate
from dermaug.experiment.launchers.duration import JOB_SECONDS, START_SECONDS
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.plan.enumeration import enumerate_jobs
from dermaug.experiment.recipe import clock as clock_module
from dermaug.experiment.recipe.clock import Clock
from dermaug.experiment_file import validate_experiment


def study(size: int, images: int = 3_200) -> Experiment:
    tree = {
        "name": "small",
        "data": {"size": size},
        "splits": {"run": [0]},
        "classifiers": [{"images": images, "batch": 16}],
        "arms": [{"name": "real"}],
    }
    return validate_experiment(tree, "test")


def clock() -> Clock:
    return Clock(Launch("cpu"), "cpu", 2)


def test_hours_grow_with_images_and_pixels() -> None:
    known = clock()
    known.measured[32] = {"classifiers/fridadar": 1e-3}
    hours = []
    for asked in (study(32), study(32, 6_400), study(64)):
        jobs = enumerate_jobs(asked, ("mel", "nv"), {(0, 0): {"mel": 20, "nv": 20}})
        hours.append(known.hours(asked, jobs) - (START_SECONDS + JOB_SECONDS) / 3600)
    assert hours[0] > 0
    assert hours[1] == pytest.approx(2 * hours[0])
    assert hours[2] == pytest.approx(4 * hours[0])


def test_steps_that_do_not_fit_into_the_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dermaug.experiment.run.machine.available_memory", lambda: 300 << 20)
    asked = study(32)
    large = asked.classifiers[0].model_copy(update={"batch": 8_192})
    with pytest.raises((MemoryError, RuntimeError), match=r"memory|alloc"):
        estimate(
            tmp_path, asked.model_copy(update={"classifiers": (large,)}), Launch("cpu", "32-true")
        )


def test_plan_and_dry_run_make_one_estimate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = study(32)
    cost = estimate(tmp_path, asked, Launch("cpu", launcher="processes"))
    known = clock()
    monkeypatch.setattr(clock_module, "measured_networks", lambda *_: cost.measured)
    known.measure(asked, len(cost.jobs.in_order))
    assert known.hours(asked, cost.jobs) * 3600 == pytest.approx(cost.seconds)
    assert cost.seconds * 1e3 == pytest.approx(cost.record["minutes"] * 6e4)
