"""Small DCGANs, one for each class and seed: trained as one, against one after the other.

Both ways do the same mathematics on the same images (noise, of which the speed does not depend).
"""

import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from lightning_fabric import Fabric
from rounds import Device, Precision, Rounds, Way, new_folder, print_rates, start, time_in_turn

from dermaug.config import GeneratorConfig
from dermaug.data.image_bank import ImageBank
from dermaug.generators.generator_training import train_generators
from dermaug.generators.saved_generator import GeneratorSpec
from dermaug.generators.state import GeneratorTask
from dermaug.training.fabric import start_fabric

IMAGES = 256
"""Real images of a class."""


def way(config: GeneratorConfig, size: int, networks: int, at_once: int, fabric: Fabric) -> Way:
    """Rate of all trainings together."""
    pixels = np.random.default_rng(0).integers(0, 256, (IMAGES, size, size, 3), dtype=np.uint8)
    bank = ImageBank.of(pixels, np.zeros(IMAGES, dtype=np.int64), fabric.device)
    spec = GeneratorSpec(config, size, ("any",), "benchmark", ())

    def training() -> float:
        with tempfile.TemporaryDirectory() as folder:
            tasks = [
                GeneratorTask("dcgan", spec, bank, seed, new_folder(Path(folder)))
                for seed in range(networks)
            ]
            trained = [
                each
                for start in range(0, networks, at_once)
                for each in train_generators(tasks[start : start + at_once], fabric)
            ]
        return sum(each.images for each in trained) / sum(each.seconds for each in trained)

    return training


def main(
    rounds: Rounds = 3,
    device: Device = "auto",
    precision: Precision = "auto",
    networks: Annotated[int, typer.Option(min=2, help="7 classes x 5 seeds.")] = 35,
    images: Annotated[int, typer.Option(min=16, help="Real images shown to each.")] = 1_600,
    size: Annotated[int, typer.Option(min=8, help="Side in pixels.")] = 32,
    width: Annotated[int, typer.Option(min=4, help="Channels next to the image.")] = 16,
    batch: Annotated[int, typer.Option(min=2, help="Images a step of each.")] = 16,
) -> None:
    """Train small DCGANs one after the other and as one."""
    fabric = start_fabric(device, precision)
    config = GeneratorConfig(images=images, batch=batch, width=width, snapshots=1)
    ways = {
        "one after the other": way(config, size, networks, 1, fabric),
        "as one": way(config, size, networks, networks, fabric),
    }
    rates = time_in_turn(ways, rounds)
    title = f"{networks} DCGANs, {size} px, width {width}, batch {batch}"
    print_rates(f"{title}, {fabric.device}, {precision}", rates, ["one after the other"])


if __name__ == "__main__":
    start(main)
