"""Training steps in float32 and in bfloat16, network by network: what `--precision` is worth.

On CPUs with AMX or AVX-512 BF16 and on GPUs bfloat16 is the default; elsewhere it may well be
slower.
"""

import time
from collections.abc import Callable
from typing import Annotated

import torch
import typer
from lightning_fabric import Fabric
from rounds import Device, Rounds, Way, print_rates, start, time_in_turn
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from dermaug.classifiers.model import ClassifierSpec, build_classifier
from dermaug.config import ClassifierConfig, GeneratorConfig
from dermaug.generators import build_family
from dermaug.generators.family import Progress
from dermaug.training.convolutions import suit_cpu
from dermaug.training.fabric import start_fabric

SIZE = 64
CLASSES = tuple("abcdefg")
CLASSIFIERS = ("fridadar", "resnet18", "mobilenetv1_100")
GENERATORS = {"dcgan": 64, "acgan": 48, "cgan": 32, "flow": 32}
"""Family -> width."""

Step = Callable[[Tensor, Tensor], object]


def classifier_step(model: str, device: torch.device) -> Step:
    """A step of AdamW."""
    config = ClassifierConfig(model=model)
    spec = ClassifierSpec.of(config, CLASSES, SIZE)
    network: nn.Module = build_classifier(config, spec, (0.5,) * 3, (0.25,) * 3)
    suit_cpu(network).to(device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3, fused=True)

    def step(images: Tensor, labels: Tensor) -> None:
        loss = cross_entropy(network(images), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


def generator_step(name: str, device: torch.device) -> Step:
    """A step of all of a family's networks."""
    config = GeneratorConfig(family=name, width=GENERATORS[name])
    family = build_family(config, SIZE, len(CLASSES))
    suit_cpu(family).to(device, memory_format=torch.channels_last).train()
    random, shown = torch.Generator(device), iter(range(10**9))
    return lambda images, labels: family.step(images, labels, random, Progress(next(shown), 10**6))


def way(step: Step, fabric: Fabric, images: Tensor, labels: Tensor, steps: int) -> Way:
    """Rate of a step in a precision."""

    def rate() -> float:
        begin = time.perf_counter()
        for _ in range(steps):
            with fabric.autocast():
                step(images, labels)
        if fabric.device.type == "cuda":
            torch.cuda.synchronize()
        return steps * len(images) / (time.perf_counter() - begin)

    return rate


def main(
    rounds: Rounds = 3,
    device: Device = "auto",
    batch: Annotated[int, typer.Option(min=2, help="Images a step.")] = 32,
    steps: Annotated[int, typer.Option(min=1, help="Steps a round.")] = 6,
) -> None:
    """Train each network in float32 and in bfloat16."""
    fabrics = {name: start_fabric(device, name) for name in ("32-true", "bf16-mixed")}
    where = fabrics["32-true"].device
    images = torch.rand(batch, 3, SIZE, SIZE, device=where) * 2.0 - 1.0
    images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.arange(batch, device=where) % len(CLASSES)
    builders = dict.fromkeys(CLASSIFIERS, classifier_step) | dict.fromkeys(
        GENERATORS, generator_step
    )
    for name, build in builders.items():
        step = build(name, where)
        ways = {
            precision: way(step, fabric, images, labels, steps)
            for precision, fabric in fabrics.items()
        }
        rates = time_in_turn(ways, rounds)
        print_rates(f"{name}, {SIZE} px, batch {batch}, {where}", rates, ["32-true"])


if __name__ == "__main__":
    start(main)
