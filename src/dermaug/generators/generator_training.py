"""Train generators on images of a fold's training part, for a number of real images shown."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import groupby
from typing import cast

import numpy as np
import torch
from jaxtyping import Float
from lightning_fabric import Fabric
from torch import Generator, Tensor

from dermaug.console import progress_bar
from dermaug.data.augmentation import dihedral
from dermaug.generators.abreast import Stack, abreast, settle
from dermaug.generators.family import Family, Progress
from dermaug.generators.snapshots import GRID_IMAGES, Snapshots
from dermaug.generators.state import GeneratorTask, State, TrainedGenerator
from dermaug.seeding import derive_seed
from dermaug.training.checkpoint import RESUME
from dermaug.training.convolutions import suit_cpu
from dermaug.training.ema import Ema
from dermaug.training.grids import save_contact_sheet
from dermaug.training.journal import Journal
from dermaug.training.order import Order, class_weights
from dermaug.training.randomness import StepRandom


def train_generator(task: GeneratorTask, fabric: Fabric) -> TrainedGenerator:
    """Train to the end, from the last checkpoint in the task's folder when there is one.

    Leaves `generator.safetensors` (the averaged sampler), the journal, sample grids, and
    `resume.safetensors`, which the caller deletes once all that follows is on disk.

    Raises:
        DermaugError: A loss is no longer a number.
    """
    (trained,) = train_generators([task], fabric)
    return trained


def train_generators(tasks: Sequence[GeneratorTask], fabric: Fabric) -> list[TrainedGenerator]:
    """As `train_generator`, several as one: the same mathematics, each layer computed once for all.

    Args:
        tasks: Of one configuration; several need a family that is `stackable`. Those that a kill
            left at different steps go on one group after the other.
        fabric: Device and precision.

    Raises:
        DermaugError: A loss is no longer a number.
    """
    trainees = sorted((_Trainee(task, fabric) for task in tasks), key=lambda each: each.state.step)
    for _, together in groupby(trainees, key=lambda each: each.state.step):
        _train(list(together), fabric)
    trained = {id(each.task): each.snapshots.finish(each.state) for each in trainees}
    return [trained[id(task)] for task in tasks]


class _Trainee:
    """One generator in training, with what belongs to it alone."""

    def __init__(self, task: GeneratorTask, fabric: Fabric) -> None:
        self.task, self.state = task, State(task, fabric)
        if (task.folder / RESUME).exists():
            self.state.load(task.folder / RESUME)
        else:
            _save_real_grid(task)
        self.random = StepRandom(fabric.device, derive_seed(task.seed, "step"))
        self.order = Order(len(task.training), derive_seed(task.seed, "order"), _weights(task))
        self.snapshots = Snapshots(task, fabric.device)

    @property
    def stopped(self) -> bool:
        """Whether its vital signs ended it."""
        return self.snapshots.diagnosis(self.state).stop

    def batch(self, step: int) -> tuple[Tensor, Tensor, Generator]:
        """Images in [-1, 1], labels and random source of a step."""
        config, given = self.task.spec.config, self.random.at(step)
        images, labels = self.task.training.batch(
            self.order.batch(step * config.batch, config.batch)
        )
        if config.augment:
            images = dihedral(images, given)
        return images * 2.0 - 1.0, labels, given

    def look(self, step: int, means: dict[str, float]) -> dict[str, float]:
        """Take a snapshot after a step; mean losses and vital signs."""
        self.state.step = step
        return means | self.snapshots.take(self.state, means)

    def note(self, seconds: float, values: Mapping[str, float], journal: Journal) -> None:
        """Journal a snapshot and the time since the last one, and save what a resume needs."""
        self.state.seconds += seconds
        images = self.state.step * self.task.spec.config.batch
        journal.write(images, self.state.seconds, values)
        self.state.save(self.task.folder / RESUME)


class _Alone:
    """The steps of one trainee."""

    def __init__(self, trainee: _Trainee) -> None:
        self.trainee = trainee
        suit_cpu(trainee.state.family)

    def step(self, progress: Progress) -> dict[str, Tensor]:
        """One step; losses by name."""
        state = self.trainee.state
        losses = state.family.step(*self.trainee.batch(progress.step), progress)
        state.ema.update(state.family.sampler, progress.step)
        return losses

    def settle(self) -> None:
        """Nothing: the trainee's own weights are those that moved."""


