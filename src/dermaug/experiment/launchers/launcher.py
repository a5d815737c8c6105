"""What does the jobs of a run: the launchers, behind one dict."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property

import joblib
import torch

from dermaug.experiment.launchers.job import Outcome, do_job
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.launchers.settle import settled_device
from dermaug.experiment.launchers.stopping import Stop
from dermaug.experiment.run.machine import available_memory
from dermaug.experiment.run.run import Run
from dermaug.training.ranks import ALONE, Ranks

GPU_JOBS = 4
"""Most jobs that share a GPU by default. Recorded steps keep it busy, so that more jobs only hide
what happens between trainings (see `benchmarks/README.md`)."""
GPU_MEMORY = 4 * 2**30
"""Bytes of a GPU's memory for each job that shares it by default."""
MEMORY = 2**30
"""Bytes of memory for each worker by default."""


class LostWorker(Exception):  # noqa: N818
    """The worker of a job was killed."""


@dataclass(frozen=True, eq=False)
class Task:
    """What a launcher is to do.

    Args:
        run: A run that has been started.
        wanted: Number of jobs to do.
        stop: Whether this process was asked to stop.
        ranks: The processes that do each job together.
    """

    run: Run
    wanted: int
    launch: Launch
    stop: Stop
    ranks: Ranks = ALONE

    @cached_property
    def device(self) -> str:
        """Device of the jobs on this machine, for `start_fabric`."""
        return settled_device(self.run, self.launch)


class Launcher:
    """Does jobs, several at the same time."""

    size = 1
    """Number of jobs at the same time; 0 if processes that are started elsewhere do all."""

    def submit(self, key: str, stale: bytes | None) -> "Future[Outcome]":
        """Begin a job; `stale` is a claim of it that has to be taken over.

        The future's exception is `LostWorker` if the worker was killed.
        """
        raise NotImplementedError

    def look(self, keys: Sequence[str]) -> None:
        """Called again and again while nothing is running here and other processes do these jobs.

        Raises:
            DermaugError: They have ended, and will not do the jobs.
        """

    def stop(self) -> None:
        """End all jobs after their present step; may be called again."""

    def close(self) -> None:
        """End all workers."""


class Serial(Launcher):
    """One job after the other, in this process."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def submit(self, key: str, stale: bytes | None) -> "Future[Outcome]":
        """Do a job; the future returned has ended."""
        future, task = Future[Outcome](), self._task
        try:
            future.set_result(do_job(task.run, key, task.device, task.stop, stale, task.ranks))
        except Exception as error:  # the caller reads it from the future, as of other launchers
            future.set_exception(error)
        return future


def jobs_at_once(launch: Launch, device: str, wanted: int) -> int:
    """Number of jobs that this machine does at the same time, of so many to do.

    The device `cuda` is every GPU, `cuda:N` one of them.
    """
    if launch.launcher == "serial":
        return 1
    return max(1, min(launch.jobs or _default(device), wanted))


def _default(device: str) -> int:
    cores: int = joblib.cpu_count()
    if device == "cpu":
        return min(cores, available_memory() // MEMORY)
    if device.startswith("cuda"):
        gpus = torch.cuda.device_count() if device == "cuda" else 1
        memory = torch.cuda.get_device_properties(device).total_memory
        return min(cores - 2, gpus * GPU_JOBS, gpus * (memory // GPU_MEMORY))
    return 1


def _processes(task: Task) -> Launcher:
    from dermaug.experiment.launchers.processes import Processes

    size = jobs_at_once(task.launch, task.device, task.wanted)
    return Processes(task, size) if size > 1 else Serial(task)


def _ray(task: Task) -> Launcher:
    from dermaug.experiment.launchers.ray import Ray

    return Ray(task)


def _submitit(task: Task) -> Launcher:
    from dermaug.experiment.launchers.submitit import Submitit

    return Submitit(task)


LAUNCHERS: dict[str, Callable[[Task], Launcher]] = {
    "serial": Serial,
    "processes": _processes,
    "ray": _ray,
    "submitit": _submitit,
}
