"""Steps of small trainings by several processes, whose states are compared."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from dermaug.config import GeneratorConfig
from dermaug.data.image_bank import ImageBank
from dermaug.generators import FAMILIES
from dermaug.generators.saved_generator import GeneratorSpec
from dermaug.generators.state import GeneratorTask, State
from dermaug.generators.steps import GeneratorSteps
from dermaug.training.fabric import start_fabric
from dermaug.training.ranks import Ranks

SIDE, STEPS, BATCH = 32, 4, 16
OPTIONS: dict[str, dict[str, float]] = {
    # Every other step has a penalty, and the augmentation becomes stronger at once.
    "cgan": {"penalty_interval": 2, "adaptation": 50.0, "told_from": 0.0, "overfitting": 0.0},
    "dcgan": {},
    "flow": {"class_dropout": 0.5},
}


def task(family: str) -> GeneratorTask:
    """Four steps on noise."""
    tree = {"family": family, "options": OPTIONS[family], "images": STEPS * BATCH, "batch": BATCH}
    config = GeneratorConfig.model_validate(tree | {"width": 4, "latent": 8})
    classes = ("one", "other") if FAMILIES[family].conditional else ("one",)
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (40, SIDE, SIDE, 3), dtype=np.uint8)
    bank = ImageBank.of(pixels, np.arange(40) % len(classes), torch.device("cpu"))
    return GeneratorTask(family, GeneratorSpec(config, SIDE, classes, "", ()), bank, 0, Path())


def state_after(given: GeneratorTask, steps: int = STEPS) -> State:
    """The state of a training after some steps, in float32."""
    fabric = start_fabric("cpu", "32-true")
    state = State(given, fabric)
    taken = GeneratorSteps(given, state, fabric)
    for _ in range(steps):
        taken.take()
    return state


def write_states(ranks: Ranks, folder: Path) -> None:
    """Train all families and write the state of this process."""
    for family in OPTIONS:
        state = state_after(replace(task(family), ranks=ranks))
        torch.save(state.state_dict(), folder / f"{family}-{ranks.place}.pt")
