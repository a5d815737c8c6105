"""Differentiable augmentation of all images shown to a discriminator, with adaptive strength.

Zhao et al. 2020 (arXiv:2006.10738) augment real and generated images alike, so that the
discriminator cannot memorise the training images. Karras et al. 2020 (arXiv:2006.06676) apply each
augmentation with a probability that adapts to the discriminator's overfitting.
"""

import math

import torch
from torch import Generator, Tensor, nn

from dermaug.data.augmentation import Batch, colour_jitter, per_image, random_affine, resample, unit


def augment(images: Batch, random: Generator, strength: Tensor | float) -> Batch:
    """Apply geometry, colour and a blank square to each image, each with probability `strength`.

    Colour is diagnostic, so brightness, contrast and saturation vary by only 15 % and hue does not
    vary.

    Args:
        images: Images in [-1, 1].
        random: Generator on the images' device.
        strength: 0 changes nothing, 1 applies all three augmentations to every image.
    """
    images = _move(images, random, strength)
    images = _colour(images, random, strength)
    return _blank(images, random, strength)


class Strength(nn.Module):
    """The probability of each augmentation, raised while the discriminator overfits.

    As in Karras et al. 2020, section 3.1, the mean sign of the discriminator's logits of real
    images is held at a target. The logits of a relativistic discriminator have no natural zero, so
    signs are relative to the midpoint between the means of real and generated images.

    Args:
        target: Target of the mean sign, 0 to 1.
        images: Smallest number of images shown in which the probability goes from 0 to 1.
        start: Initial probability.
        most: Largest probability.
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
        """Adapt to the logits of a batch and return the mean sign, without synchronisation."""
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
    changed = colour_jitter(0.5 * (images + 1.0), random) * 2.0 - 1.0
    return torch.where(per_image(_chosen(images, random, strength)), changed, images)


def _blank(images: Batch, random: Generator, strength: Tensor | float) -> Batch:
    """Fill a square of half the side, with its centre anywhere, with mid-grey."""
    side = images.shape[-1]
    pixels = torch.arange(side, device=images.device) + 0.5
    rows, columns = (
        (pixels - side * unit(images, random)[:, None]).abs() <= 0.25 * side for _ in range(2)
    )
    box = rows[:, None, :, None] & columns[:, None, None, :]
    return torch.where(box & per_image(_chosen(images, random, strength)), 0.0, images)
