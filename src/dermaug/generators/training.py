"""Train one generator on images of a fold's training part, for a number of real images shown."""

import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float, Int, UInt8
from lightning_fabric import Fabric
from torch import Generator, Tensor

from dermaug.console import progress_bar
from dermaug.data.augmentation import dihedral
from dermaug.data.image_bank import ImageBank
from dermaug.errors import DermaugError
from dermaug.generators import build_family
from dermaug.generators.checkpoint import GeneratorSpec, save_generator
from dermaug.generators.family import Family, Progress, Sampler, calibrate_batch_norm
from dermaug.seeding import derive_seed
from dermaug.training.checkpoint import expecting, load_checkpoint, save_checkpoint
from dermaug.training.ema import Ema
from dermaug.training.grids import save_contact_sheet
from dermaug.training.journal import Journal
from dermaug.training.order import Order, class_weights
from dermaug.training.randomness import StepRandom

RESUME = "resume.safetensors"
GENERATOR = "generator.safetensors"
GRID_IMAGES = 64


@dataclass(frozen=True, eq=False)
class GeneratorTask:
    """What one generator is trained on.

    Args:
        title: Name behind the progress bar.
        spec: Family, size, classes and the fold it belongs to.
        training: Images of the fold's training part, of the spec's classes only; labels count
            within `spec.classes`.
        seed: Derived from family, class, fold and generator seed.
        folder: Where checkpoint, journal and grids go.
    """

    title: str
    spec: GeneratorSpec
    training: ImageBank
    seed: int
    folder: Path


@dataclass(frozen=True)
class TrainedGenerator:
    """How a training went.

    Args:
        images: Real images shown.
        seconds: Time spent, over all resumes.
        parameters: Number of the sampler's weights.
        digest: Digest of the checkpoint.
    """

    images: int
    seconds: float
    parameters: int
    digest: str


class _State:
    """What changes from step to step, and goes into the checkpoint that a resume starts from."""

    def __init__(self, task: GeneratorTask, fabric: Fabric) -> None:
        torch.manual_seed(derive_seed(task.seed, "weights"))
        self.family: Family = build_family(task.spec.config, task.spec.size, len(task.spec.classes))
        self.family.to(memory_format=torch.channels_last)
        self.family.to(fabric.device)
        self.ema = Ema(self.family.sampler, task.spec.config.ema)
        self.step, self.seconds = 0, 0.0

    def save(self, path: Path) -> None:
        optimizers = {key: item.state_dict() for key, item in self.family.optimizers.items()}
        state: dict[str, Any] = {
            "family": self.family.state_dict(),
            "optimizers": optimizers,
            "ema": self.ema.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        save_checkpoint(path, state)

    def load(self, path: Path) -> None:
        state = load_checkpoint(path)
        with expecting(path, "the state of this training"):
            self._take(state)

    def _take(self, state: dict[str, Any]) -> None:
        self.family.load_state_dict(state["family"])
        for key, optimizer in self.family.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][key])
        self.ema.load_state_dict(state["ema"])
        self.step, self.seconds = state["step"], state["seconds"]


