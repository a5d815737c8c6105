"""The cost of an experiment before it is run: jobs, images shown, and time on this machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rich.table import Table

from dermaug.config import Experiment
from dermaug.console import console, tell
from dermaug.experiment.launchers.duration import (
    busy_sentence,
    job_seconds,
    study_seconds,
    told_duration,
)
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.launchers.launcher import jobs_at_once
from dermaug.experiment.launchers.room import room_sentence
from dermaug.experiment.launchers.settle import computations
from dermaug.experiment.launchers.step_times import Measured, measure
from dermaug.experiment.plan.jobs import Job, Jobs, networks_of
from dermaug.experiment.plan.power import Detectable, planned_power, power_sentences
from dermaug.experiment.run.machine import limited_threads, within_memory
from dermaug.experiment.run.run import prepare_run
from dermaug.experiment.stages.outside import prove_outside
from dermaug.training.fabric import start_fabric


@dataclass(frozen=True, eq=False)
class Cost:
    """What an experiment takes on this machine, and what it can tell.

    Args:
        jobs: Its jobs that are left.
        measured: Name of a network -> what its training takes.
        at_once: Number of jobs at the same time.
        room: A sentence on the disk and the memory that it needs.
        done: Number of its jobs that are done in its folder.
    """

    experiment: Experiment
    device: str
    jobs: Jobs
    measured: Mapping[str, Measured]
    power: Detectable
    at_once: int
    room: str
    done: int = 0

    def spent(self, job: Job) -> float:
        """Minutes of a job."""
        return job_seconds(job, self.measured[job.network].seconds_per_image) / 60.0

    @cached_property
    def seconds(self) -> float:
        """Seconds of the whole study, with so many jobs at the same time."""
        rates = {name: each.seconds_per_image for name, each in self.measured.items()}
        return study_seconds(self.jobs.in_order, rates, self.at_once)

    @property
    def record(self) -> dict[str, object]:
        """Plain values, for `--json`."""
        return {
            "name": self.experiment.name,
            "device": self.device,
            "jobs_at_once": self.at_once,
            "minutes": self.seconds / 60.0,
            "jobs": [
                {"key": job.key, "images": job.images, "minutes": self.spent(job)}
                for job in self.jobs.in_order
            ],
            "detectable": vars(self.power),
        }


def estimate(folder: Path, experiment: Experiment, launch: Launch) -> Cost:
    """Estimate the minutes of every job on this machine, and the power of the design.

    The data are decoded exactly as in the run. The minutes are extrapolated from a few training
    steps of each network on noise (`dermaug.experiment.launchers.duration`).

    Raises:
        DermaugError: The experiment or its data would make the run stop at its start, or the disk
            or the memory is too small for it.
    """
    run = prepare_run(folder, experiment)
    prove_outside(run)
    catalog, jobs = run.catalog, run.jobs.without(run.is_done)
    fabric = start_fabric(launch.device, launch.precision)
    at_once = jobs_at_once(launch, fabric.device.type, len(jobs.in_order))
    measured = measured_networks(experiment, catalog.num_classes, len(run.jobs.in_order), launch)
    room = room_sentence(folder, jobs, experiment.data.size, at_once, measured)
    power = planned_power(experiment, catalog, run.folds)
    done = len(run.jobs.in_order) - len(jobs.in_order)
    return Cost(experiment, str(fabric.device), jobs, measured, power, at_once, room, done)


def print_cost(cost: Cost) -> None:
    """Print every job with its images shown and its minutes, then the power of the design."""
    table = Table(
        "Job", "Images shown", "Minutes", title=f"{cost.experiment.name} on {cost.device}"
    )
    for job in cost.jobs.in_order:
        table.add_row(job.key, f"{job.images:,}", f"{cost.spent(job):.1f}")
    console.print(table)
    trained, generators = [job for job in cost.jobs.in_order if job.images], cost.jobs.generators
    together = f" with {cost.at_once} jobs at the same time" if cost.at_once > 1 else ""
    before = f"{cost.done} jobs are done; there are left " if cost.done else ""
    tell(
        f"{before}{len(generators)} generators and {len(trained) - len(generators)} classifiers, "
        f"about {told_duration(cost.seconds)} on this machine{together}; no run was started"
    )
    if busy := busy_sentence(cost.seconds, cost.at_once, cost.device):
        tell(busy)
    tell(cost.room)
    for sentence in power_sentences(cost.power):
        tell(sentence)


def measured_networks(
    experiment: Experiment, num_classes: int, num_jobs: int, launch: Launch
) -> dict[str, Measured]:
    """Name of a network -> what its training takes here, by a few steps computed as in a run."""
    fabric = start_fabric(launch.device, launch.precision)
    measured = {}
    with within_memory(fabric.device.type):
        decided = computations(experiment, num_classes, num_jobs, launch.precision, fabric)
        for name, config in networks_of(experiment).items():
            how = decided[name]
            with limited_threads(how.threads):
                each = start_fabric(launch.device, how.precision)
                measured[name] = measure(config, experiment.data.size, num_classes, each)
    return measured
