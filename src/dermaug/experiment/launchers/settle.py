"""How the networks of a run are computed, decided once before its first job.

Sums of floating-point numbers depend on the number of threads and on the precision. Both are stored
in the run's record and are the same for every job, launcher and resume, so that no result depends
on how the jobs were distributed.
"""

import joblib
import torch
from lightning_fabric import Fabric

from dermaug.config import Experiment
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.fastest import Question, fastest
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.plan.jobs import networks_of
from dermaug.experiment.run.machine import within_memory
from dermaug.experiment.run.records import Computation, RunRecord
from dermaug.experiment.run.run import Run
from dermaug.training.fabric import start_fabric


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

    Args:
        run: A run that has been started, whose claim this process holds.
        asked: The precision, and the device to measure on.

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


def _other(run: Run, option: str, asked: str, before: str) -> DermaugError:
    return DermaugError(
        f"{option} {asked}: {run.folder} was started with {before}, and all jobs of a run are "
        f"computed alike; omit {option}, or choose another --output"
    )
