"""DCGAN (Radford et al. 2015, arXiv:1511.06434), one per class as in Frid-Adar et al. 2018."""

from collections.abc import Iterator
from itertools import pairwise
from typing import ClassVar, Literal

import torch
from einops import rearrange
from jaxtyping import Float, Int
from pydantic import Field
from torch import Generator, Tensor, nn

from dermaug.config import GeneratorConfig, Section
from dermaug.errors import DermaugError
from dermaug.generators.family import Family, Images, Progress, Sampler, own_options
from dermaug.generators.objectives import discriminator_loss, nonsaturating_loss

MOST = 16
"""Largest number of channels of a layer, relative to that nearest the image, reached at 128 pixels.
As published, the number would double with the side of the images without end."""


class DcganGenerator(Sampler):
    """Fractionally strided convolutions from a latent to an image, each of which doubles the side.

    Batch norm and ReLU follow all but the last convolution, which ends in tanh. Images of 64 pixels
    are four doublings of 4x4, as published; other sizes start from a side of 4 to 7 pixels.

    Args:
        latent: Dimensions of the latent, uniform in [-1, 1].
        width: Channels of the layer nearest the image.
        size: Side of the images in pixels.
        kernel: 4 or 5.
    """

    def __init__(self, latent: int, width: int, size: int, kernel: int) -> None:
        super().__init__()
        self.latent = latent
        base, doublings = halvings_of(size)
        widths = list(reversed(channels_of(width, doublings)))
        layers: list[nn.Module] = [
            nn.ConvTranspose2d(latent, widths[0], base, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        ]
        for inputs, outputs in pairwise(widths):
            layers += [
                _doubling(inputs, outputs, kernel, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            ]
        layers += [_doubling(widths[-1], 3, kernel, bias=True), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.apply(initialise)

    def draw_latents(self, number: int, random: Generator) -> Float[Tensor, "n latent"]:
        """Uniform in [-1, 1]."""
        return torch.rand(number, self.latent, generator=random, device=random.device) * 2.0 - 1.0

    def forward(self, latents: Float[Tensor, "n latent"], labels: Int[Tensor, " n"]) -> Images:
        """Images in [-1, 1]; a network has one class, so `labels` are ignored."""
        images: Tensor = self.layers(rearrange(latents, "n z -> n z 1 1"))
        return images


class DcganDiscriminator(nn.Module):
    """The mirror of the generator: strided convolutions, LeakyReLU, batch norm but for the first.

    Args:
        width: Channels of the layer nearest the image.
        size: Side of the images in pixels.
        kernel: 4 or 5.
    """

    def __init__(self, width: int, size: int, kernel: int) -> None:
        super().__init__()
        self.layers = judging_layers(width, size, kernel)

    def forward(self, images: Images) -> Float[Tensor, " b"]:
        """Logits, high for real images."""
        logits: Tensor = rearrange(self.layers(images), "b 1 1 1 -> b")
        return logits


class Dcgan(Family):
    """Generator and discriminator with Adam, one step of each per batch."""

    conditional: ClassVar[bool] = False
    part_of: ClassVar[int] = 1

    class Options(Section):
        """Settings of a DCGAN."""

        kernel: Literal[4, 5] = 4
        """Side of the (transposed) convolutions; Radford et al. state 5, their code uses 4."""
        beta1: float = Field(default=0.5, ge=0.0, lt=1.0)
        """Adam's first moment."""

    def __init__(self, config: GeneratorConfig, size: int, num_classes: int = 1) -> None:
        super().__init__(config, size, num_classes)
        options = own_options(self.Options, config)
        self.sampler = DcganGenerator(config.latent, config.width, size, options.kernel)
        self.discriminator = DcganDiscriminator(config.width, size, options.kernel)
        betas = (options.beta1, 0.999)
        self.optimizers = self.adam(betas, sampler=config.rate, discriminator=config.rate)

    def prepare_step(self, progress: Progress) -> str:
        """All steps are alike."""
        return "step"

    def step(
        self, images: Images, labels: Int[Tensor, " b"], random: Generator, progress: Progress
    ) -> dict[str, Tensor]:
        """One step of the discriminator, then one of the generator against it."""
        fake_images = self.sampler(self.sampler.draw_latents(len(images), random), labels)
        real, fake = self.discriminator(images), self.discriminator(fake_images.detach())
        d_loss = discriminator_loss(real, fake)
        self.descend("discriminator", d_loss)

        # The discriminator's weights need no gradient here, which saves a twelfth of the step.
        self.discriminator.requires_grad_(False)
        g_loss = nonsaturating_loss(real, self.discriminator(fake_images))
        self.descend("sampler", g_loss)
        self.discriminator.requires_grad_(True)
        return {
            "discriminator_loss": d_loss.detach(),
            "generator_loss": g_loss.detach(),
            "real_probability": real.detach().sigmoid().mean(),
            "fake_probability": fake.detach().sigmoid().mean(),
        }

    def realness(self, images: Images, labels: Int[Tensor, " b"]) -> Float[Tensor, " b"]:
        """The discriminator's logits."""
        logits: Tensor = self.discriminator(images)
        return logits


def judging_layers(width: int, size: int, kernel: int, outputs: int = 1) -> nn.Sequential:
    """Layers from images to maps of `outputs` channels and side 1, initialised as published.

    Args:
        width: Channels of the layer nearest the image.
        size: Side of the images in pixels.
        kernel: 4 or 5.
        outputs: Number of outputs per image.
    """
    base, doublings = halvings_of(size)
    widths = [3, *channels_of(width, doublings)]
    padding = (kernel - 1) // 2
    layers: list[nn.Module] = []
    for stage, (inputs, each) in enumerate(pairwise(widths)):
        layers.append(nn.Conv2d(inputs, each, kernel, 2, padding, bias=stage == 0))
        if stage > 0:
            layers.append(nn.BatchNorm2d(each))
        layers.append(nn.LeakyReLU(0.2, inplace=True))
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], outputs, base)).apply(initialise)


def initialise(module: nn.Module) -> None:
    """Draw weights from N(0, 0.02), batch norm's scales from N(1, 0.02) (Radford et al., 4)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def channels_of(width: int, doublings: int) -> list[int]:
    """Channels of each layer, from that nearest the image.

    Example:
        >>> channels_of(48, 7)
        [48, 96, 192, 384, 768, 768, 768]
    """
    return [width * min(MOST, 2**power) for power in range(doublings)]


def halvings_of(size: int) -> tuple[int, int]:
    """Side of the smallest layer (4 to 7) and number of doublings up to `size`."""
    for base, doublings in _halvings(size):
        if 4 <= base <= 7:
            return base, doublings
    raise DermaugError(
        f"GANs need a size that is 4, 5, 6 or 7 times a power of two; data.size is {size}; common "
        "sizes are 32, 48, 64, 96 and 128"
    )


def _halvings(size: int) -> Iterator[tuple[int, int]]:
    doublings = 0
    while size % 2 == 0:
        size, doublings = size // 2, doublings + 1
        yield size, doublings


def _doubling(inputs: int, outputs: int, kernel: int, *, bias: bool) -> nn.Module:
    """A transposed convolution of stride 2 whose output is exactly twice as large."""
    padding = (kernel - 1) // 2
    extra = 2 * padding + 2 - kernel
    return nn.ConvTranspose2d(inputs, outputs, kernel, 2, padding, extra, bias=bias)
