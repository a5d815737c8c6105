"""A few training steps on noise, which tell how fast a network is trained on this machine."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric

from dermaug.classifiers.classifier_training import train_classifier
from dermaug.classifiers.trial_state import ClassifierTask
from dermaug.config import ClassifierConfig, GeneratorConfig
from dermaug.console import hushed
from dermaug.data.image_bank import ImageBank
from dermaug.generators.generator_training import train_generator
from dermaug.generators.saved_generator import GeneratorSpec
from dermaug.generators.state import GeneratorTask
from dermaug.training.checkpoint import RESUME

STEPS = (2, 8)


@dataclass(frozen=True)
class Measured:
    """What a training takes on this machine.

    Args:
        seconds_per_image: Seconds per image shown; its start and its end are left out.
        kept_bytes: Size of the files that it leaves.
        resume_bytes: Size of the checkpoint that it needs until it ends.
    """

    seconds_per_image: float
    kept_bytes: int
    resume_bytes: int


def measure(
    config: ClassifierConfig | GeneratorConfig, size: int, num_classes: int, fabric: Fabric
) -> Measured:
    """Train a network for a few steps, twice.

    Args:
        config: The network and its training.
        size: Side of the images, in pixels.
        num_classes: Number of classes of the study.
        fabric: The device and the precision.
    """
    noise = np.random.default_rng(0).integers(0, 256, (64, size, size, 3), dtype=np.uint8)
    bank = ImageBank.of(noise, np.arange(64) % num_classes, fabric.device)
    seconds = []
    for steps in STEPS:
        with tempfile.TemporaryDirectory() as name, hushed():
            folder = Path(name)
            if isinstance(config, ClassifierConfig):
                work = _classifier(config, num_classes, bank, fabric, steps, folder)
            else:
                work = _generator(config, bank, fabric, steps, folder)
            seconds.append(_seconds_of(work, fabric))
            resume = (folder / RESUME).stat().st_size
            total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    per_step = max(seconds[1] - seconds[0], 0.0) / (STEPS[1] - STEPS[0])
    return Measured(per_step / config.batch, total - resume, resume)


def _classifier(
    config: ClassifierConfig,
    num_classes: int,
    bank: ImageBank,
    fabric: Fabric,
    steps: int,
    folder: Path,
) -> Callable[[], object]:
    task = ClassifierTask(
        title="trial",
        config=config.model_copy(update={"images": steps * config.batch, "validations": 1}),
        policy="standard",
        sampling="natural",
        loss="plain",
        classes=tuple(map(str, range(num_classes))),
        training=bank,
        validation=bank,
        mean=(0.5,) * 3,
        std=(0.25,) * 3,
        seed=0,
        folder=folder,
    )
    return lambda: train_classifier(task, fabric)


def _generator(
    config: GeneratorConfig, bank: ImageBank, fabric: Fabric, steps: int, folder: Path
) -> Callable[[], object]:
    short = config.model_copy(update={"images": steps * config.batch, "snapshots": 1})
    one_class = ImageBank(bank.images, torch.zeros_like(bank.labels), bank.device)
    spec = GeneratorSpec(short, bank.side, ("trial",), "", ())
    return lambda: train_generator(GeneratorTask("trial", spec, one_class, 0, folder), fabric)


def _seconds_of(work: Callable[[], object], fabric: Fabric) -> float:
    """Seconds that a training takes; waiting for other programs on a busy CPU does not count."""
    start, start_busy = time.perf_counter(), time.process_time()
    work()
    seconds, busy = time.perf_counter() - start, time.process_time() - start_busy
    return min(seconds, busy) if fabric.device.type == "cpu" else seconds
