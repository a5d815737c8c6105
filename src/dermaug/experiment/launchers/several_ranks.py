"""Train generators by several processes, each of which takes its part of every batch."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from lightning_fabric import Fabric

from dermaug.config import Experiment
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.job import Work
from dermaug.experiment.launchers.joining import joined
from dermaug.experiment.launchers.launch import train_some
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.launchers.settle import settled_device
from dermaug.experiment.launchers.stopping import Stop, stoppable
from dermaug.experiment.plan.jobs import GeneratorJob
from dermaug.experiment.run.records import RunRecord
from dermaug.experiment.run.run import Run
from dermaug.experiment.stages.generate import generator_task
from dermaug.generators import FAMILIES, family_named
from dermaug.generators.state import GeneratorTask, State
from dermaug.generators.steps import GeneratorSteps
from dermaug.host import under_torchrun
from dermaug.training.fabric import start_fabric
from dermaug.training.leading import heed
from dermaug.training.ranks import Ranks


def train_together(
    folder: Path,
    experiment: Experiment,
    wanted: Mapping[str, str | int | None],
    launch: Launch,
    command: str,
) -> None:
    """Train generators one after the other, each by all processes.

    The first process does what `train_some` does, with the same arguments; the others take the
    steps with it, and write nothing.

    Raises:
        DermaugError: Raised by `train_some`, or a process has failed.
    """
    kind = _kind_of_device(launch)
    _refuse_other_number(launch)
    _refuse_uneven_parts(experiment, wanted["family"], launch.ranks)
    with joined(launch, kind) as ranks:
        if ranks.place:
            work = Work(folder, experiment, launch.device)
            with ranks.fatal():
                _follow(work, launch, ranks)
            return
        serial = replace(launch, launcher="serial")
        train_some(folder, experiment, "generators", wanted, serial, command, ranks)


def _follow(work: Work, launch: Launch, ranks: Ranks) -> None:
    """Do what the first process tells, until it tells to end."""
    stop = Stop()
    task: GeneratorTask
    fabric: Fabric
    steps: GeneratorSteps
    with stoppable(stop):
        while (call := heed(stop.number)).kind != "end":
            match call.kind:
                case "job":
                    job = work.run.jobs.named(call.key)
                    assert isinstance(job, GeneratorJob)
                    fabric = _fabric_of(work.run, launch, job)
                    task = generator_task(work.run, job, fabric, ranks)
                case "train":
                    state = State(task, fabric)
                    state.load_state_dict(call.state)
                    steps = GeneratorSteps(task, state, fabric)
                case "step":
                    steps.take()


def _fabric_of(run: Run, launch: Launch, job: GeneratorJob) -> Fabric:
    """Device, precision and threads of a job, as the run has decided them."""
    how = RunRecord.read(run.files.record).networks[job.network]
    torch.set_num_threads(how.threads)
    device = settled_device(run, launch)
    own = f"cuda:{os.environ['LOCAL_RANK']}" if device == "cuda" else device
    return start_fabric(own, how.precision)


def _kind_of_device(launch: Launch) -> str:
    """The kind of device, cpu or cuda, of which each process has one, if there are so many."""
    kind = start_fabric(launch.device, launch.precision).device.type
    if kind == "mps" or ":" in launch.device:
        raise DermaugError(
            f"--devices {launch.devices}: each process needs a GPU of its own, or they share the "
            f"CPU; pass --device cuda or --device cpu, not {launch.device}"
        )
    if kind == "cuda" and launch.devices > torch.cuda.device_count():
        raise DermaugError(
            f"--devices {launch.devices}: this machine has {torch.cuda.device_count()} GPUs"
        )
    return kind


def _refuse_other_number(launch: Launch) -> None:
    """Raise unless there are, or can be started here, as many processes as asked for."""
    started = int(os.environ["WORLD_SIZE"]) if under_torchrun() else launch.devices
    if started != launch.ranks:
        raise DermaugError(
            f"--devices {launch.devices} --num-nodes {launch.num_nodes}: expected "
            f"{launch.ranks} processes, found {started}; start them on every node by torchrun, for "
            f"example: torchrun --nnodes {launch.num_nodes} --nproc-per-node {launch.devices} "
            "--rdzv-backend c10d --rdzv-endpoint HOST:29500 --no-python dermaug train generator ..."
        )


def _refuse_uneven_parts(experiment: Experiment, family: str | int | None, number: int) -> None:
    """Raise if a batch cannot be divided into so many equal parts of the size that it needs."""
    for config in experiment.generators:
        if family not in (None, config.key):
            continue
        part_of = family_named(config.family).part_of
        if not part_of:
            able = ", ".join(name for name, each in FAMILIES.items() if each.part_of)
            raise DermaugError(
                f"{config.key}: {config.family} is trained by one process; choose one of {able} by "
                "--family, or omit --devices"
            )
        if config.batch % (number * part_of):
            raise DermaugError(
                f"{config.key}: {number} processes share each batch, in parts of a multiple of "
                f"{part_of} images; expected generators.batch to be a multiple of "
                f"{number * part_of}, found {config.batch}"
            )
