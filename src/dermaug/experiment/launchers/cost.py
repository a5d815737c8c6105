"""The cost of an experiment before it is run: jobs, images shown, and time on this machine."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from rich.table import Table

from dermaug.classifiers.classifier_training import train_classifier
from dermaug.classifiers.trial_state import ClassifierTask
from dermaug.config import ClassifierConfig, Experiment, GeneratorConfig
from dermaug.console import console, hushed
from dermaug.data.image_bank import ImageBank
from dermaug.data.splits import make_folds
from dermaug.experiment.plan.enumeration import enumerate_jobs
from dermaug.experiment.plan.jobs import Jobs
from dermaug.experiment.plan.power import planned_power, power_sentences
from dermaug.experiment.run.data import decoded, joined, twins_of
from dermaug.experiment.run.run import counts_by_point, refuse_equal_sizes
from dermaug.generators.generator_training import train_generator
from dermaug.generators.saved_generator import GeneratorSpec
from dermaug.generators.state import GeneratorTask
from dermaug.training.fabric import start_fabric

STEPS = (2, 8)


def print_plan(experiment: Experiment, device: str, precision: str) -> None:
    """Print every job with its images shown and minutes on this machine, then the design's power.

    The data are decoded exactly as in the run. The minutes are extrapolated from a few training
    steps of each network on noise; validation and sampling are not included.

    Raises:
        DermaugError: The experiment or its data would make the run stop at its start.
    """
    store = decoded(experiment)
    catalog = joined(store, twins_of(store, None)).catalog
    folds = make_folds(catalog, experiment.splits)
    counts = counts_by_point(experiment, catalog, folds)
    refuse_equal_sizes(counts)
    jobs = enumerate_jobs(experiment, catalog.classes, counts)
    fabric = start_fabric(device, precision)
    minutes = minutes_per_image(experiment, catalog.classes, fabric)
    table = Table("Job", "Images shown", "Minutes", title=f"{experiment.name} on {fabric.device}")
    for job in jobs.in_order:
        spent = job.images * minutes[network_name(job.config)]
        table.add_row(job.key, f"{job.images:,}", f"{spent:.1f}")
    console.print(table)
    console.print(_summary(jobs, minutes))
    for sentence in power_sentences(planned_power(experiment, catalog, folds)):
        console.print(sentence, markup=False)


def _summary(jobs: Jobs, minutes: dict[str, float]) -> str:
    trained = [job for job in jobs.in_order if job.images]
    total = sum(job.images * minutes[network_name(job.config)] for job in trained)
    return (
        f"{len(jobs.generators)} generators and {len(trained) - len(jobs.generators)} classifiers, "
        f"about {total:.0f} minutes on this machine; no run was started"
    )


def network_name(config: ClassifierConfig | GeneratorConfig) -> str:
    """Name of a network in `minutes_per_image`."""
    return f"{type(config).__name__} {config.key}"


def minutes_per_image(
    experiment: Experiment, classes: tuple[str, ...], fabric: Fabric
) -> dict[str, float]:
    """Measure the minutes per image shown of each network, by `network_name`, on this machine.

    Args:
        experiment: Its networks and its image size.
        classes: Labels of the data set.
        fabric: Device and precision.
    """
    size = experiment.data.size
    noise = np.random.default_rng(0).integers(0, 256, (64, size, size, 3), dtype=np.uint8)
    bank = ImageBank.of(noise, np.arange(64) % len(classes), fabric.device)
    one_class = ImageBank(bank.images, torch.zeros_like(bank.labels), bank.device)
    minutes = {}
    for classifier in experiment.classifiers:
        seconds = [_classifier_seconds(classifier, classes, bank, fabric, n) for n in STEPS]
        minutes[network_name(classifier)] = _per_image(seconds, classifier)
    for generator in experiment.generators:
        seconds = [_generator_seconds(generator, one_class, fabric, n) for n in STEPS]
        minutes[network_name(generator)] = _per_image(seconds, generator)
    return minutes


def _per_image(seconds: list[float], config: ClassifierConfig | GeneratorConfig) -> float:
    a_step = max(seconds[1] - seconds[0], 0.0) / (STEPS[1] - STEPS[0])
    return a_step / config.batch / 60.0


def _classifier_seconds(
    config: ClassifierConfig, classes: tuple[str, ...], bank: ImageBank, fabric: Fabric, steps: int
) -> float:
    short = config.model_copy(update={"images": steps * config.batch, "validations": 1})
    with tempfile.TemporaryDirectory() as folder, hushed():
        task = ClassifierTask(
            title="trial",
            config=short,
            policy="standard",
            sampling="natural",
            loss="plain",
            classes=classes,
            training=bank,
            validation=bank,
            mean=(0.5,) * 3,
            std=(0.25,) * 3,
            seed=0,
            folder=Path(folder),
        )
        return _seconds_of(lambda: train_classifier(task, fabric), fabric)


def _generator_seconds(
    config: GeneratorConfig, bank: ImageBank, fabric: Fabric, steps: int
) -> float:
    short = config.model_copy(update={"images": steps * config.batch, "snapshots": 1})
    with tempfile.TemporaryDirectory() as folder, hushed():
        spec = GeneratorSpec(short, bank.side, ("trial",), "", ())
        task = GeneratorTask("trial", spec, bank, 0, Path(folder))
        return _seconds_of(lambda: train_generator(task, fabric), fabric)


def _seconds_of(work: Callable[[], object], fabric: Fabric) -> float:
    """Seconds that a training takes; waiting for other programs on a busy CPU does not count."""
    start, start_busy = time.perf_counter(), time.process_time()
    work()
    seconds, busy = time.perf_counter() - start, time.process_time() - start_busy
    return min(seconds, busy) if fabric.device.type == "cpu" else seconds