def train_generator(task: GeneratorTask, fabric: Fabric) -> TrainedGenerator:
    """Train to the end, from the last checkpoint in the task's folder when there is one.

    Leaves `generator.safetensors` (the averaged sampler), the journal, sample grids, and
    `resume.safetensors`, which the caller deletes once all that follows is on disk.

    Raises:
        DermaugError: A loss is no longer a number.
    """
    config, state = task.spec.config, _State(task, fabric)
    if (task.folder / RESUME).exists():
        state.load(task.folder / RESUME)
    else:
        _save_real_grid(task)
    random = StepRandom(fabric.device, derive_seed(task.seed, "step"))
    order = Order(len(task.training), derive_seed(task.seed, "order"), _weights(task))
    total = max(1, round(config.images / config.batch))
    ticks = {round(total * (k + 1) / config.snapshots) for k in range(config.snapshots)}
    losses: dict[str, list[Tensor]] = defaultdict(list)
    start = time.monotonic() - state.seconds
    with (
        Journal(task.folder, state.step * config.batch) as journal,
        progress_bar(task.title, total * config.batch, done=state.step * config.batch) as advance,
    ):
        while state.step < total:
            images, labels = task.training.batch(
                order.batch(state.step * config.batch, config.batch)
            )
            given = random.at(state.step)
            if config.augment:
                images = dihedral(images, given)
            with fabric.autocast():
                images = images * 2.0 - 1.0
                found = state.family.step(images, labels, given, Progress(state.step, total))
            state.ema.update(state.family.sampler, state.step)
            for name, value in found.items():
                losses[name].append(value)
            state.step += 1
            advance(config.batch)
            if state.step in ticks:
                # Reading the losses waits for the device: only then is the work done.
                means = {name: float(torch.stack(rows).mean()) for name, rows in losses.items()}
                state.seconds = time.monotonic() - start
                losses.clear()
                _snapshot(task, state, means, journal)
                advance(0, ", ".join(f"{key} {value:.2f}" for key, value in means.items()))
    sampler = sampler_of(state.ema, state.family, task, fabric.device)
    digest = save_generator(task.folder / GENERATOR, sampler, task.spec, state.family)
    parameters = sum(parameter.numel() for parameter in sampler.parameters())
    return TrainedGenerator(total * config.batch, state.seconds, parameters, digest)


def _weights(task: GeneratorTask) -> Float[np.ndarray, " n"] | None:
    """How often each image is shown; a network of one class sees each once an epoch."""
    labels = task.training.labels.cpu().numpy()
    several = len(task.spec.classes) > 1
    return class_weights(labels, task.spec.config.sampling) if several else None


def _snapshot(
    task: GeneratorTask, state: _State, means: dict[str, float], journal: Journal
) -> None:
    """Journal the tick, draw the grid of fixed latents, and save what a resume needs."""
    images = state.step * task.spec.config.batch
    if wrong := [name for name, value in means.items() if not np.isfinite(value)]:
        raise DermaugError(
            f"{task.title}: {wrong[0]} is {means[wrong[0]]} after {images} images; the last good "
            f"checkpoint is kept in {task.folder}; lower generators.rate"
        )
    journal.write(images, state.seconds, means)
    device = next(state.family.parameters()).device
    sampler = sampler_of(state.ema, state.family, task, device)
    labels = torch.arange(GRID_IMAGES, device=device) % len(task.spec.classes)
    random = Generator(device).manual_seed(derive_seed(task.seed, "grid"))
    grid = draw(sampler, sampler.draw_latents(GRID_IMAGES, random), labels)
    save_contact_sheet(task.folder / "grids" / f"{images:09d}.png", grid)
    state.save(task.folder / RESUME)


def sampler_of(ema: Ema, family: Family, task: GeneratorTask, device: torch.device) -> Sampler:
    """The averaged sampler with batch statistics of its own, in evaluation mode."""
    sampler: Sampler = ema.module  # type: ignore[assignment]
    random = Generator(device).manual_seed(derive_seed(task.seed, "batch norm"))
    labels = torch.arange(256, device=device) % len(task.spec.classes)
    calibrate_batch_norm(sampler, labels, random)
    return sampler


@torch.inference_mode()
def draw(
    sampler: Sampler, latents: Float[Tensor, "n latent"], labels: Int[Tensor, " n"]
) -> UInt8[np.ndarray, "n h w 3"]:
    """Images of some latents, as uint8 on the CPU."""
    images = sampler(latents, labels).float()
    pixels = images.add(1.0).mul(127.5).round().clamp(0.0, 255.0).to(torch.uint8)
    drawn: np.ndarray = rearrange(pixels, "n c h w -> n h w c").cpu().numpy()
    return drawn


def _save_real_grid(task: GeneratorTask) -> None:
    rows = Order(len(task.training), derive_seed(task.seed, "real grid")).batch(
        0, min(GRID_IMAGES, len(task.training))
    )
    images = task.training.images[torch.from_numpy(rows)].cpu().numpy()
    save_contact_sheet(task.folder / "grids" / "real.png", images)
