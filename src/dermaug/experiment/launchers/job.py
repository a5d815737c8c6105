"""One job, done by whoever claims it: the unit of work of every launcher."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path

import torch
from lightning_fabric import Fabric

from dermaug.aside import sweep
from dermaug.config import Experiment
from dermaug.console import Advance, overheard
from dermaug.errors import StoppedEarly
from dermaug.experiment.launchers.stopping import Stop
from dermaug.experiment.plan.jobs import GeneratorJob, Job
from dermaug.experiment.run.claims import Claim, LostClaim, take
from dermaug.experiment.run.machine import limited_threads
from dermaug.experiment.run.records import GeneratorRecord, RunRecord, TrialRecord
from dermaug.experiment.run.run import Run, prepare_run
from dermaug.experiment.stages.classify import run_classifier_job
from dermaug.experiment.stages.generate import run_generator_job
from dermaug.training.fabric import start_fabric
from dermaug.training.ranks import ALONE, Ranks
from dermaug.training.resume import forget


class Outcome(Enum):
    """How a job ended."""

    DONE = "done"
    ELSEWHERE = "elsewhere"
    """Another process does it."""
    STOPPED = "stopped"
    """A signal ended it early; the same command resumes it."""


@dataclass(frozen=True)
class Work:
    """What a worker process needs to know of a run.

    Args:
        folder: Folder of the run, absolute.
        experiment: The experiment, with the present paths of its data.
        device: Device of the jobs, for `start_fabric`.
    """

    folder: Path
    experiment: Experiment
    device: str

    @cached_property
    def run(self) -> Run:
        """The run with its data, read when the first job is done."""
        return prepare_run(self.folder, self.experiment)


def do_job(
    run: Run, key: str, device: str, stop: Stop, stale: bytes | None = None, ranks: Ranks = ALONE
) -> Outcome:
    """Claim a job, do it as the run has decided, and write the record that marks it as done.

    Args:
        run: A run that has been started.
        key: Key of the job.
        device: Its device, for `start_fabric`.
        stop: Whether this process was asked to stop.
        stale: Content of a stale claim of the job, which is taken over.
        ranks: The processes that do it together, of which this one is the first.

    Raises:
        DermaugError: A training failed, or the job needs one that is not done.
    """
    files, job = run.job(key), run.jobs.named(key)
    claim = take(files.claim, stale)
    if claim is None:
        return Outcome.ELSEWHERE
    with claim.held():
        if run.is_done(key):
            return Outcome.DONE
        sweep(files.path, claimed=True)
        try:
            record: GeneratorRecord | TrialRecord
            with overheard(_Listener(claim, stop)), _settled(run, job, device) as fabric:
                if isinstance(job, GeneratorJob):
                    record = run_generator_job(run, job, fabric, ranks)
                else:
                    record = run_classifier_job(run, job, fabric)
            claim.require()
        except StoppedEarly as early:
            stop.number = stop.number or early.signal
            return Outcome.STOPPED
        except LostClaim:
            return Outcome.ELSEWHERE
        except Exception:
            claim.beat()
            if claim.is_lost:  # whoever took the job over has swept this process's files away
                return Outcome.ELSEWHERE
            raise
        record.write(files.record)
        forget(files.path)
    return Outcome.DONE


@contextmanager
def _settled(run: Run, job: Job, device: str) -> Iterator[Fabric]:
    """Compute inside the block with the precision and threads that the run has decided."""
    how = RunRecord.read(run.files.record).networks[job.network]
    with limited_threads(how.threads):
        fabric = start_fabric(device, how.precision)
        try:
            yield fabric
        finally:
            if fabric.device.type == "cuda":  # other processes share its memory
                torch.cuda.empty_cache()


class _Listener:
    """Notes progress in the claim, and ends the job when it is lost or has to stop."""

    def __init__(self, claim: Claim, stop: Stop) -> None:
        self._claim, self._stop, self._longest = claim, stop, 0

    def __call__(self, total: int, done: int) -> Advance:
        self._longest = max(self._longest, total)
        count = done

        def advance(units: int, _note: str | None = None) -> None:
            nonlocal count
            count += units
            if total == self._longest:
                self._claim.note(count, total)
            if self._claim.is_lost:
                raise LostClaim(str(self._claim.path))
            if self._stop:
                raise StoppedEarly

        return advance
