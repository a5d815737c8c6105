"""A small U-Net (Ronneberger et al. 2015, arXiv:1505.04597) conditioned on time and class.

It has residual blocks as in DDPM (Ho et al. 2020, arXiv:2006.11239) and is made for two CPU cores:
it works on patches, adds skips instead of concatenating them, and has attention at the smallest
resolution only.
"""

import math
from itertools import pairwise

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import (
    avg_pool2d,
    group_norm,
    interpolate,
    scaled_dot_product_attention,
    silu,
)

from dermaug.errors import DermaugError
from dermaug.generators.transport import from_patches, to_patches

LARGEST_ATTENDING = 8
SMALLEST = 4
MOST = 4
"""Largest number of channels, relative to the width."""
FASTEST, SLOWEST = 1_000.0, 1.0
"""Largest angle of the time embedding over the whole path, in radians."""


class UNet(nn.Module):
    """Velocity of images at a time, with or without a class.

    Args:
        width: Channels of the largest maps.
        size: Side of the images in pixels.
        num_classes: Number of classes; the index after the last class stands for no class.
        patch: Side of the patches of pixels that form one place of the largest maps.
    """

    def __init__(self, width: int, size: int, num_classes: int, patch: int) -> None:
        super().__init__()
        sides = sides_of(size, patch)
        self.patch, self.no_class = patch, num_classes
        widths = [width * min(MOST, 2**level) for level in range(len(sides))]
        told, pixels = 4 * width, 3 * patch**2
        self.times = TimeWaves(2 * width, told)
        self.classes = nn.Embedding(num_classes + 1, told)
        nn.init.normal_(self.classes.weight, 0.0, 0.5)
        self.enter = nn.Conv2d(pixels, widths[0], 3, padding=1)
        self.down = nn.ModuleList(
            ToldBlock(inputs, outputs, told) for inputs, outputs in pairwise([widths[0], *widths])
        )
        self.attend = Attention(widths[-1])
        self.middle = ToldBlock(widths[-1], widths[-1], told)
        self.narrow = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 1) for outputs, inputs in pairwise(widths)
        )
        self.up = nn.ModuleList(ToldBlock(channels, channels, told) for channels in widths[:-1])
        self.told_last = nn.Linear(told, 2 * widths[0])
        self.leave = zeroed(nn.Conv2d(widths[0], pixels, 3, padding=1))

    def forward(
        self,
        images: Float[Tensor, "b 3 h w"],
        times: Float[Tensor, " b"],
        labels: Int[Tensor, " b"],
    ) -> Float[Tensor, "b 3 h w"]:
        """Velocities at points on the paths to images.

        Args:
            images: Points on the paths.
            times: Times, 0 for noise to 1 for images.
            labels: Classes; `no_class` for no class.
        """
        told = silu(self.times(times) + self.classes(labels))
        maps = to_patches(images, self.patch).contiguous(memory_format=torch.channels_last)
        maps = self.enter(maps)
        skips: list[Tensor] = []
        for block in self.down:
            maps = block(avg_pool2d(maps, 2) if skips else maps, told)
            skips.append(maps)
        maps = self.middle(self.attend(maps), told)
        for narrow, block, skip in reversed(list(zip(self.narrow, self.up, skips, strict=False))):
            maps = block(skip + interpolate(narrow(maps), scale_factor=2.0), told)
        maps = silu(modulated(normalised(maps), self.told_last(told)))
        return from_patches(self.leave(maps), self.patch)


class TimeWaves(nn.Module):
    """Time embedding by sines and cosines, linearly mixed (arXiv:1706.03762, section 3.5).

    Args:
        waves: Number of sines and cosines, twice the number of frequencies.
        told: Dimensions of the output.
    """

    def __init__(self, waves: int, told: int) -> None:
        super().__init__()
        half = waves // 2
        steps = torch.linspace(math.log(SLOWEST), math.log(FASTEST), half)
        self.frequencies: Tensor
        self.register_buffer("frequencies", steps.exp(), persistent=False)
        self.mix = nn.Sequential(nn.Linear(2 * half, told), nn.SiLU(), nn.Linear(told, told))

    def forward(self, times: Float[Tensor, " b"]) -> Float[Tensor, "b told"]:
        """Embeddings of times."""
        angles = rearrange(times, "b -> b 1") * self.frequencies
        mixed: Tensor = self.mix(torch.cat([angles.sin(), angles.cos()], 1))
        return mixed


class ToldBlock(nn.Module):
    """A residual block whose normalised maps are scaled and shifted by the condition.

    The second convolution starts at zero, so that the residual branch adds nothing at first.

    Args:
        inputs: Channels in.
        outputs: Channels out.
        told: Dimensions of the condition.
    """

    def __init__(self, inputs: int, outputs: int, told: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.told = nn.Linear(told, 2 * outputs)
        self.second = zeroed(nn.Conv2d(outputs, outputs, 3, padding=1))
        self.past = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, maps: Tensor, told: Float[Tensor, "b told"]) -> Tensor:
        """Maps of the same side."""
        inner = normalised(self.first(silu(normalised(maps))))
        changed: Tensor = self.past(maps) + self.second(silu(modulated(inner, self.told(told))))
        return changed


class Attention(nn.Module):
    """Self-attention over all places, with one head (Vaswani et al. 2017, arXiv:1706.03762).

    Args:
        channels: Channels in and out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ask = nn.Conv2d(channels, 3 * channels, 1)
        self.answer = zeroed(nn.Conv2d(channels, channels, 1))

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Maps of the same side."""
        asked = self.ask(normalised(maps))
        parts = rearrange(asked, "b (three c) h w -> three b 1 (h w) c", three=3)  # 1: the head
        seen = scaled_dot_product_attention(parts[0], parts[1], parts[2])
        answer = self.answer(rearrange(seen, "b 1 (h w) c -> b c h w", h=maps.shape[2]))
        found: Tensor = maps + answer
        return found


def normalised(maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    """Group norm of up to eight groups, without weights, since the next layer has its own."""
    return group_norm(maps, math.gcd(8, maps.shape[1]))


def modulated(maps: Float[Tensor, "b c h w"], told: Float[Tensor, "b two_c"]) -> Tensor:
    """Scale and shift each channel (Perez et al. 2018, arXiv:1709.07871, equation 2)."""
    scale, shift = rearrange(told, "b (two c) -> two b c 1 1", two=2)
    changed: Tensor = maps * (1.0 + scale) + shift
    return changed


def zeroed(layer: nn.Conv2d) -> nn.Conv2d:
    """Initialise a layer with zeros."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def sides_of(size: int, patch: int) -> list[int]:
    """Sides of the maps from the largest to the smallest, which is 4 to 8.

    Raises:
        DermaugError: The size cannot be halved to such a side.

    Example:
        >>> sides_of(64, 2)
        [32, 16, 8]
    """
    sides = [size // patch]
    while sides[-1] > LARGEST_ATTENDING and sides[-1] % 2 == 0:
        sides.append(sides[-1] // 2)
    if size % patch or not SMALLEST <= sides[-1] <= LARGEST_ATTENDING:
        raise DermaugError(
            f"flow needs a size that is its patch ({patch}) times 4 to 8 times a power of two; "
            f"data.size is {size}; common sizes are 32, 48, 64, 96 and 128"
        )
    return sides
