"""Hours are estimated from measured steps, and scaled by pixels."""

import pytest
from lightning_fabric import Fabric

from dermaug.config import Experiment
from dermaug.experiment.plan.enumeration import enumerate_jobs
from dermaug.experiment.recipe.clock import Clock
from dermaug.experiment.recipe.rules import START_HOURS
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


def test_hours_grow_with_images_and_pixels(fabric: Fabric) -> None:
    clock = Clock(fabric, ("mel", "nv"))
    clock.measure(study(32))
    hours = []
    for asked in (study(32), study(32, 6_400), study(64)):
        jobs = enumerate_jobs(asked, ("mel", "nv"), {(0, 0): {"mel": 20, "nv": 20}})
        hours.append(clock.hours(asked, jobs) - START_HOURS)
    assert hours[0] > 0
    assert hours[1] == pytest.approx(2 * hours[0])
    assert hours[2] == pytest.approx(4 * hours[0])
