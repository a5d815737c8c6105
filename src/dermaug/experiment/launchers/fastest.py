"""The precision and the number of threads with which a network is trained fastest on this machine.

Each is measured by a few training steps on noise, once: the answer is kept in the cache, so that
the same experiment is computed alike whenever it is run on this machine.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning_fabric import Fabric

from dermaug.config import ClassifierConfig, GeneratorConfig
from dermaug.console import console
from dermaug.data.pixels import default_cache
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.step_times import measure, steps_of
from dermaug.experiment.launchers.threads import limited_threads
from dermaug.experiment.run.machine import machine
from dermaug.experiment.run.records import Computation
from dermaug.training.fabric import multiplies_bfloat16
from dermaug.training.precision import measured_precision

VERSION = 1
SECONDS = 0.3
"""Processor time for the measurement of the precision of a network, at least two steps in each."""


@dataclass(frozen=True)
class Question:
    """What is asked of one network.

    Args:
        config: The network and its training.
        size: Side of the images, in pixels.
        num_classes: Number of classes of the study.
        precision: auto, or the one to use.
        most_threads: Largest number of threads.
    """

    config: ClassifierConfig | GeneratorConfig
    size: int
    num_classes: int
    precision: str
    most_threads: int

    @property
    def stored(self) -> Path:
        """File for the answer, whose name depends on all that the answer may depend on."""
        config = self.config.model_dump(mode="json", exclude={"images", "seeds"})
        parts = [VERSION, machine().cpu, torch.__version__, config, self.size, self.num_classes]
        parts += [self.precision, self.most_threads]
        digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:20]
        return default_cache() / "computations" / f"{digest}.json"


def fastest(question: Question, fabric: Fabric) -> Computation:
    """Answer a question, from the cache if it has been answered before.

    Args:
        question: The question.
        fabric: The device, and the precision where it is not measured.
    """
    measures_precision = question.precision == "auto" and fabric.device.type == "cpu"
    measures_precision = measures_precision and multiplies_bfloat16(fabric.device)
    if question.most_threads == 1 and not measures_precision:
        return _computation(_name(fabric), 1)
    path = question.stored
    try:
        return Computation.read(path)
    except DermaugError:  # not answered yet, or damaged
        pass
    threads = _threads(question, fabric)
    precision = _name(fabric)
    if measures_precision:
        with limited_threads(1):
            precision = _precision(question)
        if precision != _name(fabric):
            console.print(
                f"{question.config.key}: float32, in which its steps are faster than in bfloat16"
            )
    answer = _computation(precision, threads)
    answer.write(path)
    return answer


def _computation(precision: str, threads: int) -> Computation:
    return Computation.model_validate({"precision": precision, "threads": threads})


def _name(fabric: Fabric) -> str:
    return str(fabric.strategy.precision.precision)


def _threads(question: Question, fabric: Fabric) -> int:
    choices = [1 << power for power in range(question.most_threads.bit_length())]
    if len(choices) == 1:
        return 1
    seconds: dict[int, float] = {}
    for threads in choices:
        with limited_threads(threads):
            measured = measure(question.config, question.size, question.num_classes, fabric)
        seconds[threads] = measured.seconds_per_image
    return min(choices, key=seconds.__getitem__)


def _precision(question: Question) -> str:
    def begin(fabric: Fabric) -> Callable[[], object]:
        return steps_of(question.config, question.size, question.num_classes, fabric)

    return measured_precision(begin, "cpu", SECONDS)
