"""One job after the other, in this process."""

from concurrent.futures import Future

from dermaug.experiment.launchers.job import Outcome, do_job
from dermaug.experiment.launchers.launcher import Task


class Serial:
    """Does a job as soon as it is submitted."""

    size = 1

    def __init__(self, task: Task) -> None:
        self._run, self._stop = task.run, task.stop

    def submit(self, key: str, stale: bytes | None) -> "Future[Outcome]":
        """Do a job; the future returned has ended."""
        future: Future[Outcome] = Future()
        try:
            future.set_result(do_job(self._run, key, self._stop, stale))
        except Exception as error:  # the caller reads it from the future, as of other launchers
            future.set_exception(error)
        return future

    def stop(self) -> None:
        """Nothing to tell: the job has ended."""

    def close(self) -> None:
        """Nothing to end."""
