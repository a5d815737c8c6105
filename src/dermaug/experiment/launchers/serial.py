"""Run a whole experiment: first the generators, then the trials; finished jobs are skipped."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from dermaug.config import Experiment
from dermaug.console import console
from dermaug.errors import DermaugError
from dermaug.experiment.plan.jobs import ClassifierJob, GeneratorJob
from dermaug.experiment.run.run import (
    Run,
    begin_run,
    finish_run,
    note_device,
    open_run,
    prepare_run,
)
from dermaug.experiment.stages.classify import run_classifier_job
from dermaug.experiment.stages.generate import run_generator_job
from dermaug.experiment.stages.outside import look_outside
from dermaug.files import require_writable
from dermaug.training.checkpoint import RESUME
from dermaug.training.fabric import start_fabric


def run_experiment(
    folder: Path,
    experiment: Experiment,
    *,
    device: str,
    precision: str,
    command: str,
) -> Run:
    """Run every unfinished job, one after the other on one device.

    Args:
        folder: The run's folder; a run started there is resumed.
        experiment: The experiment.
        device: auto, cpu, cuda or mps.
        precision: auto, 32-true or bf16-mixed.
        command: Command line of the user, for the report.

    Raises:
        DermaugError: The data are faulty, the folder belongs to another experiment, or a training
            failed.
    """
    run = open_run(folder, experiment, command)
    do_jobs(run, run.jobs.in_order, device, precision)
    finish_run(run)
    return run


def train_some(
    folder: Path,
    experiment: Experiment,
    wave: Literal["generators", "classifiers"],
    wanted: Mapping[str, str | int | None],
    *,
    device: str,
    precision: str,
    command: str,
) -> None:
    """Run the jobs of one wave that have the given coordinates.

    Args:
        folder: The run's folder; a run started there is resumed.
        experiment: The experiment.
        wave: The wave to select from.
        wanted: Attribute of the job -> value; None accepts any value.
        device: As for `run_experiment`.
        precision: As for `run_experiment`.
        command: As for `run_experiment`.

    Raises:
        DermaugError: No job matches, or one needs a network that is not trained yet.
    """
    require_writable(folder)
    run = prepare_run(folder, experiment)
    there: Sequence[GeneratorJob | ClassifierJob] = run.jobs.generators
    if wave == "classifiers":  # reference classifiers belong to the reference arm
        there = (*run.jobs.references, *run.jobs.classifiers)
    asked = {name: value for name, value in wanted.items() if value is not None}
    jobs = [
        job for job in there if all(getattr(job, name) == value for name, value in asked.items())
    ]
    if not jobs:
        words = " and ".join(f"{name} {value}" for name, value in asked.items()) or "any"
        raise DermaugError(
            f"{experiment.name} has no {wave[:-1]} of {words}; it has {len(there)}",
            [job.key for job in there],
        )
    begin_run(run, command)
    do_jobs(run, jobs, device, precision)


def do_jobs(
    run: Run,
    jobs: Sequence[GeneratorJob | ClassifierJob],
    device: str,
    precision: str,
) -> None:
    """Run the unfinished ones of some jobs."""
    left = [job for job in jobs if not run.is_done(job.key)]
    for job in jobs:
        if run.is_done(job.key):  # a process killed between the two steps leaves both
            (run.folder / job.key / RESUME).unlink(missing_ok=True)
    console.print(f"{len(jobs)} jobs, {len(jobs) - len(left)} done; writing to {run.folder}")
    if not left:
        return
    fabric = start_fabric(device, precision)
    note_device(run, str(fabric.device))
    if classifiers := [job for job in left if isinstance(job, ClassifierJob)]:
        look_outside(run, classifiers)
    for job in left:
        if isinstance(job, GeneratorJob):
            run_generator_job(run, job, fabric)
        else:
            run_classifier_job(run, job, fabric)
