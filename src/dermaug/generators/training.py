"""Train one generator on images of a fold's training part, for a number of real images shown."""

import time
from collections import defaultdict

import numpy as np
import torch
from jaxtyping import Float
from lightning_fabric import Fabric
from torch import Tensor

from dermaug.console import progress_bar
from dermaug.data.augmentation import dihedral
from dermaug.generators.family import Progress
from dermaug.generators.snapshots import GRID_IMAGES, Snapshots
from dermaug.generators.state import GeneratorTask, State, TrainedGenerator
from dermaug.seeding import derive_seed
from dermaug.training.checkpoint import RESUME
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
    config, state = task.spec.config, State(task, fabric)
    if (task.folder / RESUME).exists():
        state.load(task.folder / RESUME)
    else:
        _save_real_grid(task)
    random = StepRandom(fabric.device, derive_seed(task.seed, "step"))
    order = Order(len(task.training), derive_seed(task.seed, "order"), _weights(task))
    total = max(1, round(config.images / config.batch))
    ticks = {round(total * (k + 1) / config.snapshots) for k in range(config.snapshots)}
    snapshots = Snapshots(task, fabric.device)
    losses: dict[str, list[Tensor]] = defaultdict(list)
    start = time.monotonic() - state.seconds
    with (
        Journal(task.folder, state.step * config.batch) as journal,
        progress_bar(task.title, total * config.batch, done=state.step * config.batch) as advance,
    ):
        while state.step < total and not snapshots.diagnosis(state).stop:
            for name, value in _step(task, state, fabric, order, random, total).items():
                losses[name].append(value)
            state.step += 1
            advance(config.batch)
            if state.step in ticks:
                # Reading the losses waits for the device: only then is the work done.
                means = {name: float(torch.stack(rows).mean()) for name, rows in losses.items()}
                losses.clear()
                found = snapshots.take(state, means)
                state.seconds = time.monotonic() - start
                journal.write(state.step * config.batch, state.seconds, means | found)
                state.save(task.folder / RESUME)
                advance(0, ", ".join(f"{key} {value:.2f}" for key, value in means.items()))
    return snapshots.finish(state)


def _step(
    task: GeneratorTask, state: State, fabric: Fabric, order: Order, random: StepRandom, total: int
) -> dict[str, Tensor]:
    config, given = task.spec.config, random.at(state.step)
    images, labels = task.training.batch(order.batch(state.step * config.batch, config.batch))
    if config.augment:
        images = dihedral(images, given)
    with fabric.autocast():
        progress = Progress(state.step, total)
        losses = state.family.step(images * 2.0 - 1.0, labels, given, progress)
    state.ema.update(state.family.sampler, state.step)
    return losses


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
