"""Features of a family's discriminator: the outputs of its convolutions, max-pooled to 4x4.

As in Radford et al. 2015 (arXiv:1511.06434, section 5), all layers are pooled, flattened and
concatenated.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import adaptive_max_pool2d

from dermaug.data.image_bank import ImageBank
from dermaug.errors import DermaugError
from dermaug.generators.family import Family, Sampler

GRID = 4
BATCH = 64


def has_discriminator(family: type[Family]) -> bool:
    """Whether the family has a discriminator."""
    return family.realness is not Family.realness


def discriminator_layers(family: Family) -> list[nn.Conv2d]:
    """The convolutions of all networks except the sampler, in the order of their construction."""
    return [
        layer
        for name, network in family.named_children()
        if not isinstance(network, Sampler)
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d)
    ]


def discriminator_features(
    family: Family, bank: ImageBank, seed: int = 0
) -> Float[np.ndarray, "n d"]:
    """Compute features of images, float32, in the bank's order.

    The features do not depend on the true class: every image is passed as one of class 0. Some
    discriminators use the spread of a batch, so batches are drawn at random and the other images of
    a batch reveal nothing about the class either.

    Args:
        family: A family with a discriminator, in evaluation mode on the bank's device.
        bank: At least one image.
        seed: Seed of the batches.

    Raises:
        DermaugError: The family has no discriminator, its discriminator has no convolutions, or
            its pretrained weights cannot be loaded.
    """
    family.prepare()
    order = np.random.default_rng(seed).permutation(len(bank))
    parts = []
    with torch.inference_mode(), _watched(discriminator_layers(family)) as seen:
        for start in range(0, len(bank), BATCH):
            images, labels = bank.batch(order[start : start + BATCH])
            verdict = family.realness(images * 2.0 - 1.0, torch.zeros_like(labels))
            if verdict is None or not seen:
                raise DermaugError(
                    "expected a generator with a convolutional discriminator; this family has none"
                )
            parts.append(torch.cat(seen, dim=1).float().cpu().numpy())
            seen.clear()
    features = np.concatenate(parts)
    return np.asarray(features[np.argsort(order)])


@contextmanager
def _watched(layers: list[nn.Conv2d]) -> Iterator[list[Float[Tensor, "b d"]]]:
    """Yield a list to which each layer's pooled output is appended when computed."""
    seen: list[Tensor] = []

    def note(_layer: nn.Module, _given: object, maps: Tensor) -> None:
        # Maps smaller than 4x4 are not pooled.
        grid = (min(GRID, maps.shape[2]), min(GRID, maps.shape[3]))
        seen.append(adaptive_max_pool2d(maps, grid).flatten(1))

    hooks = [layer.register_forward_hook(note) for layer in layers]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()
