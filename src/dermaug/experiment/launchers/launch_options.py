"""Where and how the jobs of a run are done, as the user asks for it."""

from dataclasses import dataclass

from dermaug.errors import DermaugError

NAMES = ("serial", "processes", "ray", "submitit")


@dataclass(frozen=True)
class Launch:
    """Where and how the jobs of a run are done; how they are distributed changes no result.

    Args:
        device: auto, cpu, cuda, cuda:N or mps.
        precision: auto, 32-true or bf16-mixed.
        launcher: One of `NAMES`.
        jobs: Number of jobs at the same time; None is chosen by the machine.
        address: Address of a Ray cluster; "" is this machine alone.
        submit: Settings of submitit, as KEY=VALUE.
        devices: Number of processes on each machine that train one generator together.
        num_nodes: Number of these machines.

    Raises:
        DermaugError: There is no such launcher or number of jobs, or an option is of another one.
    """

    device: str = "auto"
    precision: str = "auto"
    launcher: str = "serial"
    jobs: int | None = None
    address: str = ""
    submit: tuple[str, ...] = ()
    devices: int = 1
    num_nodes: int = 1

    def __post_init__(self) -> None:
        if self.launcher not in NAMES:
            raise DermaugError(f"--launcher {self.launcher}: expected one of {', '.join(NAMES)}")
        if self.jobs is not None and self.jobs < 1:
            raise DermaugError(f"--jobs {self.jobs}: expected auto or a number from 1")
        if self.address and self.launcher != "ray":
            raise DermaugError(f"--address {self.address}: only --launcher ray has an address")
        if self.submit and self.launcher != "submitit":
            raise DermaugError(f"--submit {self.submit[0]}: only --launcher submitit has settings")
        if self.ranks > 1 and (self.launcher not in ("serial", "processes") or self.jobs):
            raise DermaugError(
                f"--devices {self.devices}: all processes train one generator after the other; "
                "omit --launcher and --jobs"
            )

    @property
    def ranks(self) -> int:
        """Number of processes that train one generator together."""
        return self.devices * self.num_nodes
