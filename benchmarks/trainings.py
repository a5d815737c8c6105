"""Steps of the trainings that the benchmarks time: those of the training loops, on noise."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from lightning_fabric import Fabric

from dermaug.classifiers.trial_steps import ClassifierSteps, ClassifierTask
from dermaug.config import ClassifierConfig, GeneratorConfig
from dermaug.data.image_bank import ImageBank
from dermaug.generators import family_named
from dermaug.generators.saved_generator import GeneratorSpec
from dermaug.generators.state import GeneratorTask, State
from dermaug.generators.steps import GeneratorSteps

CLASSES = tuple("abcdefg")
ROWS = 4_096
CLASSIFIERS = {
    "fridadar": {},
    "fridadar, batch 256": {"batch": 256},
    "fridadar, trivial": {"policy": "trivial"},
    "resnet18": {"model": "resnet18"},
    "mobilenetv1_100": {"model": "mobilenetv1_100"},
}
"""Name of a row -> what differs from the CNN of Frid-Adar et al. in batches of 64."""
GENERATORS = {"dcgan": 64, "acgan": 48, "cgan": 32, "flow": 32}
"""Family -> width."""
INTERVAL = 8
"""Steps between the gradient penalties of a conditional GAN: a round takes a multiple of them."""


class Steps(Protocol):
    """The steps of a training."""

    def take(self) -> None:
        """Take the next one."""


def bank(size: int, device: torch.device) -> ImageBank:
    """Noise with labels."""
    noise = np.random.default_rng(0).integers(0, 256, (ROWS, size, size, 3), dtype=np.uint8)
    return ImageBank.of(noise, np.arange(ROWS) % len(CLASSES), device)


def steps_of(
    name: str, images: ImageBank, fabric: Fabric, batch: int | None = None
) -> tuple[Steps, int]:
    """The steps of a row's training, and its batch.

    Args:
        name: A row of `CLASSIFIERS` or `GENERATORS`.
        images: Images of all classes.
        fabric: Device and precision.
        batch: Images a step; None is the network's own.
    """
    own: dict[str, Any] = {} if batch is None else {"batch": batch}
    if name in GENERATORS:
        config = GeneratorConfig(family=name, width=GENERATORS[name], images=10**9, **own)
        several = family_named(name).conditional
        classes, labels = (CLASSES, images.labels) if several else (("any",), images.labels * 0)
        given = ImageBank(images.images, labels, images.device)
        spec = GeneratorSpec(config, images.side, classes, "benchmark", ())
        task = GeneratorTask(name, spec, given, 0, Path())
        return GeneratorSteps(task, State(task, fabric), fabric), config.batch
    settings: dict[str, Any] = {"policy": "standard", "batch": 64} | CLASSIFIERS[name] | own
    policy = settings.pop("policy")
    asked = ClassifierConfig.model_validate(settings | {"images": 10**9})
    numbers = (images, images, (0.5,) * 3, (0.25,) * 3)
    trial = ClassifierTask(name, asked, policy, "balanced", "plain", CLASSES, *numbers, 0, Path())
    return ClassifierSteps(trial, fabric), asked.batch
