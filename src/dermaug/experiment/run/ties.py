"""What ties the record of a job to its run and folder, to the jobs that it used, to its journal."""

from collections.abc import Iterable
from pathlib import Path

from dermaug.errors import DermaugError
from dermaug.experiment.plan.jobs import Job
from dermaug.experiment.run.layout import GENERATORS, RECORD, JobFolder, RunFolder, run_above
from dermaug.experiment.run.records import (
    GeneratorRecord,
    JobRecord,
    RunRecord,
    Ties,
    TrialRecord,
)
from dermaug.files import read_sealed, sha256


def refuse_other_run(path: Path, record: JobRecord, run: RunRecord) -> None:
    """Raise unless a record is that of a job of a run; the path is named in the error.

    Raises:
        DermaugError: Another run made it.
    """
    if record.ties.run != run.id:
        raise DermaugError(
            f"{path}: expected a network that was trained in this run, found that of another run, "
            "which may have had other data, another length or other settings; put each folder "
            "back into the run that made it"
        )


def refuse_other_job(path: Path, record: JobRecord, run: RunRecord, key: str) -> None:
    """Raise unless a record is that of the job of a run that has this key.

    Raises:
        DermaugError: As for `refuse_other_run`, or another job made it.
    """
    refuse_other_run(path, record, run)
    if record.key != key:
        raise DermaugError(
            f"{path}: expected the record of {key}, found that of {record.key}; folders were "
            "exchanged after they were written: put them back"
        )


def refuse_misplaced(job: JobFolder) -> None:
    """Raise if the folder of a job of a run holds another job, or one of another run.

    A folder outside of a run, or at a place in it where no job has its folder, is that of a copy.

    Raises:
        DermaugError: It does, or a record is damaged.
    """
    if (run := run_above(job.record)) is None or not job.record.is_file():
        return
    record = RunRecord.read(run.record)
    key = job.path.resolve().relative_to(run.path).as_posix()
    if key in record.jobs:
        kind = GeneratorRecord if GENERATORS in key.split("/") else TrialRecord
        refuse_other_job(job.record, kind.read(job.record), record, key)


def ties_of(run: RunFolder, job: Job) -> Ties:
    """The ties of a job that is about to end: its journal is written, what it requires is done."""
    return Ties(
        run=RunRecord.read(run.record).id,
        needs=network_digests(run, job.requires),
        journal=_journal(run.job(job.key).journal),
    )


def training_key(run: RunFolder, job: Job) -> str:
    """What tells the training of a job from all others: that of other jobs, and of other runs."""
    return f"{RunRecord.read(run.record).id}/{job.key}"


def refuse_untied(run: RunFolder, job: Job, record: GeneratorRecord | TrialRecord) -> None:
    """Raise unless a record is that of a job of this run, as the run is now.

    Raises:
        DermaugError: It is the record of another run or another job, the journal beside it is not
            the one that the job wrote, or a network that it used was replaced.
    """
    files = run.job(job.key)
    refuse_other_job(files.record, record, RunRecord.read(run.record), job.key)
    if record.ties.journal != _journal(files.journal):
        raise DermaugError(
            f"{files.journal}: expected the journal that this training wrote, found another one or "
            f"none (by SHA-256, which is in {RECORD}); the file was changed or belongs to another "
            "training: restore it, or delete the folder of the training and run the study again"
        )
    for key, digest in network_digests(run, record.ties.needs).items():
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
