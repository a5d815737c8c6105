"""A folder of PNG files from a generator, against the generator's forward passes alone.

The folder's way loads the checkpoint, draws in batches, encodes and hashes one file an image in
threads beside the drawing, and writes labels and provenance.
"""

import tempfile
import time
from pathlib import Path
from typing import Annotated

import torch
import typer
from rounds import Device, Images, Rounds, Way, new_folder, print_rates, start, time_in_turn

from dermaug.config import GeneratorConfig
from dermaug.generators import build_family
from dermaug.generators.saved_generator import GeneratorSpec, load_generator, save_generator
from dermaug.synthesis.png_folder import generate_folder
from dermaug.synthesis.sampling import BATCH
from dermaug.training.fabric import start_fabric

SIZE = 64
CLASS = "any"


def ways(
    config: GeneratorConfig, images: int, folder: Path, device: torch.device
) -> dict[str, Way]:
    """Both ways to draw so many images of an untrained generator, whose work is the same."""
    checkpoint = folder / "generator.safetensors"
    spec = GeneratorSpec(config, SIZE, (CLASS,), "benchmark", ())
    save_generator(checkpoint, build_family(config, SIZE).sampler, spec)
    sampler, _ = load_generator(checkpoint, device)
    random = torch.Generator(device)

    def forward_passes() -> float:
        begin = time.perf_counter()
        labels = torch.zeros(BATCH, dtype=torch.long, device=device)
        with torch.inference_mode():
            for first in range(0, images, BATCH):
                batch = min(BATCH, images - first)
                drawn = sampler(sampler.draw_latents(batch, random), labels[:batch])
            float(drawn.sum())  # waits for the device
        return images / (time.perf_counter() - begin)

    def to_files() -> float:
        begin = time.perf_counter()
        generate_folder(checkpoint, CLASS, images, 0, new_folder(folder) / "drawn", device)
        return images / (time.perf_counter() - begin)

    return {"forward passes": forward_passes, "PNG files": to_files}


def main(
    images: Images = 10_000,
    rounds: Rounds = 3,
    device: Device = "auto",
    family: Annotated[str, typer.Option(help="Of the generator.")] = "dcgan",
    width: Annotated[int, typer.Option(min=4, help="Channels next to the image.")] = 64,
) -> None:
    """Draw images, without and with their files."""
    where = start_fabric(device).device
    with tempfile.TemporaryDirectory() as name:
        config = GeneratorConfig(family=family, width=width)
        rates = time_in_turn(ways(config, images, Path(name), where), rounds)
        title = f"{images:,} images of {family}, {SIZE} px, width {width}, {where}"
        print_rates(title, rates, ["forward passes"])


if __name__ == "__main__":
    start(main)
