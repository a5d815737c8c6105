"""How the networks of a run are computed, decided once before its first job.

Sums of floating-point numbers depend on the number of threads and on the precision. Both are stored
in the run's record and are the same for every job, launcher and resume, so that no result depends
on how the jobs were distributed. What is fastest on this machine is measured by a few training
steps on noise, once: the answer is kept in the cache, so that the same experiment is computed alike
whenever it is run here.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import joblib
import torch
from lightning_fabric import Fabric

from dermaug.config import Experiment
from dermaug.console import console
from dermaug.data.pixels import default_cache
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.launchers.step_times import measure, steps_of
from dermaug.experiment.plan.jobs import Network, networks_of
from dermaug.experiment.run.machine import limited_threads, machine, within_memory
from dermaug.experiment.run.records import Computation, RunRecord
from dermaug.experiment.run.run import Run
from dermaug.training.fabric import multiplies_bfloat16, start_fabric
from dermaug.training.precision import measured_precision

VERSION = 1
"""Of the answers in the cache."""
SECONDS = 0.3
"""Processor time for the measurement of the precision of a network, at least two steps in each."""


def settled_device(run: Run, asked: Launch) -> str:
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


def settle(run: Run, asked: Launch) -> None:
    """Decide how each network is computed, unless the run has decided it before.

    It depends on the machine and on the number of jobs of the whole run, not on how they are
    distributed: where there are at least as many jobs as cores, each has one thread.

    This process holds the claim of the run.

    Raises:
        DermaugError: The run was started with another precision.
    """
    record = RunRecord.read(run.files.record)
    if record.networks:
        used = {each.precision for each in record.networks.values()}
        if asked.precision != "auto" and used != {asked.precision}:
            raise _other(run, "--precision", asked.precision, " and ".join(sorted(used)))
        return
    fabric = start_fabric(asked.device, asked.precision)
    classes, jobs = run.catalog.num_classes, len(run.jobs.in_order)
    with within_memory(fabric.device.type):
        decided = computations(run.experiment, classes, jobs, asked.precision, fabric)
    changed = {"device": str(fabric.device), "networks": decided}
    record.model_copy(update=changed).write(run.files.record)


def computations(
    experiment: Experiment, num_classes: int, num_jobs: int, precision: str, fabric: Fabric
) -> dict[str, Computation]:
    """Network -> precision and threads with which it is trained on this machine."""
    most, cores = 1, joblib.cpu_count()
    if fabric.device.type == "cpu":
        most = min(torch.get_num_threads(), cores // min(cores, num_jobs))
    size = experiment.data.size
    return {
        name: fastest(Question(config, size, num_classes, precision, most), fabric)
        for name, config in networks_of(experiment).items()
    }


@dataclass(frozen=True)
class Question:
    """What is asked of one network.

    Args:
        size: Side of the images, in pixels.
        precision: auto, or the one to use.
        most_threads: Largest number of threads.
    """

    config: Network
    size: int
    num_classes: int
    precision: str
    most_threads: int

    @property
    def network(self) -> tuple[Network, int, int]:
        """The first arguments of `measure` and `steps_of`."""
        return self.config, self.size, self.num_classes

    @property
    def stored(self) -> Path:
        """File for the answer, whose name depends on all that the answer may depend on."""
        config = self.config.model_dump(mode="json", exclude={"images", "seeds"})
        parts = [VERSION, machine().cpu, torch.__version__, config, self.size, self.num_classes]
        parts += [self.precision, self.most_threads]
        digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:20]
        return default_cache() / "computations" / f"{digest}.json"


def fastest(question: Question, fabric: Fabric) -> Computation:
    """Answer a question, from the cache if it has been answered before.

    The fabric has the device, and the precision where it is not measured.
    """
    measures_precision = question.precision == "auto" and fabric.device.type == "cpu"
    measures_precision = measures_precision and multiplies_bfloat16(fabric.device)
    given = precision = str(fabric.strategy.precision.precision)
    if question.most_threads == 1 and not measures_precision:
        return Computation.model_validate({"precision": given, "threads": 1})
    path = question.stored
    try:
        return Computation.read(path)
    except DermaugError:  # not answered yet, or damaged
        pass
    threads = 1
    if question.most_threads > 1:
        seconds: dict[int, float] = {}
        for number in (1 << power for power in range(question.most_threads.bit_length())):
            with limited_threads(number):
                seconds[number] = measure(*question.network, fabric).seconds_per_image
        threads = min(seconds, key=seconds.__getitem__)
    if measures_precision:
        with limited_threads(1):
            precision = measured_precision(partial(steps_of, *question.network), "cpu", SECONDS)
        if precision != given:
            console.print(
                f"{question.config.key}: float32, in which its steps are faster than in bfloat16"
            )
    answer = Computation.model_validate({"precision": precision, "threads": threads})
    answer.write(path)
    return answer


def _other(run: Run, option: str, asked: str, before: str) -> DermaugError:
    return DermaugError(
        f"{option} {asked}: {run.folder} was started with {before}, and all jobs of a run are "
        f"computed alike; omit {option}, or choose another --output"
    )
