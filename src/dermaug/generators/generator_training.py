"""Train one generator on a fold's training split, for a given number of real images shown."""

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
from dermaug.training.checkpoint import RESUME, resume, save_checkpoint
from dermaug.training.grids import save_contact_sheet
from dermaug.training.journal import Journal
from dermaug.training.order import Order, class_weights
from dermaug.training.randomness import StepRandom


def train_generator(task: GeneratorTask, fabric: Fabric) -> TrainedGenerator:
    """Train to the end, resuming from the last checkpoint in the task's folder if there is one.

    Training ends early if `dermaug.generators.health` finds a reason to stop. Writes
    `generator.safetensors` (the averaged sampler at its best snapshot), the journal, grids, and
    `resume.safetensors`, which the caller deletes when all further results are on disk.

    Raises:
        DermaugError: A loss is no longer a number.
    """
    config, state = task.spec.config, State(task, fabric)
    if not resume(task.folder / RESUME, state):
        _save_real_grid(task)
    order = Order(len(task.training), derive_seed(task.seed, "order"), _weights(task))
    random = StepRandom(fabric.device, derive_seed(task.seed, "step"))
    snapshots = Snapshots(task, fabric.device)
    total = max(1, round(config.images / config.batch))
    ticks = {round(total * (k + 1) / config.snapshots) for k in range(config.snapshots)}
    losses: dict[str, list[Tensor]] = defaultdict(list)
    start, shown = time.monotonic() - state.seconds, state.step * config.batch
    with (
        Journal(task.folder, shown) as journal,
        progress_bar(task.title, total * config.batch, done=shown) as advance,
    ):
        while state.step < total and not snapshots.diagnosis(state).stop:
            # A batch of real images in [0, 1], turned and flipped at random where asked.
            given = random.at(state.step)
            images, labels = task.training.batch(order.batch(shown, config.batch))
            if config.augment:
                images = dihedral(images, given)

            # One update of every network of the family, on [-1, 1], and of the averaged sampler.
            progress = Progress(state.step, total)
            with fabric.autocast():
                step_losses = state.family.step(images * 2.0 - 1.0, labels, given, progress)
            state.ema.update(state.family.sampler, state.step)
            for name, value in step_losses.items():
                losses[name].append(value)
            state.step += 1
            shown += config.batch
            advance(config.batch)

            # A few times per training: take a snapshot, and save the state for a resume.
            if state.step in ticks:
                # Reading the losses waits for the device, so progress is reported afterwards.
                means = {name: float(torch.stack(each).mean()) for name, each in losses.items()}
                losses.clear()
                values = means | snapshots.take(state, means)
                state.seconds = time.monotonic() - start
                journal.write(shown, state.seconds, values)
                save_checkpoint(task.folder / RESUME, state.state_dict())
                advance(0, ", ".join(f"{name} {value:.2f}" for name, value in means.items()))
    return snapshots.finish(state)


def _weights(task: GeneratorTask) -> Float[np.ndarray, " n"] | None:
    """Sampling weight of each image; a network of one class sees each image once per epoch."""
    labels = task.training.labels.cpu().numpy()
    several = len(task.spec.classes) > 1
    return class_weights(labels, task.spec.config.sampling) if several else None


def _save_real_grid(task: GeneratorTask) -> None:
    """Save a grid of real images in the format of the grids of generated ones."""
    order = Order(len(task.training), derive_seed(task.seed, "real grid"))
    rows = order.batch(0, min(GRID_IMAGES, len(task.training)))
    images = task.training.images[torch.from_numpy(rows)].cpu().numpy()
    save_contact_sheet(task.folder / "grids" / "real.png", images)
