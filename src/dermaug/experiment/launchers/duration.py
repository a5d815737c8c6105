"""How long a study takes: the one estimate of a plan, of a dry run, and of the run itself."""

from collections.abc import Mapping, Sequence

import joblib

from dermaug.experiment.plan.jobs import Job
from dermaug.host import busy_cores, load

START_SECONDS = 30.0
"""Reading the data, starting the workers, audit, scoring and report, whatever the trainings take.
With `JOB_SECONDS`, on two idle cores (27 November 2026), the estimate of the quickstart is 99 s and
it took 119 s; that of a plan for 300 photographs, with 63 jobs, is 414 s and it took 387 s."""
JOB_SECONDS = 1.0
"""What a job takes beyond its training: its data, its predictions, its files."""
BEYOND_STEPS = 1.25
"""Factor on the steps of a training for what is not measured: validation, snapshots, drawing."""
MOST_FREE = 0.3
"""Cores that other programs may use without a word."""


def job_seconds(job: Job, seconds_per_image: float) -> float:
    """Seconds of a job on a worker of its own, from the measured steps of its network."""
    return JOB_SECONDS + BEYOND_STEPS * job.images * seconds_per_image


def study_seconds(
    jobs: Sequence[Job], seconds_per_image: Mapping[str, float], at_once: int
) -> float:
    """Seconds of a whole study, from its start to its report.

    Args:
        jobs: Its jobs.
        seconds_per_image: Network -> measured seconds per image shown.
        at_once: Number of jobs at the same time.
    """
    seconds = {job.key: job_seconds(job, seconds_per_image[job.network]) for job in jobs}
    return START_SECONDS + makespan(jobs, seconds, at_once)


def makespan(jobs: Sequence[Job], seconds: Mapping[str, float], at_once: int) -> float:
    """Seconds until the last job ends, when each begins as soon as it can.

    Args:
        jobs: Jobs to do, ordered so that none needs a later one; what they need besides is done.
        seconds: Key of a job -> its seconds.
        at_once: Number of workers.
    """
    ends = {job.key: float("inf") for job in jobs}
    waiting, free = list(jobs), [0.0] * at_once

    def ready(job: Job) -> float:
        return max([min(free), *(ends.get(key, 0.0) for key in job.requires)])

    while waiting:
        job = min(waiting, key=ready)  # of several the first, as a run does
        waiting.remove(job)
        end = ready(job) + seconds[job.key]
        ends[job.key] = free[free.index(min(free))] = end
    return max(ends.values(), default=0.0)


def busy_sentence(seconds: float, at_once: int, device: str) -> str:
    """What other programs do to an estimate, which holds for an idle machine; "" for nothing.

    They are only seen on a CPU.
    """
    if device != "cpu":
        return ""
    cores = joblib.cpu_count()
    others, own = min(busy_cores(), cores), min(at_once, cores)
    slower = (own + others) / cores
    if others < MOST_FREE or slower <= 1.0:
        return ""
    # More programs than cores may wait: each of ours then gets less than its half.
    least, most = (
        told_duration(seconds * (own + programs) / cores)
        for programs in (others, max(others, load()))
    )
    span = least if least == most else f"{least} to {most}"
    return (
        f"This machine is busy: other programs use {others:.1f} of its {cores} cores. As long as "
        f"they do, expect {span} instead."
    )


def told_duration(seconds: float) -> str:
    """A duration in the unit that suits it.

    Example:
        >>> told_duration(20), told_duration(720), told_duration(10_944), told_duration(410_400)
        ('1 minute', '12 minutes', '3.0 hours', '4.8 days')
    """
    minutes, hours = max(round(seconds / 60), 1), seconds / 3600
    if hours < 1.0:
        return f"{minutes} minute{'s' * (minutes > 1)}"
    return f"{hours:.1f} hours" if hours < 48.0 else f"{hours / 24:.1f} days"
