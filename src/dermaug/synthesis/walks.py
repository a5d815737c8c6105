"""Walks through a generator's latents (Radford et al. 2015, arXiv:1511.06434, section 6.1).

A generator that has learnt what lesions are changes its image little by little along the way. One
that learnt some images by heart jumps from one to the next.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from dermaug.generators.family import Sampler, draw
from dermaug.synthesis.latent_space import latents_of, lies_in_cube, spherical, straight

STEPS = 11


@dataclass(frozen=True, eq=False)
class Walk:
    """The images of one way.

    Args:
        start: What is drawn at its beginning, in words.
        end: Likewise at its end.
        images: From start to end, both included.
    """

    start: str
    end: str
    images: UInt8[np.ndarray, "n s s 3"]

    @property
    def steps(self) -> Float[np.ndarray, " m"]:
        """Root mean square difference of neighbours, in grey levels, 0 to 255."""
        change = np.diff(self.images.astype(np.float64), axis=0)
        return np.asarray(np.sqrt(np.square(change).mean(axis=(1, 2, 3))))

    @property
    def length(self) -> float:
        """Root mean square difference of the two ends, in grey levels."""
        first, last = self.images[[0, -1]].astype(np.float64)
        return float(np.sqrt(np.square(last - first).mean()))

    @property
    def jump(self) -> float:
        """Largest step over the mean one: 1 for even steps, their number for one sudden change.

        NaN where nothing changes.
        """
        return float(self.steps.max() / self.steps.mean()) if self.steps.any() else float("nan")


def walk_latents(
    sampler: Sampler, label: int, name: str, number: int, seed: int, steps: int = STEPS
) -> list[Walk]:
    """Walks between random latents of one class, each from where the last one ended.

    Args:
        sampler: In evaluation mode.
        label: Index of the class.
        name: What it is called.
        number: How many walks.
        seed: Of the latents.
        steps: Steps of each.
    """
    way = straight if lies_in_cube(sampler) else spherical
    stops = latents_of(sampler, number + 1, "walk", seed, label)
    walks = []
    for start, end in pairwise(stops):
        latents = way(start, end, steps)
        labels = torch.full((len(latents),), label, device=latents.device)
        walks.append(Walk(name, name, draw(sampler, latents, labels)))
    return walks


def walk_classes(
    sampler: Sampler, classes: tuple[str, ...], seed: int, steps: int = STEPS
) -> list[Walk]:
    """Walks from each class to the next, and from the last to the first, at one latent.

    Args:
        sampler: In evaluation mode; one that embeds its class.
        classes: Names by label.
        seed: Of the latent.
        steps: Steps of each.

    Returns:
        Nothing where the sampler has a single class, or tells it other than by an embedding.
    """
    embedding = class_embedding(sampler, len(classes))
    if embedding is None or len(classes) < 2:
        return []
    latents = latents_of(sampler, 1, "class walk", seed).expand(steps + 1, -1)
    ways = straight(latents.new_zeros(1), latents.new_ones(1), steps)[:, 0]
    walks = []
    for start, name in enumerate(classes):
        end = (start + 1) % len(classes)
        labels = torch.full((steps + 1,), start, device=latents.device)
        with _mixed(embedding, start, end, ways):
            walks.append(Walk(name, classes[end], draw(sampler, latents, labels)))
    return walks[: -1 if len(classes) == 2 else None]


def class_embedding(sampler: Sampler, num_classes: int) -> nn.Embedding | None:
    """The one table in which a sampler looks its classes up; None without a single such table."""
    tables = [
        module
        for module in sampler.modules()
        if isinstance(module, nn.Embedding) and module.num_embeddings >= num_classes
    ]
    return tables[0] if len(tables) == 1 else None


@contextmanager
def _mixed(
    embedding: nn.Embedding, start: int, end: int, shares: Float[Tensor, " n"]
) -> Iterator[None]:
    """Let the k-th image of class `start` be of class `end` by its share."""

    def mix(table: nn.Embedding, given: tuple[Int[Tensor, " b"]], told: Tensor) -> Tensor:
        # A sampler may also ask for no class in particular: those rows stay.
        rows = given[0] == start
        first, last = table.weight[start], table.weight[end]
        told = told.clone()
        told[rows] = ((1.0 - shares[:, None]) * first + shares[:, None] * last).to(told.dtype)
        return told

    hook = embedding.register_forward_hook(mix)
    try:
        yield
    finally:
        hook.remove()
