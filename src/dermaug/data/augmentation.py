"""Classic augmentation of whole batches on the device; every image gets its own parameters.

Flips, rotations, shifts and scales are combined into one affine map per image, resampled once.
"""

import math
from collections.abc import Callable, Iterator

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn.functional import affine_grid, grid_sample

from dermaug.data.trivial_augment import trivial_augment

Batch = Float[Tensor, "b 3 h w"]
Targets = Float[Tensor, "b classes"]
Affine = Float[Tensor, "b 2 3"]
ImagePolicy = Callable[[Batch, Generator], Batch]
Policy = Callable[[Batch, Targets, Generator], tuple[Batch, Targets]]


def none(images: Batch, random: Generator) -> Batch:
    """Return the images unchanged."""
    return images


def dihedral(images: Batch, random: Generator) -> Batch:
    """Each image in one of its eight flips and quarter turns, without resampling."""
    flip, mirror, transpose = (unit(images, random) < 0.5 for _ in range(3))
    images = torch.where(per_image(flip), images.flip(2), images)
    images = torch.where(per_image(mirror), images.flip(3), images)
    return torch.where(per_image(transpose), images.transpose(2, 3), images)


def orientations(images: Batch, number: int = 8) -> Iterator[Batch]:
    """All images in the first of their eight flips and quarter turns, one after the other.

    Args:
        images: Square; they come first, as they are.
        number: 1 to 8.
    """
    for place in range(number):
        seen = images.flip(3) if place >= 4 else images
        yield seen.rot90(place % 4, (2, 3)) if place % 4 else seen


def fridadar(images: Batch, random: Generator) -> Batch:
    """Rotation to 180 degrees, flip, shift to 4 pixels, scale (Frid-Adar et al. 2018, II-B).

    They drew 480 fixed variants per lesion; here every showing draws new values from these ranges.
    """
    side = images.shape[-1]
    shift = min(4.0, 0.1 * side) * 2.0 / side
    return resample(
        images, random_affine(images, random, angle=math.pi, shift=shift, scale=(0.8, 1.2))
    )


def standard(images: Batch, random: Generator) -> Batch:
    """Any rotation, flip, shift up to 10 %, scale 0.8 to 1.25 and mild colour changes.

    Colour is diagnostic: brightness, contrast and saturation vary by 15 %, hue does not vary.
    """
    affine = random_affine(images, random, angle=math.pi, shift=0.2, scale=(0.8, 1.25))
    return colour_jitter(resample(images, affine), random)


def colour_jitter(images: Batch, random: Generator, most: float = 0.15) -> Batch:
    """Scale brightness, contrast and saturation of each image by 1 plus or minus up to `most`."""
    light, spread, vivid = (per_image(1.0 + most * symmetric(images, random)) for _ in range(3))
    grey = images.mean(1, keepdim=True)
    images = grey + (images - grey) * vivid
    level = images.mean((1, 2, 3), keepdim=True)
    return (level + (images - level) * spread).mul(light).clamp(0.0, 1.0)


def mixup(images: Batch, targets: Targets, random: Generator) -> tuple[Batch, Targets]:
    """Blend each image and its target with another's (Zhang et al., arXiv:1710.09412, equation 1).

    The share is uniform, Beta(1, 1); images get the standard policy first.
    """
    images = standard(images, random)
    share, partner = unit(images, random), _partner(images, random)
    mixed = torch.lerp(images[partner], images, per_image(share))
    return mixed, torch.lerp(targets[partner], targets, share[:, None])


def cutmix(images: Batch, targets: Targets, random: Generator) -> tuple[Batch, Targets]:
    """Paste a box of another image, its target by its area (Yun et al., arXiv:1905.04899, eq. 1-2).

    Images get the standard policy first.
    """
    images = standard(images, random)
    share, partner = unit(images, random), _partner(images, random)
    side = images.shape[-1]
    half = 0.5 * side * (1.0 - share).sqrt()
    rows, columns = (_inside(side * unit(images, random), half, side) for _ in range(2))
    box = rearrange(rows, "b h -> b 1 h 1") & rearrange(columns, "b w -> b 1 1 w")
    kept = 1.0 - box.float().mean((1, 2, 3))
    mixed = torch.where(box, images[partner], images)
    return mixed, torch.lerp(targets[partner], targets, kept[:, None])


def _keeping_targets(policy: ImagePolicy) -> Policy:
    return lambda images, targets, random: (policy(images, random), targets)


POLICIES: dict[str, Policy] = {
    "none": _keeping_targets(none),
    "fridadar": _keeping_targets(fridadar),
    "standard": _keeping_targets(standard),
    "trivial": _keeping_targets(trivial_augment),
    "mixup": mixup,
    "cutmix": cutmix,
}
"""Name in experiment files -> function of images, one-hot targets and a random generator."""


def _partner(images: Batch, random: Generator) -> Tensor:
    return torch.randperm(len(images), generator=random, device=images.device)


def _inside(centre: Tensor, half: Tensor, side: int) -> Tensor:
    """Which of `side` pixels lie within `half` of the centre, one row per image."""
    pixels = torch.arange(side, device=centre.device) + 0.5
    return (pixels - centre[:, None]).abs() <= half[:, None]


def random_affine(
    images: Batch, random: Generator, *, angle: float, shift: float, scale: tuple[float, float]
) -> Affine:
    """Maps from output to input coordinates, both in [-1, 1]; half of them mirror the image.

    Args:
        images: One map is drawn for each.
        random: Source of the draws.
        angle: Largest rotation to either side, in radians.
        shift: Largest shift, as a share of half a side.
        scale: Smallest and largest magnification.
    """
    turn = angle * symmetric(images, random)
    low, high = math.log(scale[0]), math.log(scale[1])
    size = torch.exp(low + (high - low) * 0.5 * (1.0 + symmetric(images, random)))
    mirror = torch.where(symmetric(images, random) < 0.0, -1.0, 1.0)
    cos, sin = turn.cos() / size, turn.sin() / size
    right, down = (shift * symmetric(images, random) for _ in range(2))
    rows = [torch.stack([cos * mirror, -sin, right], 1), torch.stack([sin * mirror, cos, down], 1)]
    return torch.stack(rows, 1)  # b 2 3


def resample(images: Batch, affine: Affine) -> Batch:
    """Images seen through one affine map each, from output to input coordinates."""
    grid = affine_grid(affine, list(images.shape), align_corners=False)
    # Reflection fills the corners with skin, where zeros would give black triangles.
    return grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def unit(images: Batch, random: Generator) -> Float[Tensor, " b"]:
    """One number per image, uniform in [0, 1]."""
    return torch.rand(len(images), generator=random, device=images.device)


def symmetric(images: Batch, random: Generator) -> Float[Tensor, " b"]:
    """One number per image, uniform in [-1, 1]."""
    return unit(images, random) * 2.0 - 1.0


def per_image(values: Tensor) -> Tensor:
    """One value per image, shaped so that it multiplies the images."""
    return rearrange(values, "b -> b 1 1 1")
