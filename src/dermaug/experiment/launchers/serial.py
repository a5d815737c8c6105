"""One job after the other, in this process."""

from concurrent.futures import Future

from dermaug.experiment.launchers.job import Outcome, do_job
from dermaug.experiment.launchers.launcher import Launcher, Task


class Serial(Launcher):
    """Does a job as soon as it is submitted."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def submit(self, key: str, stale: bytes | None) -> "Future[Outcome]":
        """Do a job; the future returned has ended."""
        future: Future[Outcome] = Future()
        task = self._task
        try:
            future.set_result(do_job(task.run, key, task.device, task.stop, stale, task.ranks))
        except Exception as error:  # the caller reads it from the future, as of other launchers
            future.set_exception(error)
        return future
