"""Several jobs at the same time, each in a worker process of this machine (joblib's loky)."""

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.synchronize import Event

import torch
from joblib.externals.loky import ProcessPoolExecutor
from joblib.externals.loky.backend import get_context

from dermaug.console import console
from dermaug.experiment.launchers.job import Outcome, Work, do_job
from dermaug.experiment.launchers.launcher import Launcher, LostWorker, Task
from dermaug.experiment.launchers.stopping import Stop, heard

WATCH = 0.2
"""Seconds between two looks of a worker at its parent."""
# Each job sets its own number of threads; this is for libraries that ask the environment first.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Processes(Launcher):
    """Worker processes, each with one job at a time; a worker that dies costs its job only.

    Several GPUs are shared out among the workers.

    Args:
        size: Number of workers.
    """

    def __init__(self, task: Task, size: int) -> None:
        self.size = size
        self._stop = get_context("loky").Event()
        work = Work(task.run.folder.resolve(), task.run.experiment, task.device)
        gpus = torch.cuda.device_count() if task.device == "cuda" else 0
        self._workers = [
            _Worker(work, self._stop, str(place % gpus) if gpus > 1 else None)
            for place in range(size)
        ]
        self._idle = list(reversed(self._workers))

    def submit(self, key: str, stale: bytes | None) -> "Future[Outcome]":
        """Let an idle worker do a job; there is one while fewer than `size` jobs are running."""
        worker = self._idle.pop()
        return worker.submit(key, stale, lambda: self._idle.append(worker))

    def stop(self) -> None:
        """Let all workers finish their step, save and end their jobs; those that load end."""
        if not self._stop.is_set():
            self._stop.set()
            for worker in self._workers:
                worker.give_up()

    def close(self) -> None:
        """End all workers."""
        for worker in self._workers:
            worker.close()


class _Worker:
    """One process, which is started again when it was killed.

    One executor of several processes would end all of them when one is killed.
    """

    def __init__(self, work: Work, stop: Event, gpu: str | None) -> None:
        self._work, self._stop, self._given_up = work, stop, False
        self._environment = ENVIRONMENT | ({} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu})
        self._ready = get_context("loky").Event()
        self._executor = self._started()

    def submit(
        self, key: str, stale: bytes | None, is_idle: Callable[[], None]
    ) -> "Future[Outcome]":
        try:
            return self._asked(key, stale, is_idle)
        except BrokenProcessPool:
            self._ready.clear()
            self._executor = self._started()
            return self._asked(key, stale, is_idle)

    def give_up(self) -> None:
        """End a process that still loads its libraries: nothing has begun in it."""
        if not self._ready.is_set():
            self._given_up = True
            self._executor.shutdown(wait=False, kill_workers=True)

    def close(self) -> None:
        self._executor.shutdown(wait=True, kill_workers=True)

    def _started(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            max_workers=1,
            context=get_context("loky"),
            initializer=_begin,
            initargs=(self._work, self._stop, os.getpid(), self._ready),
            env=self._environment,
        )

    def _asked(
        self, key: str, stale: bytes | None, is_idle: Callable[[], None]
    ) -> "Future[Outcome]":
        outcome: Future[Outcome] = Future()
        asked = self._executor.submit(_do, key, stale)

        def pass_on(ended: "Future[Outcome]") -> None:
            error = ended.exception()
            is_idle()  # first: whoever waits for the outcome submits the next job at once
            if error is not None and self._given_up:
                outcome.set_result(Outcome.STOPPED)
            elif isinstance(error, BrokenProcessPool):
                outcome.set_exception(LostWorker(str(error)))
            elif error is not None:
                outcome.set_exception(error)
            else:
                outcome.set_result(ended.result())

        asked.add_done_callback(pass_on)
        return outcome


_here: list[tuple[Work, Stop]] = []
"""Of a worker process: its work, and whether it was asked to stop."""


def _begin(work: Work, asked: Event, parent: int, ready: Event) -> None:
    """Prepare a worker process: it is quiet, obeys its parent, and ends with it."""
    console.quiet = True
    stop = Stop()
    _here.append((work, stop))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which tells
    for each in set(heard()) - {signal.SIGINT}:
        signal.signal(each, lambda number, _: setattr(stop, "number", number))
    threading.Thread(target=_watch, args=(asked, stop, parent), daemon=True).start()
    ready.set()


def _watch(asked: Event, stop: Stop, parent: int) -> None:
    while os.getppid() == parent:
        if asked.is_set():
            stop.number = signal.SIGTERM
        time.sleep(WATCH)
    os._exit(128 + signal.SIGTERM)  # the parent was killed: nobody would ever end this process


def _do(key: str, stale: bytes | None) -> Outcome:
    ((work, stop),) = _here
    return do_job(work.run, key, work.device, stop, stale)
