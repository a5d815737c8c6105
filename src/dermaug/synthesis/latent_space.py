"""Where a sampler's latents lie, and how to get from one to another without leaving that place."""

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn.functional import normalize

from dermaug.generators.family import Sampler
from dermaug.seeding import derive_seed

_ASKED = 64


def latents_of(sampler: Sampler, number: int, *seed: str | int) -> Float[Tensor, "n latent"]:
    """Latents from the sampler's own distribution, on its device.

    Args:
        sampler: Any.
        number: How many.
        seed: Coordinates of the draw.
    """
    device = next(sampler.parameters()).device
    return sampler.draw_latents(number, Generator(device).manual_seed(derive_seed(*seed)))


def lies_in_cube(sampler: Sampler) -> bool:
    """Whether latents are bounded by -1 and 1, as uniform ones are and normal ones are not."""
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

    Normal latents lie near a sphere; the middle of a straight line would lie far within, where the
    network has seen nothing. Latents that point the same way, or opposite ways, are joined by a
    line.
    """
    cosine = (start @ end / (start.norm() * end.norm()).clamp_min(1e-12)).clamp(-1.0, 1.0)
    angle = cosine.acos()
    if angle.sin().abs() < 1e-4:
        return straight(start, end, steps)
    share = torch.linspace(0.0, 1.0, steps + 1, device=start.device)[:, None]
    weights = ((1.0 - share) * angle).sin() / angle.sin(), (share * angle).sin() / angle.sin()
    walk: Tensor = weights[0] * start + weights[1] * end
    walk[0], walk[-1] = start, end  # not up to rounding, but themselves
    return walk


def put_back(
    moved: Float[Tensor, "n latent"], origin: Float[Tensor, "n latent"], *, cube: bool
) -> Float[Tensor, "n latent"]:
    """Latents that arithmetic carried off, back to where latents lie.

    Args:
        moved: What came out.
        origin: Latents that it started from.
        cube: Cut at -1 and 1; else each gets the length of its origin.
    """
    if cube:
        return moved.clamp(-1.0, 1.0)
    lengths: Tensor = torch.linalg.vector_norm(origin, dim=1, keepdim=True)
    return lengths * normalize(moved)
