"""Is what lies in the folder of a job that job's, and of this run?"""

from pathlib import Path

from dermaug.errors import DermaugError
from dermaug.experiment.run.layout import GENERATORS, JobFolder, run_above
from dermaug.experiment.run.records import GeneratorRecord, JobRecord, RunRecord, TrialRecord


def refuse_other_run(path: Path, record: JobRecord, run: RunRecord) -> None:
    """Raise unless a record is that of a job of a run.

    Args:
        path: Named in the error.
        record: The record of a generator or trial.
        run: The run in whose folder it lies.

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
    """Raise unless a record is that of one job of a run.

    Args:
        path: Named in the error.
        record: The record of a generator or trial.
        run: The run in whose folder it lies.
        key: The job in whose folder it lies.

    Raises:
        DermaugError: Another run made it, or another job.
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
