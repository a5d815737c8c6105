"""What a family's critic sees in images: its convolutions' outputs, max-pooled to 4x4.

Radford et al. 2015 (arXiv:1511.06434, section 5): all layers, pooled, flattened and joined.
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


def has_critic(family: type[Family]) -> bool:
    """Whether the family judges how real images are."""
    return family.realness is not Family.realness


def critic_layers(family: Family) -> list[nn.Conv2d]:
    """The convolutions of all networks but the sampler, in the order they were built in."""
    return [
        layer
        for name, network in family.named_children()
        if not isinstance(network, Sampler)
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d)
    ]


def critic_features(family: Family, bank: ImageBank, seed: int = 0) -> Float[np.ndarray, "n d"]:
    """Features of images, float32, in the bank's order.

    The class is not told: every image is judged as one of class 0. Some critics look at the spread
    of a batch, so batches are drawn at random: neighbours shall tell nothing of the class either.

    Args:
        family: With a critic, in evaluation mode on the bank's device.
        bank: At least one image.
        seed: Of the batches.

    Raises:
        DermaugError: The family has no critic, one without convolutions, or one whose pretrained
            weights cannot be had.
    """
    family.prepare()
    order = np.random.default_rng(seed).permutation(len(bank))
    parts = []
    with torch.inference_mode(), _watched(critic_layers(family)) as seen:
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
    """A list that gets each layer's pooled output as it is computed."""
    seen: list[Tensor] = []

    def note(_layer: nn.Module, _given: object, maps: Tensor) -> None:
        # Maps below 4x4 stay as they are.
        grid = (min(GRID, maps.shape[2]), min(GRID, maps.shape[3]))
        seen.append(adaptive_max_pool2d(maps, grid).flatten(1))

    hooks = [layer.register_forward_hook(note) for layer in layers]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()
