"""What ties the record of a job to its run, to the jobs that it used, and to its journal."""

from collections.abc import Iterable
from pathlib import Path

from dermaug.errors import DermaugError
from dermaug.experiment.plan.jobs import Job
from dermaug.experiment.run.belonging import refuse_other_job
from dermaug.experiment.run.layout import RECORD, RunFolder
from dermaug.experiment.run.records import GeneratorRecord, RunRecord, Ties, TrialRecord
from dermaug.experiment.run.run import Run
from dermaug.files import read_sealed, sha256


def ties_of(run: Run, job: Job) -> Ties:
    """The ties of a job that is about to end.

    Args:
        run: A run that has been started.
        job: The job; its journal is written, and what it requires is done.
    """
    return Ties(
        run=RunRecord.read(run.files.record).id,
        needs=network_digests(run.files, job.requires),
        journal=_journal(run.job(job.key).journal),
    )


def training_key(run: Run, job: Job) -> str:
    """What tells the training of a job from all others: that of other jobs, and of other runs."""
    return f"{RunRecord.read(run.files.record).id}/{job.key}"


def refuse_untied(run: Run, job: Job, record: GeneratorRecord | TrialRecord) -> None:
    """Raise unless a record is that of a job of this run, as the run is now.

    Raises:
        DermaugError: It is the record of another run or another job, the journal beside it is not
            the one that the job wrote, or a network that it used was replaced.
    """
    files = run.job(job.key)
    refuse_other_job(files.record, record, RunRecord.read(run.files.record), job.key)
    if record.ties.journal != _journal(files.journal):
        raise DermaugError(
            f"{files.journal}: expected the journal that this training wrote, found another one or "
            f"none (by SHA-256, which is in {RECORD}); the file was changed or belongs to another "
            "training: restore it, or delete the folder of the training and run the study again"
        )
    for key, digest in network_digests(run.files, record.ties.needs).items():
        if record.ties.needs[key] != digest:
            raise DermaugError(
                f"{files.path}: was made with {key}, which was trained again or replaced since; "
                f"put that back, or delete {files.path} and run the study again"
            )


def network_digests(run: RunFolder, keys: Iterable[str]) -> dict[str, str]:
    """Key -> digest of the network, for those of some jobs that have finished."""
    return {
        key: str(read_sealed(run.job(key).record)["digest"]) for key in keys if run.is_done(key)
    }


def _journal(path: Path) -> str:
    return sha256(path) if path.is_file() else ""
