"""DCGAN training at 64 px with 4x4 kernels, against the textbook's loop.

The textbook: eager, a DataLoader of JPEGs or of images in memory, losses read at every step,
gradients for all weights in both steps; in float32 and NCHW as tutorials have it, and in bfloat16
with channels last. Its rounds are epochs, the start of the workers included. dermaug does more a
step: flips and quarter turns, and an average of the generator's weights. `--published` also times
`dcgan/main.py` of github.com/pytorch/examples, between the first and the last step that it prints.
"""

import re
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from lightning_fabric import Fabric
from matrix_floor import matrix_rate, operations_of, print_floor
from rounds import (
    Data,
    Device,
    Images,
    Precision,
    Rounds,
    Way,
    new_folder,
    print_rates,
    start,
    time_in_turn,
)
from textbook import (
    BFLOAT16,
    FLOAT32,
    SIZE,
    Prepared,
    Step,
    compared,
    computed_in,
    laid_out,
    prepared,
    textbook_ways,
)
from torch import Tensor, nn
from torchvision import transforms

from dermaug.config import GeneratorConfig
from dermaug.data.image_bank import ImageBank
from dermaug.errors import DermaugError
from dermaug.generators import build_family
from dermaug.generators.family import Progress
from dermaug.generators.generator_training import train_generator
from dermaug.generators.saved_generator import GeneratorSpec
from dermaug.generators.state import GeneratorTask
from dermaug.training.fabric import start_fabric

LATENT = 100
PICTURE_AT_A_TIME = transforms.Compose(
    [
        transforms.Resize(SIZE),
        transforms.CenterCrop(SIZE),
        transforms.ToTensor(),
        transforms.Normalize((0.5,) * 3, (0.5,) * 3),
    ]
)


class Textbook:
    """Both networks, both optimisers and the step, as a tutorial has them.

    Args:
        width: Channels next to the image.
        device: Device of the networks.
        kind: float32 or bfloat16.
    """

    def __init__(self, width: int, device: torch.device, kind: str = FLOAT32) -> None:
        widths = [8 * width, 4 * width, 2 * width, width]
        ups: list[nn.Module] = [nn.ConvTranspose2d(LATENT, widths[0], 4, bias=False)]
        for inputs, outputs in pairwise([*widths, 3]):
            ups += [nn.BatchNorm2d(inputs), nn.ReLU(inplace=True)]
            ups += [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False)]
        downs: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1, bias=False)]
        for inputs, outputs in pairwise(widths[::-1]):
            downs += [nn.LeakyReLU(0.2, inplace=True)]
            downs += [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs)]
        downs += [nn.LeakyReLU(0.2, inplace=True), nn.Conv2d(widths[0], 1, 4, bias=False)]
        self.kind = kind
        self.generator = nn.Sequential(*ups, nn.Tanh()).to(device)
        self.discriminator = nn.Sequential(*downs, nn.Sigmoid()).to(device)
        for module in (*self.generator, *self.discriminator):
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(module.weight, 0.0, 0.02)
        for network in (self.generator, self.discriminator):
            laid_out(kind, network)
        self.criterion, self.device = nn.BCELoss(), device
        self.adam_g, self.adam_d = (
            torch.optim.Adam(network.parameters(), lr=2e-4, betas=(0.5, 0.999))
            for network in (self.generator, self.discriminator)
        )

    def step(self, images: Tensor) -> tuple[float, float]:
        """D on real and on generated images, then G; gives both losses."""
        ones = torch.ones(len(images), device=self.device)
        self.discriminator.zero_grad()
        loss_real = self.criterion(self._judge(images), ones)
        loss_real.backward()
        with computed_in(self.kind, self.device):
            fakes = self.generator(torch.randn(len(images), LATENT, 1, 1, device=self.device))
        loss_fake = self.criterion(self._judge(fakes.detach()), 1.0 - ones)
        loss_fake.backward()
        self.adam_d.step()

        self.generator.zero_grad()
        loss = self.criterion(self._judge(fakes), ones)
        loss.backward()
        self.adam_g.step()
        return loss_real.item() + loss_fake.item(), loss.item()

    def _judge(self, images: Tensor) -> Tensor:
        with computed_in(self.kind, self.device):
            probabilities = self.discriminator(images)
        return probabilities.float().view(-1)


