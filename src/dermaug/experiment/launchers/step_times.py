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
from dermaug.classifiers.trial_steps import ClassifierSteps, ClassifierTask
from dermaug.config import ClassifierConfig
from dermaug.console import hushed
from dermaug.data.image_bank import ImageBank
from dermaug.disk import bytes_of
from dermaug.experiment.plan.jobs import Network
from dermaug.generators import family_named
from dermaug.generators.generator_training import train_generator
from dermaug.generators.saved_generator import GeneratorSpec
from dermaug.generators.state import GeneratorTask, State
from dermaug.generators.steps import GeneratorSteps
from dermaug.training.graphs import WARM_UP
from dermaug.training.resume import LAST

TIMED = 8
"""Steps that are timed: a conditional GAN has one gradient penalty in as many."""


@dataclass(frozen=True)
class Measured:
    """What a training takes on this machine.

    Args:
        seconds_per_image: Seconds per image shown; its start and its end are left out.
        kept_bytes: Size of the files that it leaves.
        resume_bytes: Size of the two checkpoints that it needs until it ends.
    """

    seconds_per_image: float
    kept_bytes: int
    resume_bytes: int


def measure(config: Network, size: int, num_classes: int, fabric: Fabric) -> Measured:
    """Time a few steps of a network, and look at what a training of one step leaves."""
    take = steps_of(config, size, num_classes, fabric)
    # A GPU records every kind of step after a few of it; a first step sets up its operations.
    for _ in range(TIMED * (WARM_UP + 1) if fabric.device.type == "cuda" else 1):
        take()
    seconds = _seconds_of(lambda: [take() for _ in range(TIMED)], fabric) / TIMED
    with tempfile.TemporaryDirectory() as name, hushed():
        short = {"images": config.batch, "validations": 1, "snapshots": 1}
        used = {key: value for key, value in short.items() if key in type(config).model_fields}
        task = _task(config.model_copy(update=used), size, num_classes, fabric, Path(name))
        if isinstance(task, ClassifierTask):
            train_classifier(task, fabric)
        else:
            train_generator(task, fabric)
        resume = bytes_of(Path(name) / LAST)
        kept = bytes_of(Path(name)) - resume
    return Measured(seconds / config.batch, kept, 2 * resume)


def steps_of(config: Network, size: int, num_classes: int, fabric: Fabric) -> Callable[[], None]:
    """Begin an endless training on noise, with no frozen part, and return its next step."""
    endless = config.model_copy(update={"images": 10**9})
    if isinstance(endless, ClassifierConfig):
        endless = endless.model_copy(update={"frozen_fraction": 0.0})
    task = _task(endless, size, num_classes, fabric, Path())
    with hushed():  # pretrained weights are told of when they are used
        if isinstance(task, ClassifierTask):
            return ClassifierSteps(task, fabric).take
        return GeneratorSteps(task, State(task, fabric), fabric).take


def _task(
    config: Network, size: int, num_classes: int, fabric: Fabric, folder: Path
) -> ClassifierTask | GeneratorTask:
    """A training on noise."""
    noise = np.random.default_rng(0).integers(0, 256, (64, size, size, 3), dtype=np.uint8)
    bank = ImageBank.of(noise, np.arange(64) % num_classes, fabric.device)
    classes = tuple(map(str, range(num_classes)))
    if isinstance(config, ClassifierConfig):
        return ClassifierTask(
            title="trial",
            config=config,
            policy="standard",
            sampling="natural",
            loss="plain",
            classes=classes,
            training=bank,
            validation=bank,
            mean=(0.5,) * 3,
            std=(0.25,) * 3,
            seed=0,
            folder=folder,
        )
    if not family_named(config.family).conditional:
        classes = classes[:1]
        bank = ImageBank(bank.images, torch.zeros_like(bank.labels), bank.device)
    return GeneratorTask("trial", GeneratorSpec(config, size, classes, "", ()), bank, 0, folder)


def _seconds_of(work: Callable[[], object], fabric: Fabric) -> float:
    """Seconds that steps take; waiting for other programs on a busy CPU does not count."""
    _wait_for(fabric.device)
    start, start_busy = time.perf_counter(), time.process_time()
    work()
    _wait_for(fabric.device)
    seconds, busy = time.perf_counter() - start, time.process_time() - start_busy
    return min(seconds, busy) if fabric.device.type == "cpu" else seconds


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
