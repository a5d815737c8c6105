"""TrivialAugment (Mueller and Hutter, arXiv:2103.10158): one random operation an image.

The wide space of operations, each with a strength per image. On CPUs images are grouped by
operation; elsewhere all operations are applied to all images, because to know the groups would mean
to wait for the device.
"""

import math
from collections.abc import Callable

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Generator, Tensor
from torch.nn.functional import affine_grid, grid_sample

Batch = Float[Tensor, "b 3 h w"]
Strength = Float[Tensor, "b 1 1 1"]
"""Uniform in [-1, 1]; its sign matters where an operation has a direction."""
Operation = Callable[[Batch, Strength], Batch]


def trivial_augment(images: Batch, random: Generator) -> Batch:
    """Apply one operation of random strength to each image in [0, 1]."""
    device, number = images.device, len(images)
    chosen = torch.randint(len(OPERATIONS), (number,), generator=random, device=device)
    strength = torch.rand(number, 1, 1, 1, generator=random, device=device) * 2.0 - 1.0
    return (by_group if device.type == "cpu" else all_at_once)(images, chosen, strength)


def by_group(images: Batch, chosen: Int[Tensor, " b"], strength: Strength) -> Batch:
    """Apply each operation to the images that chose it."""
    changed = images.clone()
    for index, operation in enumerate(OPERATIONS.values()):
        rows = (chosen == index).nonzero().flatten()
        if len(rows):
            changed[rows] = operation(images[rows], strength[rows]).clamp(0.0, 1.0)
    return changed


def all_at_once(images: Batch, chosen: Int[Tensor, " b"], strength: Strength) -> Batch:
    """Apply all operations to all images and keep the chosen one of each, without waiting."""
    changed = images
    for index, operation in enumerate(OPERATIONS.values()):
        seen = operation(images, strength).clamp(0.0, 1.0)
        changed = torch.where((chosen == index).reshape(-1, 1, 1, 1), seen, changed)
    return changed


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


def _rotated(images: Batch, strength: Strength) -> Batch:
    angle = math.radians(135.0) * strength
    return _moved(images, a=angle.cos(), b=-angle.sin(), c=angle.sin(), d=angle.cos())


def _blended(images: Batch, other: Tensor | float, strength: Strength) -> Batch:
    """From `other` (factor 0) over the images (1) and beyond: a factor of 0.01 to 1.99."""
    return other + (images - other) * (1.0 + 0.99 * strength)


def _posterized(images: Batch, strength: Strength) -> Batch:
    levels = 2.0 ** (8.0 - (6.0 * strength.abs()).round())
    return (images * 255.0 / 256.0 * levels).floor() / (levels - 1.0)


def _autocontrasted(images: Batch) -> Batch:
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    return torch.where(high > low, (images - low) / (high - low).clamp_min(1e-6), images)


def _sharpened(images: Batch, strength: Strength) -> Batch:
    from torchvision.transforms.v2.functional import gaussian_blur  # a second to import

    return _blended(images, gaussian_blur(images, [3, 3]), strength)


def _equalized(images: Batch) -> Batch:
    from torchvision.transforms.v2.functional import equalize

    flat: Tensor = equalize((images * 255.0).round().to(torch.uint8))
    return torch.as_tensor(flat.to(images.dtype) / 255.0)


OPERATIONS: dict[str, Operation] = {
    "identity": lambda x, strength: x,
    "shear_x": lambda x, strength: _moved(x, b=0.99 * strength),
    "shear_y": lambda x, strength: _moved(x, c=0.99 * strength),
    "translate_x": lambda x, strength: _moved(x, right=strength),  # to half a side
    "translate_y": lambda x, strength: _moved(x, down=strength),
    "rotate": _rotated,  # to 135 degrees
    "brightness": lambda x, strength: x * (1.0 + 0.99 * strength),
    "saturation": lambda x, strength: _blended(x, x.mean(1, keepdim=True), strength),
    "contrast": lambda x, strength: _blended(x, x.mean((1, 2, 3), keepdim=True), strength),
    "sharpness": _sharpened,
    "posterize": _posterized,  # to the 8 to 2 highest bits
    "solarize": lambda x, strength: torch.where(x >= 1.0 - strength.abs(), 1.0 - x, x),
    "autocontrast": lambda x, strength: _autocontrasted(x),  # each channel over the whole range
    "equalize": lambda x, strength: _equalized(x),  # each channel's histogram
}
