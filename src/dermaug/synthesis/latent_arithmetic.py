"""Latent arithmetic with the direction of large lesions (Radford et al. 2015, section 6.3.2).

Radford et al. sorted faces by eye; here images are sorted by a measure. A direction is the mean of
the three latents with the largest values minus the mean of the three with the smallest. Whether it
has a meaning is tested with control directions between unsorted triples.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import normalize

from dermaug.generators.family import Sampler, draw
from dermaug.seeding import derive_seed
from dermaug.synthesis.walks import latents_of, lies_in_cube

FEW = 3
"""Number of latents in each mean, as published."""
SORTED = 192
FRESH = 32
CONTROLS = 9
SHOWN = 12
BATCH = 64


@dataclass(frozen=True, eq=False)
class Arithmetic:
    """Effect of one direction on images that were not used to find it.

    Args:
        spread: Standard deviation of the measure among generated images, its natural unit.
        before: Mean measure of the new images.
        raised: Mean change by adding the direction.
        lowered: Mean change by subtracting the direction.
        controls: Mean change by each unsorted direction of the same length.
        images: Rows of the sheet: direction subtracted, new images, direction added, first
            control added.
    """

    spread: float
    before: float
    raised: float
    lowered: float
    controls: Float[np.ndarray, " c"]
    images: UInt8[np.ndarray, "4 n s s 3"]


def add_direction(
    sampler: Sampler,
    label: int,
    measure: Callable[[UInt8[np.ndarray, "n s s 3"]], Float[np.ndarray, " n"]],
    seed: int,
) -> Arithmetic:
    """Sort generated images by a measure, and add the direction of the largest to new latents.

    Args:
        sampler: Sampler in evaluation mode.
        label: Index of the class.
        measure: Function that returns one number per image.
        seed: Seed of all latents.
    """
    known = latents_of(sampler, SORTED, "sorted", seed, label)
    fresh = latents_of(sampler, FRESH, "fresh", seed, label)
    values = measure(_draw(sampler, known, label))
    direction = direction_of(known, values)
    controls = control_directions(known, float(direction.norm()), seed)
    moves = [-direction, torch.zeros_like(direction), direction, *controls]
    cube = lies_in_cube(sampler)
    rows = [_draw(sampler, put_back(fresh + move, fresh, cube=cube), label) for move in moves]
    lowered, before, raised, *others = (float(measure(row).mean()) for row in rows)
    return Arithmetic(
        spread=float(values.std()),
        before=before,
        raised=raised - before,
        lowered=lowered - before,
        controls=np.array(others) - before,
        images=np.stack([row[:SHOWN] for row in rows[:4]]),
    )


def direction_of(
    latents: Float[Tensor, "n latent"], values: Float[np.ndarray, " n"]
) -> Float[Tensor, " latent"]:
    """Mean of the `FEW` latents with the largest values minus that of those with the smallest."""
    order = torch.from_numpy(np.argsort(values, kind="stable")).to(latents.device)
    return latents[order[-FEW:]].mean(0) - latents[order[:FEW]].mean(0)


def control_directions(
    latents: Float[Tensor, "n latent"], length: float, seed: int
) -> Float[Tensor, "c latent"]:
    """Directions of a given length between random triples."""
    random = np.random.default_rng(derive_seed("controls", seed))
    found = [direction_of(latents, random.permutation(len(latents))) for _ in range(CONTROLS)]
    return length * normalize(torch.stack(found))


def put_back(
    moved: Float[Tensor, "n latent"], origin: Float[Tensor, "n latent"], *, cube: bool
) -> Float[Tensor, "n latent"]:
    """Project latents after arithmetic back to the support of their distribution.

    Args:
        moved: Latents after arithmetic.
        origin: Latents before arithmetic.
        cube: Whether to clip at -1 and 1; otherwise each gets the length of its origin.
    """
    if cube:
        return moved.clamp(-1.0, 1.0)
    lengths: Tensor = torch.linalg.vector_norm(origin, dim=1, keepdim=True)
    return lengths * normalize(moved)


def _draw(
    sampler: Sampler, latents: Float[Tensor, "n latent"], label: int
) -> UInt8[np.ndarray, "n s s 3"]:
    labels = torch.full((len(latents),), label, device=latents.device)
    parts = zip(torch.split(latents, BATCH), torch.split(labels, BATCH), strict=True)
    return np.concatenate([draw(sampler, *part) for part in parts])
