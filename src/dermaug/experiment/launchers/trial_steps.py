"""A few training steps on noise, which tell how fast a network is trained on this machine."""

import tempfile
import time
from collections.abc import Callable
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

STEPS = (2, 8)


def seconds_per_image(
    config: ClassifierConfig | GeneratorConfig, size: int, num_classes: int, fabric: Fabric
) -> float:
    """Seconds of training per image shown; the start and the end of a training are left out.

    Args:
        config: The network and its training.
        size: Side of the images, in pixels.
        num_classes: Number of classes of the study.
        fabric: The device and the precision.
    """
    noise = np.random.default_rng(0).integers(0, 256, (64, size, size, 3), dtype=np.uint8)
    bank = ImageBank.of(noise, np.arange(64) % num_classes, fabric.device)
    timed = _classifier if isinstance(config, ClassifierConfig) else _generator
    few, more = (timed(config, num_classes, bank, fabric, steps) for steps in STEPS)  # type: ignore[arg-type]
    return max(more - few, 0.0) / (STEPS[1] - STEPS[0]) / config.batch


def _classifier(
    config: ClassifierConfig, num_classes: int, bank: ImageBank, fabric: Fabric, steps: int
) -> float:
    short = config.model_copy(update={"images": steps * config.batch, "validations": 1})
    with tempfile.TemporaryDirectory() as folder, hushed():
        task = ClassifierTask(
            title="trial",
            config=short,
            policy="standard",
            sampling="natural",
            loss="plain",
            classes=tuple(map(str, range(num_classes))),
            training=bank,
            validation=bank,
            mean=(0.5,) * 3,
            std=(0.25,) * 3,
            seed=0,
            folder=Path(folder),
        )
        return _seconds_of(lambda: train_classifier(task, fabric), fabric)


def _generator(
    config: GeneratorConfig, _num_classes: int, bank: ImageBank, fabric: Fabric, steps: int
) -> float:
    short = config.model_copy(update={"images": steps * config.batch, "snapshots": 1})
    one_class = ImageBank(bank.images, torch.zeros_like(bank.labels), bank.device)
    with tempfile.TemporaryDirectory() as folder, hushed():
        spec = GeneratorSpec(short, bank.side, ("trial",), "", ())
        task = GeneratorTask("trial", spec, one_class, 0, Path(folder))
        return _seconds_of(lambda: train_generator(task, fabric), fabric)


def _seconds_of(work: Callable[[], object], fabric: Fabric) -> float:
    """Seconds that a training takes; waiting for other programs on a busy CPU does not count."""
    start, start_busy = time.perf_counter(), time.process_time()
    work()
    seconds, busy = time.perf_counter() - start, time.process_time() - start_busy
    return min(seconds, busy) if fabric.device.type == "cpu" else seconds