def published_way(script: Path, given: Prepared, width: int, device: torch.device) -> Way:
    """The rate of `dcgan/main.py` of pytorch/examples over the steps that it prints."""
    asked = {
        "--dataset": "folder",
        "--dataroot": given.files,
        "--batchSize": given.batch,
        "--imageSize": SIZE,
        "--niter": 1,
        "--ngf": width,
        "--ndf": width,
    }
    words = [str(word) for pair in asked.items() for word in pair]
    words += ["--accel"] if device.type == "cuda" else []

    def epoch() -> float:
        folder = new_folder(given.folder)
        command = [sys.executable, "-u", str(script), *words, "--outf", str(folder)]
        moments: list[float] = []
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
            assert run.stdout is not None
            steps = (line for line in run.stdout if re.match(r"\[\d+/\d+\]\[\d+/\d+\]", line))
            moments += [time.perf_counter() for _ in steps]
        if run.returncode or len(moments) < 3:
            raise DermaugError(
                f"{script}: expected dcgan/main.py of pytorch/examples and at least three batches "
                f"of images; it ended with code {run.returncode} after {len(moments)} steps"
            )
        return (len(moments) - 1) * given.batch / (moments[-1] - moments[0])

    return epoch


def dermaug_way(bank: ImageBank, config: GeneratorConfig, given: Prepared, fabric: Fabric) -> Way:
    spec = GeneratorSpec(config, SIZE, ("any",), "benchmark", ())

    def training() -> float:
        # Without validation images no health is examined, which the textbook does not do either.
        task = GeneratorTask("dcgan", spec, bank, 0, new_folder(given.folder))
        trained = train_generator(task, fabric)
        return trained.images / trained.seconds

    return training


def main(
    data: Data = None,
    images: Images = 640,
    rounds: Rounds = 3,
    device: Device = "auto",
    precision: Precision = "auto",
    width: Annotated[int, typer.Option(min=4, help="Channels next to the image.")] = 64,
    published: Annotated[
        Path | None, typer.Option(help="dcgan/main.py of a clone of pytorch/examples.")
    ] = None,
) -> None:
    """Train a DCGAN on images of all classes, by the textbook and by dermaug."""
    fabric = start_fabric(device, precision)
    with prepared(data, images) as given:
        of_one_class = np.zeros(len(given.pixels), dtype=np.int64)
        bank = ImageBank.of(given.pixels, of_one_class, fabric.device)
        shown = len(bank) // given.batch * given.batch
        config = GeneratorConfig(images=shown, batch=given.batch, width=width, snapshots=1)
        textbooks = {kind: Textbook(width, fabric.device, kind) for kind in (FLOAT32, BFLOAT16)}
        steps = {kind: _on(fabric.device, textbook) for kind, textbook in textbooks.items()}
        ways = textbook_ways(given, PICTURE_AT_A_TIME, steps)
        if published is not None:
            ways["pytorch/examples"] = published_way(published, given, width, fabric.device)
        ours = {"dermaug": dermaug_way(bank, config, given, fabric), "matrix": matrix_rate(fabric)}
        rates = time_in_turn(ways | ours, rounds)
        products = float(np.median(rates.pop("matrix")))
        title = f"DCGAN, {SIZE} px, width {width}, batch {given.batch}"
        print_rates(f"{title}, {fabric.device}, {precision}", rates, compared(rates, ways))

    family = build_family(config, SIZE).to(fabric.device)
    real, labels = bank.batch(np.arange(given.batch))
    random = torch.Generator(fabric.device)
    operations, plain = (
        operations_of(step) / given.batch
        for step in (
            lambda: family.step(real, labels, random, Progress(0, 1)),
            lambda: textbooks[FLOAT32].step(real),
        )
    )
    print_floor(operations, plain, products, float(np.median(rates["dermaug"])))


def _on(device: torch.device, textbook: Textbook) -> Step:
    return lambda images, _labels: textbook.step(images.to(device))


if __name__ == "__main__":
    start(main)
