"""Jobs on the nodes of a Ray cluster, which need not share a folder with this machine.

The data of the run go to Ray's object store once. A job gets the files of the jobs that it needs
and its own last checkpoint, and sends its checkpoints and its results back as it writes them, so
that a node that is lost costs no more than what its jobs did since. This process claims the jobs.
"""

import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from dermaug.aside import sweep
from dermaug.console import console
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.job import Outcome, do_job
from dermaug.experiment.launchers.job_files import Files, Reader, write_files
from dermaug.experiment.launchers.launcher import GPU_JOBS, Launcher, LostWorker, Task
from dermaug.experiment.launchers.stopping import Stop
from dermaug.experiment.plan.jobs import Job
from dermaug.experiment.run.claims import Claim, holder_of, take
from dermaug.experiment.run.layout import RECORD
from dermaug.experiment.run.records import RunRecord
from dermaug.experiment.run.run import Run
from dermaug.extras import to_install
from dermaug.training.resume import BEFORE, LAST, forget

try:
    import ray
    from ray.exceptions import RayError, RayTaskError
except ModuleNotFoundError:
    raise DermaugError(
        f"--launcher ray: expected Ray, which is not installed; install it with {to_install('ray')}"
    ) from None

SEND = 0.5
"""Seconds between two looks of a node at the files of a job."""


@dataclass(frozen=True)
class Sent:
    """What a job tells from its node.

    Args:
        done: Units done of the longest part of the job so far.
        total: All of its units.
        files: Files that have changed since the job told before.
        outcome: How it ended; None before.
    """

    done: int
    total: int
    files: Files = field(default_factory=dict)
    outcome: Outcome | None = None


class Ray(Launcher):
    """A Ray cluster: an existing one, or one of this machine alone.

    Raises:
        DermaugError: No cluster answers.
    """

    def __init__(self, task: Task) -> None:
        launch = task.launch
        try:
            ray.init(
                address=launch.address or None,
                log_to_driver=False,
                logging_level="ERROR",
                **({} if launch.address else {"include_dashboard": False}),
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise DermaugError(
                f"--address {launch.address}: no Ray cluster answers there ({error}); run this on "
                "a node of the cluster, with --address auto"
            ) from None
        there = ray.cluster_resources()
        gpus = int(there.get("GPU", 0)) if task.device == "cuda" else 0
        most = gpus * GPU_JOBS if gpus else int(there.get("CPU", 1))
        self.size = max(1, min(launch.jobs or most, task.wanted))
        self._gpus, self._run, self._device = min(1.0, gpus / self.size), task.run, task.device
        self._flag = ray.remote(num_cpus=0)(_Flag).remote()
        self._remote = ray.remote(max_retries=0, num_returns="streaming")(_on_node)
        self._threads = ThreadPoolExecutor(self.size)
        self._data: Any = None
        self._done: dict[str, Any] = {}

    def submit(self, key: str, stale: bytes | None) -> "Future[Outcome]":
        """Begin a job on whichever node has the resources for it."""
        if self._data is None:
            self._data = ray.put(_whole(self._run))
        return self._threads.submit(self._follow, self._run.jobs.named(key), stale)

    def stop(self) -> None:
        """Let all jobs finish their step, save and end."""
        self._flag.set.remote()

    def close(self) -> None:
        """Leave the cluster, and end it if it is of this process."""
        self._threads.shutdown(cancel_futures=True)
        ray.shutdown()

    def _follow(self, job: Job, stale: bytes | None) -> Outcome:
        """Claim a job, let a node do it, and write what it sends."""
        files = self._run.job(job.key)
        claim = take(files.claim, stale)
        if claim is None:
            return Outcome.ELSEWHERE
        with claim.held():
            if self._run.is_done(job.key):
                return Outcome.DONE
            sweep(files.path, claimed=True)
            try:
                return self._receive(job, claim)
            except RayTaskError as error:
                raise (error.cause or error) from None
            except RayError as error:
                raise LostWorker(str(error)) from None

    def _receive(self, job: Job, claim: Claim) -> Outcome:
        files = self._run.job(job.key)
        record = RunRecord.read(self._run.files.record)
        needed = {key: self._files_of(key) for key in job.requires}
        sending = self._remote.options(
            num_cpus=record.networks[job.network].threads, num_gpus=self._gpus
        ).remote(
            self._data,
            job.key,
            self._device,
            self._run.files.record.read_bytes(),
            Reader(files.path).changed(),
            list(needed),
            self._flag,
            *needed.values(),
        )
        last: bytes | None = None
        for each in sending:
            sent: Sent = ray.get(each)
            claim.note(sent.done, sent.total)
            if claim.is_lost:
                ray.cancel(sending)
                return Outcome.ELSEWHERE
            last = sent.files.pop(RECORD, last)
            write_files(files.path, sent.files)
            if sent.outcome is not None:
                claim.require()
                if last is not None:
                    write_files(files.path, {RECORD: last})
                    forget(files.path)
                return sent.outcome
        raise LostWorker(f"{job.key}: its node sent no end")

    def _files_of(self, key: str) -> Any:  # noqa: ANN401
        """A reference to the files of a job that is done, in the object store."""
        if key not in self._done:
            reader = Reader(self._run.job(key).path, frozenset({LAST, BEFORE}))
            self._done[key] = ray.put(reader.changed())
        return self._done[key]


class _Flag:
    """Whether all jobs were asked to stop; an actor."""

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def is_set(self) -> bool:
        return self._is_set


def _whole(run: Run) -> Run:
    """The run with its pixels in memory, which Ray shares among the processes of a node."""
    return replace(run, store=replace(run.store, images=np.asarray(run.images)))


def _on_node(
    run: Run,
    key: str,
    device: str,
    record: bytes,
    own: Files,
    keys: list[str],
    flag: Any,  # noqa: ANN401
    *needed: Files,
) -> Iterator[Sent]:
    """Do a job in a temporary folder, and send its files as they are written."""
    console.quiet = True
    with tempfile.TemporaryDirectory() as name:
        local = replace(run, folder=Path(name))
        local.files.record.write_bytes(record)
        for other, files in zip(keys, needed, strict=True):
            write_files(local.job(other).path, files)
        write_files(local.job(key).path, own)
        reader, stop = Reader(local.job(key).path, frozenset({BEFORE})), Stop()
        reader.changed()  # what came from there need not go back
        ended = Future[Outcome]()

        def work() -> None:
            try:
                ended.set_result(do_job(local, key, device, stop))
            except Exception as error:  # raised again by the thread that waits
                ended.set_exception(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(SEND)
            if ray.get(flag.is_set.remote()):
                stop.number = 1
            holder = holder_of(local.job(key).claim)
            if holder is not None:
                yield Sent(holder.done, holder.total, reader.changed())
        outcome = ended.result()
        yield Sent(0, 0, reader.changed(), outcome)
