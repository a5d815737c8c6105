"""TrivialAugment (Mueller and Hutter, arXiv:2103.10158): one random operation an image.

The wide space of operations. Images are grouped by operation, and each has a strength of its own.
"""

import math
from collections.abc import Callable

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn.functional import affine_grid, grid_sample
from torchvision.transforms.v2.functional import equalize, gaussian_blur

Batch = Float[Tensor, "b 3 h w"]
Strength = Float[Tensor, "b 1 1 1"]
"""Uniform in [-1, 1]; its sign matters where an operation has a direction."""
Operation = Callable[[Batch, Strength], Batch]


def trivial_augment(images: Batch, random: Generator) -> Batch:
    """Apply one operation of random strength to each image in [0, 1]."""
    device, number = images.device, len(images)
    chosen = torch.randint(len(OPERATIONS), (number,), generator=random, device=device)
    strength = torch.rand(number, 1, 1, 1, generator=random, device=device) * 2.0 - 1.0
    changed = images.clone()
    for index, operation in enumerate(OPERATIONS):
        rows = (chosen == index).nonzero().flatten()
        if len(rows):
            changed[rows] = operation(images[rows], strength[rows]).clamp(0.0, 1.0)
    return changed


def identity(images: Batch, strength: Strength) -> Batch:
    """The images as they are."""
    return images


def shear_x(images: Batch, strength: Strength) -> Batch:
    """Horizontal shear to 0.99."""
    return _moved(images, b=0.99 * strength)


def shear_y(images: Batch, strength: Strength) -> Batch:
    """Vertical shear to 0.99."""
    return _moved(images, c=0.99 * strength)


def translate_x(images: Batch, strength: Strength) -> Batch:
    """Horizontal shift to half a side."""
    return _moved(images, right=strength)


def translate_y(images: Batch, strength: Strength) -> Batch:
    """Vertical shift to half a side."""
    return _moved(images, down=strength)


def rotate(images: Batch, strength: Strength) -> Batch:
    """Rotation to 135 degrees."""
    angle = math.radians(135.0) * strength
    return _moved(images, a=angle.cos(), b=-angle.sin(), c=angle.sin(), d=angle.cos())


def brightness(images: Batch, strength: Strength) -> Batch:
    """Blend with black, factor 0.01 to 1.99."""
    return images * (1.0 + 0.99 * strength)


def saturation(images: Batch, strength: Strength) -> Batch:
    """Blend with grey, factor 0.01 to 1.99."""
    grey = images.mean(1, keepdim=True)
    return grey + (images - grey) * (1.0 + 0.99 * strength)


def contrast(images: Batch, strength: Strength) -> Batch:
    """Blend with the mean, factor 0.01 to 1.99."""
    level = images.mean((1, 2, 3), keepdim=True)
    return level + (images - level) * (1.0 + 0.99 * strength)


def sharpness(images: Batch, strength: Strength) -> Batch:
    """Blend with a blurred copy, factor 0.01 to 1.99."""
    blurred: Tensor = gaussian_blur(images, [3, 3])
    return blurred + (images - blurred) * (1.0 + 0.99 * strength)


def posterize(images: Batch, strength: Strength) -> Batch:
    """Keep the 8 to 2 highest bits of each value."""
    levels = 2.0 ** (8.0 - (6.0 * strength.abs()).round())
    return (images * 255.0 / 256.0 * levels).floor() / (levels - 1.0)


def solarize(images: Batch, strength: Strength) -> Batch:
    """Invert values above a threshold of 1 down to 0."""
    return torch.where(images >= 1.0 - strength.abs(), 1.0 - images, images)


def autocontrast(images: Batch, strength: Strength) -> Batch:
    """Stretch each channel to the whole range."""
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    return torch.where(high > low, (images - low) / (high - low).clamp_min(1e-6), images)


def equalized(images: Batch, strength: Strength) -> Batch:
    """Flatten each channel's histogram."""
    levels = (images * 255.0).round().to(torch.uint8)
    flat: Tensor = equalize(levels)
    return torch.as_tensor(flat.to(images.dtype) / 255.0)


OPERATIONS: tuple[Operation, ...] = (
    identity,
    shear_x,
    shear_y,
    translate_x,
    translate_y,
    rotate,
    brightness,
    saturation,
    contrast,
    sharpness,
    posterize,
    solarize,
    autocontrast,
    equalized,
)


def _moved(
    images: Batch,
    a: Tensor | float = 1.0,
    b: Tensor | float = 0.0,
    c: Tensor | float = 0.0,
    d: Tensor | float = 1.0,
    right: Tensor | float = 0.0,
    down: Tensor | float = 0.0,
) -> Batch:
    """Resample by x' = a x + b y + right, y' = c x + d y + down, in coordinates of [-1, 1]."""
    ones = images.new_ones(len(images), 1, 1, 1)
    entries = [ones * entry for entry in (a, b, right, c, d, down)]
    affine = rearrange(torch.cat(entries, 1), "b (r k) 1 1 -> b r k", r=2)  # b 2 3
    grid = affine_grid(affine, list(images.shape), align_corners=False)
    return grid_sample(images, grid, padding_mode="reflection", align_corners=False)
