"""How the jobs of a run are distributed, as the user asks for it."""

from dataclasses import dataclass

from dermaug.errors import DermaugError

LAUNCHERS = ("serial", "processes")


@dataclass(frozen=True)
class Launch:
    """How the jobs of a run are distributed, which changes no result.

    Args:
        launcher: One of `LAUNCHERS`.
        jobs: Number of jobs at the same time; None is chosen by the machine.

    Raises:
        DermaugError: There is no such launcher, or no such number of jobs.
    """

    launcher: str = "serial"
    jobs: int | None = None

    def __post_init__(self) -> None:
        if self.launcher not in LAUNCHERS:
            raise DermaugError(
                f"--launcher {self.launcher}: expected one of {', '.join(LAUNCHERS)}"
            )
        if self.jobs is not None and self.jobs < 1:
            raise DermaugError(f"--jobs {self.jobs}: expected auto or a number from 1")


SERIAL = Launch()
"""One job after the other."""
