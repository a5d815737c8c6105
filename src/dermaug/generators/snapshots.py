"""Snapshots of a generator in training: sample grid, health, and selection of the best one."""

from collections.abc import Mapping
from dataclasses import asdict

import numpy as np
import torch
from jaxtyping import Float, UInt8
from lightning_fabric import Fabric
from torch import Generator

from dermaug.config import GeneratorConfig
from dermaug.data.image_bank import ImageBank
from dermaug.errors import DermaugError
from dermaug.evaluation.features import RandomFeatures
from dermaug.generators.family import Sampler, calibrate_batch_norm, draw
from dermaug.generators.health import Diagnosis, Monitor, Vitals, diagnose
from dermaug.generators.real_side import real_sides
from dermaug.generators.saved_generator import save_generator
from dermaug.generators.state import GeneratorTask, State, TrainedGenerator
from dermaug.seeding import derive_seed
from dermaug.training.checkpoint import checkpoint_digest
from dermaug.training.file_names import GENERATOR
from dermaug.training.grids import save_contact_sheet

GRID_IMAGES = 64
BATCH = 128


def judges_snapshots(config: GeneratorConfig) -> bool:
    """Whether snapshots are compared with validation images, so that these select something."""
    return config.examined >= 2


class Snapshots:
    """Takes the snapshots of one training and keeps the one from which images will be drawn.

    Args:
        task: The training.
        fabric: Its device and precision.
    """

    def __init__(self, task: GeneratorTask, fabric: Fabric) -> None:
        self.task, self.fabric, self.device = task, fabric, fabric.device
        self._monitor: Monitor | None = None
        number = task.spec.config.examined
        if task.validation is not None and judges_snapshots(task.spec.config):
            groups = task.groups or (np.arange(len(task.training)), np.arange(len(task.validation)))
            extractor = RandomFeatures().to(self.device)
            sides = real_sides(task.training, task.validation, extractor, groups)
            self._monitor = Monitor(sides, extractor, number, self.device)

    def take(self, state: State, means: Mapping[str, float]) -> dict[str, float]:
        """Draw a grid from fixed latents, measure the health, and keep the sampler if it is best.

        Args:
            state: The state of the training, to which the measurements are appended.
            means: Mean losses since the last snapshot.

        Returns:
            The measurements by name, for the journal.

        Raises:
            DermaugError: A loss is not finite.
        """
        images, folder = state.step * self.task.spec.config.batch, self.task.folder
        if wrong := [name for name, value in means.items() if not np.isfinite(value)]:
            raise DermaugError(
                f"{self.task.title}: {wrong[0]} is {means[wrong[0]]} after {images} images; the "
                f"last good checkpoint is kept in {folder}; lower generators.rate"
            )
        sampler = self._sampler(state)
        labels = torch.arange(GRID_IMAGES, device=self.device) % len(self.task.spec.classes)
        random = self._random("grid")
        grid = draw(sampler, sampler.draw_latents(GRID_IMAGES, random), labels)
        save_contact_sheet(folder / "grids" / f"{images:09d}.png", grid)
        if self._monitor is None:
            return {}
        vitals = self._examine(state, sampler, images)
        state.vitals.append(vitals)
        if self.diagnosis(state).best_images == images:
            save_generator(folder / GENERATOR, sampler, self.task.spec, state.family)
        return {name: value for name, value in asdict(vitals).items() if name != "images"}

    def diagnosis(self, state: State) -> Diagnosis:
        """The diagnosis from all measurements so far; none if health is not measured."""
        if not state.vitals:
            return Diagnosis(0, stop=False, words="")
        return diagnose(state.vitals, self.task.spec.config.images)

    def finish(self, state: State) -> TrainedGenerator:
        """Write the generator that is kept, and summarise the training."""
        path, shown = self.task.folder / GENERATOR, state.step * self.task.spec.config.batch
        found, kept, vitals = self.diagnosis(state), shown, None
        sampler = self._sampler(state)
        if self.task.spec.config.keep == "best" and state.vitals:
            kept = found.best_images
            vitals = next(each for each in state.vitals if each.images == kept)
        else:
            save_generator(path, sampler, self.task.spec, state.family)
            vitals = state.vitals[-1] if state.vitals else None
        parameters = sum(parameter.numel() for parameter in sampler.parameters())
        digest = checkpoint_digest(path)
        return TrainedGenerator(shown, kept, vitals, found.words, state.seconds, parameters, digest)

    def _sampler(self, state: State) -> Sampler:
        """The averaged sampler with its own batch-norm statistics, in evaluation mode."""
        sampler: Sampler = state.ema.module  # type: ignore[assignment]
        labels = torch.arange(256, device=self.device) % len(self.task.spec.classes)
        calibrate_batch_norm(sampler, labels, self._random("batch norm"))
        return sampler

    def _random(self, purpose: str) -> Generator:
        return Generator(self.device).manual_seed(derive_seed(self.task.seed, purpose))

    def _examine(self, state: State, sampler: Sampler, images: int) -> Vitals:
        assert self._monitor is not None

        def drawn(label: int, number: int) -> UInt8[np.ndarray, "n h w 3"]:
            latents = sampler.draw_latents(number, self._random(f"vitals {label}"))
            labels = torch.full((number,), label, device=self.device)
            starts = range(0, number, BATCH)
            with self.fabric.autocast():
                return np.concatenate(
                    [draw(sampler, latents[k : k + BATCH], labels[k : k + BATCH]) for k in starts]
                )

        def realness(bank: ImageBank) -> Float[np.ndarray, " n"] | None:
            with self.fabric.autocast():
                return _realness(state, bank)

        state.family.eval()
        vitals = self._monitor.examine(images, drawn, realness)
        state.family.train()
        return vitals


@torch.inference_mode()
def _realness(state: State, bank: ImageBank) -> Float[np.ndarray, " n"] | None:
    verdicts = []
    for start in range(0, len(bank), BATCH):
        images, labels = bank.batch(np.arange(start, min(start + BATCH, len(bank))))
        verdict = state.family.realness(images * 2.0 - 1.0, labels)
        if verdict is None:
            return None
        verdicts.append(verdict.float().cpu().numpy())
    return np.concatenate(verdicts)
