"""Differentiable augmentation of all that a critic sees, with an adaptive strength.

Zhao et al. 2020 (arXiv:2006.10738) augment real and generated images alike, so that the critic
cannot learn the training images by heart; Karras et al. 2020 (arXiv:2006.06676) apply each change
with a probability that follows the critic's overfitting.
"""

import math

import torch
from torch import Generator, Tensor, nn

from dermaug.data.augmentation import (
    Batch,
    colour_jitter,
    per_image,
    random_affine,
    resample,
    unit,
)


def augment(images: Batch, random: Generator, strength: Tensor | float) -> Batch:
    """Geometry, colour and a blank square, each drawn for each image with probability `strength`.

    Colour is diagnostic: brightness, contrast and saturation vary by 15 %, hue not at all.

    Args:
        images: In [-1, 1].
        random: On the images' device.
        strength: 0 changes nothing, 1 changes every image in all three ways.
    """
    images = _move(images, random, strength)
    images = _colour(images, random, strength)
    return _blank(images, random, strength)


class Strength(nn.Module):
    """The probability of each change, raised while the critic tells real images too surely.

    Karras et al. 2020, section 3.1: the sign of the critic's verdict on real images, averaged, is
    held at a target. A relativistic critic has no zero, so that signs are taken from the middle
    between the means of real and generated images.

    Args:
        target: Mean sign to hold, 0 to 1.
        images: Images shown in which the probability may go from 0 to 1.
        start: Where it begins.
        most: What it never exceeds.
    """

    def __init__(
        self, target: float = 0.6, images: float = 10_000, start: float = 0.0, most: float = 0.8
    ) -> None:
        super().__init__()
        self.target, self.images, self.most = target, images, most
        self.probability: Tensor
        self.register_buffer("probability", torch.tensor(start))

    @torch.no_grad()
    def follow(self, real: Tensor, fake: Tensor) -> Tensor:
        """Move one step by the logits of a batch; gives the mean sign. Nothing waits for it."""
        middle = 0.5 * (real.mean() + fake.mean())
        sign = (real - middle).sign().mean()
        move = (sign - self.target).sign() * len(real) / self.images
        self.probability.add_(move).clamp_(0.0, self.most)
        return sign


def _chosen(images: Batch, random: Generator, strength: Tensor | float) -> Tensor:
    return unit(images, random) < strength


def _move(images: Batch, random: Generator, strength: Tensor | float) -> Batch:
    drawn = random_affine(images, random, angle=math.pi, shift=0.25, scale=(0.8, 1.25))
    same = torch.eye(2, 3, device=images.device).expand_as(drawn)
    chosen = _chosen(images, random, strength)
    return resample(images, torch.where(chosen[:, None, None], drawn, same))


def _colour(images: Batch, random: Generator, strength: Tensor | float) -> Batch:
    changed = colour_jitter(0.5 * (images + 1.0), random, 0.15, 0.15, 0.15) * 2.0 - 1.0
    return torch.where(per_image(_chosen(images, random, strength)), changed, images)


def _blank(images: Batch, random: Generator, strength: Tensor | float) -> Batch:
    """A square of half the side, its centre anywhere, becomes mid-grey."""
    side = images.shape[-1]
    pixels = torch.arange(side, device=images.device) + 0.5
    rows, columns = (
        (pixels - side * unit(images, random)[:, None]).abs() <= 0.25 * side for _ in range(2)
    )
    box = rows[:, None, :, None] & columns[:, None, None, :]
    return torch.where(box & per_image(_chosen(images, random, strength)), 0.0, images)
