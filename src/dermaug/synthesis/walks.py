"""Latent interpolation (Radford et al. 2015, arXiv:1511.06434, section 6.1).

The images of a generator that has learnt what lesions are change gradually along a path. A
generator that has memorised images jumps from one to the next.
"""

from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Generator, Tensor
from torch.nn.functional import normalize

from dermaug.generators.family import Sampler, draw
from dermaug.seeding import derive_seed

STEPS = 11
_ASKED = 64


def latents_of(sampler: Sampler, number: int, *seed: str | int) -> Float[Tensor, "n latent"]:
    """Draw latents from the sampler's own distribution, on its device."""
    device = next(sampler.parameters()).device
    return sampler.draw_latents(number, Generator(device).manual_seed(derive_seed(*seed)))


def lies_in_cube(sampler: Sampler) -> bool:
    """Whether latents are bounded by -1 and 1 (uniform) or unbounded (normal)."""
    return bool(latents_of(sampler, _ASKED, "bounds").abs().max() <= 1.0)


def straight(
    start: Float[Tensor, " latent"], end: Float[Tensor, " latent"], steps: int
) -> Float[Tensor, "n latent"]:
    """`steps` + 1 points at equal distances on the line from `start` to `end`."""
    share = torch.linspace(0.0, 1.0, steps + 1, device=start.device)[:, None]
    return (1.0 - share) * start + share * end


def spherical(
    start: Float[Tensor, " latent"], end: Float[Tensor, " latent"], steps: int
) -> Float[Tensor, "n latent"]:
    """`steps` + 1 points at equal angles from `start` to `end` (Shoemake 1985, section 3.3).

    Normal latents lie near a sphere; the middle of a straight line would lie far inside, where the
    network was not trained. Latents with the same or opposite directions are joined by a straight
    line.
    """
    angle = (normalize(start, dim=0) @ normalize(end, dim=0)).clamp(-1.0, 1.0).acos()
    if angle.sin().abs() < 1e-4:
        return straight(start, end, steps)
    share = torch.linspace(0.0, 1.0, steps + 1, device=start.device)[:, None]
    weights = ((1.0 - share) * angle).sin(), (share * angle).sin()
    walk: Tensor = (weights[0] * start + weights[1] * end) / angle.sin()
    walk[0], walk[-1] = start, end  # exactly, without rounding errors
    return walk


def walk_latents(
    sampler: Sampler, label: int, number: int, seed: int, steps: int = STEPS
) -> UInt8[np.ndarray, "w n s s 3"]:
    """Images of paths between random latents of one class, each starting at the end of the last.

    Args:
        sampler: In evaluation mode.
        label: Index of the class.
        number: Number of paths.
        seed: Seed of the latents.
        steps: Number of steps per path, which has one image more.
    """
    paths = walk(sampler, label, number, seed, steps)
    labels = torch.full((steps + 1,), label, device=paths.device)
    return np.stack([draw(sampler, path, labels) for path in paths])


def walk(
    sampler: Sampler, label: int, number: int, seed: int, steps: int = STEPS
) -> Float[Tensor, "w n latent"]:
    """The latents of `walk_latents`, with its arguments."""
    way = straight if lies_in_cube(sampler) else spherical
    stops = latents_of(sampler, number + 1, "walk", seed, label)
    return torch.stack([way(*ends, steps) for ends in pairwise(stops)])


def alike(
    sampler: Sampler, latent: Float[Tensor, " latent"], number: int, seed: int, tenths: int
) -> Float[Tensor, "n latent"]:
    """Latents near one: each some way from it to another random latent.

    Args:
        sampler: Its sampler.
        latent: The latent.
        number: Number of latents.
        seed: Seed of the others.
        tenths: How far each lies, in tenths of the way to the other, 1 to 10.
    """
    way = straight if lies_in_cube(sampler) else spherical
    others = latents_of(sampler, number, "alike", seed)
    return torch.stack([way(latent, other, 10)[tenths] for other in others])


def step_sizes(walks: UInt8[np.ndarray, "w n s s 3"]) -> Float[np.ndarray, "w m"]:
    """Root mean square difference of neighbouring images on each path, in grey levels, 0 to 255."""
    change = np.diff(walks.astype(np.float64), axis=1)
    return np.asarray(np.sqrt(np.square(change).mean(axis=(2, 3, 4))))


def jumps(steps: Float[np.ndarray, "w m"]) -> Float[np.ndarray, " w"]:
    """Largest step divided by the mean step: 1 for even steps, their number for one sudden change.

    NaN if nothing changes.
    """
    mean = steps.mean(axis=1)
    found = np.full(len(steps), np.nan)
    np.divide(steps.max(axis=1), mean, out=found, where=mean > 0)
    return found
