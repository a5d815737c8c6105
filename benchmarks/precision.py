"""Training steps in float32 and in bfloat16, network by network: what `--precision` is worth.

On CPUs with AMX or AVX-512 BF16 and on GPUs bfloat16 is the default; elsewhere it may well be
slower, and so it may be for one network and not for another. Both precisions take the same steps of
a training of their own, the same gradient penalties among them.
"""

import time
from typing import Annotated

import torch
import typer
from lightning_fabric import Fabric
from rounds import Device, Rounds, Way, print_rates, start, time_in_turn
from trainings import CLASSIFIERS, GENERATORS, INTERVAL, bank, steps_of

from dermaug.data.image_bank import ImageBank
from dermaug.training.fabric import start_fabric

NETWORKS = [name for name in (*CLASSIFIERS, *GENERATORS) if "," not in name]


def way(name: str, images: ImageBank, fabric: Fabric, batch: int, steps: int) -> Way:
    """Rate of a training in a precision."""
    taken, number = steps_of(name, images, fabric, batch)

    def rate() -> float:
        begin = time.perf_counter()
        for _ in range(steps):
            taken.take()
        if fabric.device.type == "cuda":
            torch.cuda.synchronize()
        return steps * number / (time.perf_counter() - begin)

    return rate


def main(
    rounds: Rounds = 3,
    device: Device = "auto",
    size: Annotated[int, typer.Option(min=32, help="Side of the images.")] = 64,
    batch: Annotated[int, typer.Option(min=2, help="Images a step.")] = 32,
    steps: Annotated[int, typer.Option(help="Steps a round.", min=INTERVAL, clamp=True)] = INTERVAL,
) -> None:
    """Train each network in float32 and in bfloat16."""
    fabrics = {name: start_fabric(device, name) for name in ("32-true", "bf16-mixed")}
    where = fabrics["32-true"].device
    images = bank(size, where)
    for name in NETWORKS:
        ways = {
            precision: way(name, images, fabric, batch, steps)
            for precision, fabric in fabrics.items()
        }
        rates = time_in_turn(ways, rounds)
        print_rates(f"{name}, {size} px, batch {batch}, {where}", rates, ["32-true"])


if __name__ == "__main__":
    start(main)
