"""Which jobs of a run are to be done next, as one of several processes sees it."""

import time
from collections.abc import Iterator, Sequence

from dermaug.errors import DermaugError
from dermaug.experiment.plan.jobs import Job
from dermaug.experiment.run.claims import Watch
from dermaug.experiment.run.run import Run

LOOK = 1.0
"""Seconds between two looks at what other processes do."""
ATTEMPTS = 3
"""Times that a job is begun whose worker dies, for example because memory runs out."""
IN_A_ROW = 3
"""Failures without a job done between them after which no further job is begun."""


class Schedule:
    """The jobs of a run: done, running here, done elsewhere, failed, or waiting for others.

    The disk is the truth: a job is done when its record is there, whoever wrote it.

    Args:
        jobs: Jobs to do, ordered so that none needs a later one.
    """

    def __init__(self, run: Run, jobs: Sequence[Job]) -> None:
        self.run, self.jobs = run, {job.key: job for job in jobs}
        self.running: dict[str, float] = {}
        self.failed: dict[str, Exception] = {}
        self._left = {job.key: job for job in jobs if not run.is_done(job.key)}
        self._lost: dict[str, int] = {}
        self._in_a_row = 0
        self._watch = Watch()

    @property
    def num_done(self) -> int:
        """Jobs that are done."""
        return len(self.jobs) - len(self._left)

    @property
    def num_waiting(self) -> int:
        """Jobs that are neither done nor failed nor running here."""
        return len(self._left.keys() - self.running.keys() - self.failed.keys())

    @property
    def unfinished(self) -> dict[str, Job]:
        """Key -> job that is not done."""
        return dict(self._left)

    def look(self) -> list[Job]:
        """The jobs that other processes have done since the last look."""
        found = [
            job
            for key, job in self._left.items()
            if key not in self.running and self.run.is_done(key)
        ]
        for job in found:
            del self._left[job.key]
            self.failed.pop(job.key, None)
        return found

    def next(self) -> tuple[Job, bytes | None] | None:
        """A job that can be begun now, with the stale claim that has to be taken over, if any."""
        if self.is_hopeless:
            return None
        for job in self._begun_by_nobody_here():
            claim = self.run.job(job.key).claim
            if (stale := self._watch.stale(claim)) is not None or not claim.exists():
                return job, stale
        return None

    @property
    def is_hopeless(self) -> bool:
        """Whether no job that is left can be begun any more, here or elsewhere."""
        return self._in_a_row >= IN_A_ROW or not any(self._begun_by_nobody_here())

    def begin(self, key: str) -> None:
        """Note that a job is running here."""
        self.running[key] = time.monotonic()

    def end(self, key: str) -> float:
        """Note that a job is running here no more, and return the seconds that it took."""
        return time.monotonic() - self.running.pop(key)

    def succeed(self, key: str) -> None:
        """Note that a job was done here."""
        self._in_a_row = 0
        self._left.pop(key, None)

    def fail(self, key: str, error: Exception) -> None:
        """Note that a job has failed; those that need it are not begun."""
        self.failed[key] = error
        self._in_a_row += 1

    def lose(self, key: str) -> None:
        """Note that the worker of a job died; the job is begun again, but not for ever."""
        self._lost[key] = self._lost.get(key, 0) + 1
        if self._lost[key] >= ATTEMPTS:
            text = (
                f"{key}: its worker was killed {ATTEMPTS} times, probably because memory ran out; "
                "run the same command again with fewer --jobs"
            )
            self.fail(key, DermaugError(text))

    def raise_failures(self) -> None:
        """Raise the error of the only job that failed, or one error for several."""
        if not self.failed:
            return
        first, *others = self.failed.values()
        if not others or not isinstance(first, DermaugError):
            raise first
        lines = [f"{key}: {str(error).splitlines()[0]}" for key, error in self.failed.items()]
        raise DermaugError(
            f"{len(self.failed)} of {len(self.jobs)} jobs failed, the first with: {first.message}",
            lines,
        ) from first

    def _begun_by_nobody_here(self) -> Iterator[Job]:
        for key, job in self._left.items():
            waits = any(needed in self._left for needed in job.requires)
            if not waits and key not in self.running and key not in self.failed:
                yield job
