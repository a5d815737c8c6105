"""Residual networks without batch norm for a conditional GAN on small data.

Each stage adds one residual pair of 3x3 convolutions. Without normalisation the initial weights
matter: those of He et al. for all but the last convolution of a residual branch, which starts at
zero (Fixup, Zhang et al. 2019, arXiv:1901.09321; R3GAN, arXiv:2501.05441, section 3.4).
"""

from itertools import pairwise
from typing import TypeVar

import torch
from einops import rearrange, repeat
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn
from torch.nn.functional import leaky_relu

from dermaug.generators.dcgan import halvings_of
from dermaug.generators.family import Images, Sampler

SLOPE = 0.2
MOST = 8
"""Largest number of channels of a stage, relative to the layer nearest the image."""
GROUP = 4
"""Group size of the minibatch standard deviation in the discriminator."""
Layer = TypeVar("Layer", nn.Conv2d, nn.Linear)


class Residual(nn.Module):
    """x + c2(a(c1(a(x)))), with the second convolution initialised to zero."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = he(nn.Conv2d(channels, channels // 2, 3, padding=1))
        self.second = nn.Conv2d(channels // 2, channels, 3, padding=1, bias=False)
        nn.init.zeros_(self.second.weight)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of the input's shape."""
        inner = leaky_relu(self.first(leaky_relu(maps, SLOPE)), SLOPE)
        changed: Tensor = maps + self.second(inner)
        return changed


class StyledStage(nn.Module):
    """Upsampling to twice the side, a residual pair, then a scale per channel from the style.

    Args:
        inputs: Channels in.
        outputs: Channels out.
        style: Dimensions of the style.
    """

    def __init__(self, inputs: int, outputs: int, style: int) -> None:
        super().__init__()
        self.enlarge = enlarge(inputs, outputs)
        self.residual = Residual(outputs)
        self.scale = nn.Linear(style, outputs)
        nn.init.normal_(self.scale.weight, 0.0, 0.5 * style**-0.5)
        nn.init.zeros_(self.scale.bias)

    def forward(self, maps: Tensor, style: Float[Tensor, "b style"]) -> Tensor:
        """Maps of twice the side."""
        maps = self.residual(self.enlarge(leaky_relu(maps, SLOPE)))
        scaled: Tensor = maps * (1.0 + rearrange(self.scale(style), "b c -> b c 1 1"))
        return scaled


class ResidualGenerator(Sampler):
    """Generator whose style, from latent and class, sets the first maps and scales all stages.

    Args:
        latent: Dimensions of the normal latent.
        width: Channels of the layer nearest the image.
        size: Side of the images in pixels.
        num_classes: Number of classes that it draws.
    """

    def __init__(self, latent: int, width: int, size: int, num_classes: int) -> None:
        super().__init__()
        self.latent = latent
        self.base, doublings = halvings_of(size)
        widths = [width * min(MOST, 2**power) for power in reversed(range(doublings))]
        self.classes = nn.Embedding(num_classes, latent)
        self.style = nn.Sequential(he(nn.Linear(latent, 2 * latent)), nn.LeakyReLU(SLOPE))
        self.first = he(nn.Linear(2 * latent, widths[0] * self.base**2))
        self.stages = nn.ModuleList(
            StyledStage(inputs, outputs, 2 * latent) for inputs, outputs in pairwise(widths)
        )
        self.image = enlarge(widths[-1], 3)
        # Strength of conditioning on the class; 0 while all classes are learnt together.
        self.conditioning: Tensor
        self.register_buffer("conditioning", torch.ones(()))

    def draw_latents(self, number: int, random: Generator) -> Float[Tensor, "n latent"]:
        """Standard normal."""
        return torch.randn(number, self.latent, generator=random, device=random.device)

    def forward(self, latents: Float[Tensor, "n latent"], labels: Int[Tensor, " n"]) -> Images:
        """Images in [-1, 1]."""
        style = self.style(latents + self.conditioning * self.classes(labels))
        maps = rearrange(self.first(style), "b (c h w) -> b c h w", h=self.base, w=self.base)
        maps = maps.contiguous(memory_format=torch.channels_last)
        for stage in self.stages:
            maps = stage(maps, style)
        images: Tensor = self.image(leaky_relu(maps, SLOPE)).tanh()
        return images


class ResidualDiscriminator(nn.Module):
    """The mirror of `ResidualGenerator`; the class enters by projection (arXiv:1802.05637).

    Args:
        width: Channels of the layer nearest the image.
        size: Side of the images in pixels.
        num_classes: Number of classes.
    """

    def __init__(self, width: int, size: int, num_classes: int) -> None:
        super().__init__()
        base, doublings = halvings_of(size)
        widths = [width * min(MOST, 2**power) for power in range(doublings)]
        self.stem = he(nn.Conv2d(3, widths[0], 4, 2, 1))
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.LeakyReLU(SLOPE), he(nn.Conv2d(inputs, outputs, 4, 2, 1)), Residual(outputs)
            )
            for inputs, outputs in pairwise(widths)
        )
        features = 4 * widths[-1]
        self.last = he(nn.Conv2d(widths[-1] + 1, features, base))
        self.verdict = nn.Linear(features, 1)
        self.classes = nn.Embedding(num_classes, features)
        nn.init.normal_(self.classes.weight, 0.0, features**-0.5)
        nn.init.normal_(self.verdict.weight, 0.0, features**-0.5)
        self.conditioning: Tensor
        self.register_buffer("conditioning", torch.ones(()))

    def forward(self, images: Images, labels: Int[Tensor, " b"]) -> Float[Tensor, " b"]:
        """Logits, high for real images."""
        maps = self.stem(images)
        for stage in self.stages:
            maps = stage(maps)
        maps = torch.cat([leaky_relu(maps, SLOPE), spread_of_groups(maps)], 1)
        features = leaky_relu(rearrange(self.last(maps), "b c 1 1 -> b c"), SLOPE)
        told = (features * self.classes(labels)).sum(1)
        logits: Tensor = rearrange(self.verdict(features), "b 1 -> b") + self.conditioning * told
        return logits


def spread_of_groups(maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 1 h w"]:
    """Mean standard deviation within groups of images (Karras et al. 2018, arXiv:1710.10196, 3).

    Groups consist of consecutive images, so that none spans the real and the generated half of a
    batch if their size is a multiple of the group size. Other batches form one group.
    """
    group = GROUP if len(maps) % GROUP == 0 else len(maps)
    # Written out and in float32: on CPUs `var` over a few bfloat16 maps takes five times as long.
    grouped = rearrange(maps.float(), "(n g) c h w -> n g c h w", g=group)
    variance = (grouped - grouped.mean(1, keepdim=True)).square().mean(1)
    deviation = (variance + 1e-8).sqrt().mean((1, 2, 3)).to(maps.dtype)
    return repeat(deviation, "n -> (n g) 1 h w", g=group, h=maps.shape[2], w=maps.shape[3])


def enlarge(inputs: int, outputs: int) -> nn.Module:
    """Upsample by repetition, then convolve, which avoids checkerboard artefacts."""
    return nn.Sequential(nn.Upsample(scale_factor=2), he(nn.Conv2d(inputs, outputs, 3, padding=1)))


def he(layer: Layer) -> Layer:
    """Draw weights that preserve the second moment through a leaky ReLU (arXiv:1502.01852)."""
    fan_in = layer.weight[0].numel()
    nn.init.normal_(layer.weight, 0.0, (2.0 / (1.0 + SLOPE**2) / fan_in) ** 0.5)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