class _Abreast:
    """The steps of several trainees as one."""

    def __init__(self, trainees: Sequence[_Trainee]) -> None:
        self.trainees = trainees
        self.families = [each.state.family for each in trainees]
        self.whole: Family = abreast(self.families)
        self.averages = [each.state.ema.module for each in trainees]
        self.ema = Ema(Stack(self.averages), trainees[0].task.spec.config.ema)

    def step(self, progress: Progress) -> dict[str, Tensor]:
        """One step; losses by name, one for each."""
        images, labels, random = zip(
            *(each.batch(progress.step) for each in self.trainees), strict=True
        )
        # Stacked, a family takes one source for each.
        sources = cast(Generator, random)
        losses = self.whole.step(torch.stack(images), torch.stack(labels), sources, progress)
        self.ema.update(self.whole.sampler, progress.step)
        return losses

    def settle(self) -> None:
        """Give each trainee its weights."""
        settle(self.whole, self.families)
        average = self.ema.module
        assert isinstance(average, Stack)
        average.settle(self.averages)


def _train(trainees: Sequence[_Trainee], fabric: Fabric) -> None:
    """From a common step to the end, or to where vital signs stop each."""
    config, step = trainees[0].task.spec.config, trainees[0].state.step
    total = max(1, round(config.images / config.batch))
    ticks = {round(total * (k + 1) / config.snapshots) for k in range(config.snapshots)}
    losses: dict[str, list[Tensor]] = defaultdict(list)
    running = [each for each in trainees if not each.stopped]
    steps: _Alone | _Abreast | None = None
    title = trainees[0].task.title
    title += f" and {len(trainees) - 1} more" if len(trainees) > 1 else ""
    start = time.monotonic()
    with ExitStack() as stack:
        journals = {
            id(each): stack.enter_context(Journal(each.task.folder, step * config.batch))
            for each in trainees
        }
        advance = stack.enter_context(
            progress_bar(title, total * config.batch, done=step * config.batch)
        )
        while step < total and running:
            if steps is None:
                steps = _Abreast(running) if len(running) > 1 else _Alone(running[0])
            with fabric.autocast():
                for name, value in steps.step(Progress(step, total)).items():
                    losses[name].append(value)
            step += 1
            advance(config.batch)
            if step in ticks:
                steps.settle()
                # Reading the losses waits for the device: only then is the work done.
                means = _means(losses, len(running))
                losses.clear()
                told = [each.look(step, own) for each, own in zip(running, means, strict=True)]
                seconds = (time.monotonic() - start) / len(running)
                start = time.monotonic()
                for each, values in zip(running, told, strict=True):
                    each.note(seconds, values, journals[id(each)])
                advance(0, ", ".join(f"{key} {value:.2f}" for key, value in means[0].items()))
                going = [each for each in running if not each.stopped]
                if len(going) < len(running):
                    running, steps = going, None


def _means(losses: Mapping[str, Sequence[Tensor]], number: int) -> list[dict[str, float]]:
    """Mean losses of each of a number of trainings."""
    means = {
        name: torch.stack(list(rows)).mean(0).reshape(-1).tolist() for name, rows in losses.items()
    }
    return [{name: values[place] for name, values in means.items()} for place in range(number)]


def _weights(task: GeneratorTask) -> Float[np.ndarray, " n"] | None:
    """How often each image is shown; a network of one class sees each once an epoch."""
    labels = task.training.labels.cpu().numpy()
    several = len(task.spec.classes) > 1
    return class_weights(labels, task.spec.config.sampling) if several else None


def _save_real_grid(task: GeneratorTask) -> None:
    rows = Order(len(task.training), derive_seed(task.seed, "real grid")).batch(
        0, min(GRID_IMAGES, len(task.training))
    )
    images = task.training.images[torch.from_numpy(rows)].cpu().numpy()
    save_contact_sheet(task.folder / "grids" / "real.png", images)
