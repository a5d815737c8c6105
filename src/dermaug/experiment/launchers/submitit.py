"""An array of SLURM jobs that share the jobs of a run, through the folder that all nodes see.

Each job of the array is one more process that runs the experiment, as a second terminal would be:
it claims what is left until nothing is. This process only waits and tells.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dermaug.config import Experiment
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.launchers.launcher import Launcher, Task
from dermaug.experiment.run.run import prepare_run
from dermaug.extras import to_install
from dermaug.whole_numbers import whole_number

try:
    import submitit
    from submitit.helpers import DelayedSubmission
except ModuleNotFoundError:
    raise DermaugError(
        "--launcher submitit: expected submitit, which is not installed; install it with "
        f"{to_install('submitit')}"
    ) from None

MEMBERS = 16
"""Jobs of the array by default, if there are so many to do."""
LOGS = "submitit"
"""Folder below the run's for what the jobs of the array print."""


@dataclass(frozen=True)
class Member:
    """One job of the array.

    Args:
        experiment: The experiment, with the present paths of its data.
        launch: Device and precision, of which the first job of the array decides.
        keys: Keys of the jobs to share.
    """

    folder: Path
    experiment: Experiment
    launch: Launch
    keys: tuple[str, ...]

    def __call__(self) -> None:
        """Do what is left of the jobs, one after the other.

        Raises:
            DermaugError: Trainings failed.
        """
        from dermaug.experiment.launchers.launch import do_jobs

        run = prepare_run(self.folder, self.experiment)
        do_jobs(run, [run.jobs.named(key) for key in self.keys], self.launch)

    def checkpoint(self) -> DelayedSubmission:
        """Go on in a new job when the time of this one is over."""
        return DelayedSubmission(self)


class Submitit(Launcher):
    """An array of jobs of SLURM or, where there is none, processes of this machine.

    Raises:
        DermaugError: A setting is unknown.
    """

    size = 0

    def __init__(self, task: Task) -> None:
        self._task = task
        executor = submitit.AutoExecutor(folder=task.run.folder.resolve() / LOGS)
        try:
            executor.update_parameters(name="dermaug", cpus_per_task=1)
            executor.update_parameters(**dict(map(_setting, task.launch.submit)))
        except (AssertionError, NameError, TypeError, ValueError) as error:
            raise DermaugError(
                f"--submit: expected settings of submitit, for example slurm_partition=gpu or "
                f"timeout_min=600 ({error})"
            ) from None
        self._executor = executor
        self._members: list[submitit.Job[None]] = []

    def look(self, keys: Sequence[str]) -> None:
        """Submit the array at the first call; raise when it has ended and jobs are left.

        Raises:
            DermaugError: The array has ended; the message is that of its first job with an error.
        """
        task = self._task
        if not self._members:
            run = task.run
            alone = Launch(task.launch.device, task.launch.precision)
            member = Member(run.folder.resolve(), run.experiment, alone, tuple(keys))
            number = min(task.launch.jobs or MEMBERS, task.wanted)
            with self._executor.batch():
                for _ in range(number):
                    self._members.append(self._executor.submit(member))
        elif all(job.done() for job in self._members):
            errors = filter(None, (job.exception() for job in self._members))
            said = next((str(error).strip() for error in errors), "they were ended")
            raise DermaugError(
                f"all jobs of the array have ended, and {len(keys)} jobs are left; see "
                f"{task.run.folder / LOGS}, and run the same command again",
                said.splitlines()[-1:],
            )

    def stop(self) -> None:
        """Let the jobs of the array finish their step, save and end."""
        for job in self._members:
            job.cancel(check=False)

    def close(self) -> None:
        """End the jobs of the array, which have nothing left to do or were told to stop."""
        for job in self._members:
            if not job.done():
                job.cancel(check=False)
        for job in self._members:
            job.wait()


def _setting(given: str) -> tuple[str, object]:
    """The name and the value of a setting, a number where it looks like one."""
    name, _, value = given.partition("=")
    number = whole_number(value)
    return name, value if number is None else number
