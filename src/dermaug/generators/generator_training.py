"""Train one generator on a fold's training split, for a given number of real images shown."""

import time

import torch
from lightning_fabric import Fabric

from dermaug.console import progress_bar
from dermaug.generators.snapshots import GRID_IMAGES, Snapshots
from dermaug.generators.state import GeneratorTask, State, TrainedGenerator
from dermaug.generators.steps import GeneratorSteps
from dermaug.seeding import derive_seed
from dermaug.training.grids import save_contact_sheet
from dermaug.training.journal import Journal
from dermaug.training.leading import call_to_step, call_to_train
from dermaug.training.order import Order
from dermaug.training.resume import keep, resume, saved_when_stopped


def train_generator(task: GeneratorTask, fabric: Fabric) -> TrainedGenerator:
    """Train to the end, resuming from the last checkpoint in the task's folder if there is one.

    Training ends early if `dermaug.generators.health` finds a reason to stop. Writes
    `generator.safetensors` (the averaged sampler at its best snapshot), the journal, grids, and
    checkpoints for a resume, which the caller deletes (`resume.forget`) when all further results
    are on disk.

    Raises:
        DermaugError: A loss is no longer a number.
    """
    config, state = task.spec.config, State(task, fabric)
    if not resume(task.folder, state, task.key):
        _save_real_grid(task)
    call_to_train(task.ranks, state)
    steps = GeneratorSteps(task, state, fabric)
    snapshots = Snapshots(task, fabric)
    total = steps.total
    ticks = {round(total * (k + 1) / config.snapshots) for k in range(config.snapshots)}
    stop = snapshots.diagnosis(state).stop
    start, shown = time.monotonic() - state.seconds, state.step * config.batch
    with (
        progress_bar(task.title, total * config.batch, done=shown) as advance,
        saved_when_stopped(task.folder, state, start, task.key),
        Journal(task.folder, shown) as journal,
    ):
        while state.step < total and not stop:
            call_to_step(task.ranks)
            steps.take()
            advance(config.batch)

            # A few times per training: take a snapshot, and save the state for a resume.
            if state.step in ticks:
                # Reading the losses waits for the device, so progress is reported afterwards.
                means = state.losses.take()
                values = means | snapshots.take(state, means)
                stop = snapshots.diagnosis(state).stop
                state.seconds = time.monotonic() - start
                journal.write(state.step * config.batch, state.seconds, values)
                keep(task.folder, state, task.key)
                advance(0, ", ".join(f"{name} {value:.2f}" for name, value in means.items()))
    return snapshots.finish(state)


def _save_real_grid(task: GeneratorTask) -> None:
    """Save a grid of real images in the format of the grids of generated ones."""
    order = Order(len(task.training), derive_seed(task.seed, "real grid"))
    rows = order.batch(0, min(GRID_IMAGES, len(task.training)))
    images = task.training.pixels(torch.from_numpy(rows).to(task.training.labels.device))
    save_contact_sheet(task.folder / "grids" / "real.png", images.cpu().numpy())
