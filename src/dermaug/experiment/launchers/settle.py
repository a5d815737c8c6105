"""How the networks of a run are computed, decided once before its first job.

Sums of floating-point numbers depend on the number of threads and on the precision. Both are stored
in the run's record and are the same for every job, launcher and resume, so that no result depends
on how the jobs were distributed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import joblib
import torch
from lightning_fabric import Fabric

from dermaug.config import ClassifierConfig, GeneratorConfig
from dermaug.console import console
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.threads import limited_threads
from dermaug.experiment.launchers.trial_steps import measure, steps_of
from dermaug.experiment.plan.jobs import networks_of
from dermaug.experiment.run.records import Computation, RunRecord
from dermaug.experiment.run.run import Run
from dermaug.training.fabric import start_fabric
from dermaug.training.precision import measured_precision


@dataclass(frozen=True)
class Asked:
    """What the user asks of device and precision.

    Args:
        device: auto, cpu, cuda, cuda:N or mps.
        precision: auto, 32-true or bf16-mixed.
    """

    device: str = "auto"
    precision: str = "auto"


def settled_device(run: Run, asked: Asked) -> str:
    """The device of the run's jobs: the one that it was started with, or else the one asked for.

    Returns:
        For `start_fabric` in each worker: cpu, cuda (the first GPU that a worker sees), cuda:N or
        mps.

    Raises:
        DermaugError: It is not available here, or the run was started with another one.
    """
    before, name = RunRecord.read(run.files.record), asked.device
    if before.networks:
        kind = torch.device(before.device).type
        if name.partition(":")[0] not in ("auto", kind):
            raise _other(run, "--device", name, kind)
        name = kind if name == "auto" else name
    device = start_fabric(name, asked.precision).device
    return name if ":" in name else device.type


def settle(run: Run, asked: Asked, lanes: int) -> None:
    """Decide how each network is computed, unless the run has decided it before.

    Args:
        run: A run that has been started, whose claim this process holds.
        asked: Device and precision.
        lanes: Number of jobs that are done at the same time on this machine; 0 gives each job one
            core, on machines that are not known yet.

    Raises:
        DermaugError: The run was started with another precision.
    """
    record = RunRecord.read(run.files.record)
    if record.networks:
        used = {each.precision for each in record.networks.values()}
        if asked.precision not in ("auto", *used):
            raise _other(run, "--precision", asked.precision, " and ".join(sorted(used)))
        return
    decided = {}
    for name, config in networks_of(run.experiment).items():
        precision = _precision(run, config, asked)
        fabric = start_fabric(asked.device, precision)
        threads = _threads(run, config, fabric, lanes)
        decided[name] = Computation(precision=precision, threads=threads)
    changed = {"device": str(start_fabric(asked.device).device), "networks": decided}
    record.model_copy(update=changed).write(run.files.record)


def _precision(
    run: Run, config: ClassifierConfig | GeneratorConfig, asked: Asked
) -> Literal["32-true", "bf16-mixed"]:
    """The precision asked for; with `auto` that of the device, unless steps are slower in it."""
    if asked.precision != "auto":
        start_fabric(asked.device, asked.precision)  # refuses what does not exist
        return "32-true" if asked.precision == "32-true" else "bf16-mixed"
    size, num_classes = run.experiment.data.size, run.catalog.num_classes

    def begin(fabric: Fabric) -> Callable[[], None]:
        return steps_of(config, size, num_classes, fabric)

    with limited_threads(1):
        precision = measured_precision(begin, asked.device)
    if precision != start_fabric(asked.device).strategy.precision.precision:
        console.print(f"{config.key}: float32, in which its steps are faster than in bfloat16")
    return precision


def _threads(
    run: Run, config: ClassifierConfig | GeneratorConfig, fabric: Fabric, lanes: int
) -> int:
    """The number of threads with which a network is trained fastest, with so many jobs at once."""
    if fabric.device.type != "cpu" or lanes == 0:
        return 1
    most: int = min(torch.get_num_threads(), joblib.cpu_count() // lanes)
    choices = [1 << power for power in range(most.bit_length())]
    if len(choices) < 2:
        return 1
    size, num_classes = run.experiment.data.size, run.catalog.num_classes
    seconds: dict[int, float] = {}
    for threads in choices:
        with limited_threads(threads):
            seconds[threads] = measure(config, size, num_classes, fabric).seconds_per_image
    best = min(choices, key=seconds.__getitem__)
    console.print(f"{config.key}: {best} threads, the fastest of {', '.join(map(str, choices))}")
    return best


def _other(run: Run, option: str, asked: str, before: str) -> DermaugError:
    return DermaugError(
        f"{option} {asked}: {run.folder} was started with {before}, and all jobs of a run are "
        f"computed alike; omit {option}, or choose another --output"
    )
