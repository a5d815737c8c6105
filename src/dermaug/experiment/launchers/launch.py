"""Run a whole experiment, or some jobs of it; finished jobs are skipped."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import closing
from pathlib import Path
from typing import Literal

from dermaug.config import Experiment
from dermaug.console import console, tell
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.display import Display
from dermaug.experiment.launchers.job import Outcome
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.launchers.launcher import LAUNCHERS, Launcher, LostWorker, Task
from dermaug.experiment.launchers.room import refuse_too_many
from dermaug.experiment.launchers.schedule import LOOK, Schedule
from dermaug.experiment.launchers.settle import settle
from dermaug.experiment.launchers.stopping import Stop, stoppable
from dermaug.experiment.plan.jobs import ClassifierJob, Job
from dermaug.experiment.run.claims import alone
from dermaug.experiment.run.run import Run, begin_run, finish_run, prepare_run
from dermaug.experiment.stages.outside import look_outside, prove_outside
from dermaug.experiment.stages.training_set import require_needs
from dermaug.output_places import require_writable
from dermaug.training.ranks import ALONE, Ranks
from dermaug.training.resume import forget


def run_experiment(folder: Path, experiment: Experiment, launch: Launch, command: str = "") -> Run:
    """Run every unfinished job.

    Several processes, also of several machines, may run one experiment in one folder: they share
    the jobs.

    Args:
        folder: The run's folder; a run started there is resumed.
        experiment: The experiment.
        launch: Where and how the jobs are done.
        command: Command line of the user, for the report.

    Raises:
        DermaugError: The data are faulty, the folder belongs to another experiment, there is no
            room for the images to be drawn, or trainings failed.
    """
    require_writable(folder)
    run = prepare_run(folder, experiment)
    refuse_too_many(folder, run.jobs, experiment.data.size)
    prove_outside(run)
    begin_run(run, command)
    do_jobs(run, run.jobs.in_order, launch)
    return run


def train_some(
    folder: Path,
    experiment: Experiment,
    wave: Literal["generators", "classifiers"],
    wanted: Mapping[str, str | int | None],
    launch: Launch,
    command: str,
    ranks: Ranks = ALONE,
) -> None:
    """Run the jobs of one wave that have the wanted coordinates: attribute -> value, None for any.

    Other arguments as for `run_experiment` and `do_job`.

    Raises:
        DermaugError: No job matches, or one needs a network that is not trained yet.
    """
    require_writable(folder)
    run = prepare_run(folder, experiment)
    there: Sequence[Job] = run.jobs.generators
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
    for job in jobs:
        require_needs(run, job, {each.key for each in jobs})
    refuse_too_many(folder, run.jobs, experiment.data.size)
    prove_outside(run)
    begin_run(run, command)
    do_jobs(run, jobs, launch, ranks)


def do_jobs(run: Run, jobs: Sequence[Job], launch: Launch, ranks: Ranks = ALONE) -> None:
    """Run the unfinished ones of some jobs, ordered so that none needs a later one.

    Other arguments as for `run_experiment` and `do_job`.

    Raises:
        DermaugError: Trainings failed; all that need none of them were done.
    """
    left = [job for job in jobs if not run.is_done(job.key)]
    _tidy(run, jobs)
    console.print(f"{len(jobs)} jobs, {len(jobs) - len(left)} done; writing to {run.folder}")
    if not left:
        finish_run(run, jobs_ended=False)
        return
    stop = Stop()
    task = Task(run, len(left), launch, stop, ranks)
    with closing(LAUNCHERS[launch.launcher](task)) as launcher:
        with alone(run.files.claim):
            if launcher.size:  # otherwise the first machine that does a job decides
                settle(run, launch)
            if classifiers := [job for job in left if isinstance(job, ClassifierJob)]:
                look_outside(run, classifiers)
        schedule = Schedule(run, jobs)
        with stoppable(stop), Display(schedule, launcher.size) as display:
            _conduct(schedule, launcher, stop, display)
    _tidy(run, jobs)
    finish_run(run, jobs_ended=True)
    stop.raise_again()
    schedule.raise_failures()


def _tidy(run: Run, jobs: Sequence[Job]) -> None:
    """Remove what a process leaves that is killed right after it has finished a job."""
    for job in jobs:
        if run.is_done(job.key):
            files = run.job(job.key)
            forget(files.path)
            files.claim.unlink(missing_ok=True)


def _conduct(schedule: Schedule, launcher: Launcher, stop: Stop, display: Display) -> None:
    """Begin each job when those that it needs are done, until none is left that can be begun."""
    running: dict[Future[Outcome], Job] = {}
    while True:
        for job in schedule.look():
            display.tell(f"{job.key} done by another process")
        while not stop and len(running) < launcher.size and (found := schedule.next()):
            job, stale = found
            schedule.begin(job.key)
            display.begun(job)
            running[launcher.submit(job.key, stale)] = job
        if stop:
            launcher.stop()
            display.stopping(len(running))
        if running:
            ended, _ = wait(running, LOOK, FIRST_COMPLETED)
            for future in ended:
                _note(schedule, running.pop(future), future, display)
        elif stop or schedule.is_hopeless:
            return
        else:  # other processes do what is left
            display.wait()
            launcher.look(list(schedule.unfinished))
            time.sleep(LOOK)


def _note(schedule: Schedule, job: Job, ended: "Future[Outcome]", display: Display) -> None:
    seconds, error = schedule.end(job.key), ended.exception()
    if isinstance(error, LostWorker):
        tell(f"{job.key}: its worker was lost; the job is begun again")
        schedule.lose(job.key)
    elif isinstance(error, Exception):
        schedule.fail(job.key, error)
    elif ended.result() is Outcome.DONE:
        schedule.succeed(job.key)
        display.done(job, seconds)
    if job.key in schedule.failed:
        tell(f"failed: {job.key}: {schedule.failed[job.key]}")
