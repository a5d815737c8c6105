"""Draw images from a sampler; image k does not depend on the total number of images."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Generator, Tensor

from dermaug.console import Advance
from dermaug.errors import DermaugError
from dermaug.generators.family import Sampler, draw
from dermaug.generators.saved_generator import GeneratorSpec, load_generator
from dermaug.seeding import derive_seed

BATCH = 256


def load_sampler(
    checkpoint: Path, label: str, device: torch.device
) -> tuple[Sampler, GeneratorSpec]:
    """Read a generator that draws a class, in evaluation mode.

    Raises:
        DermaugError: The checkpoint cannot be read, or does not draw the class.
    """
    sampler, spec = load_generator(checkpoint, device)
    if label not in spec.classes:
        raise DermaugError(
            f"{checkpoint}: expected a class it was trained on ({', '.join(spec.classes)}), "
            f"found {label!r}"
        )
    return sampler, spec


def sample(
    sampler: Sampler, label: int, number: int, seed: int, advance: Advance | None = None
) -> UInt8[np.ndarray, "number h w 3"]:
    """Draw images of one class, all at once."""
    batches = sample_batches(sampler, label, number, seed, advance)
    return np.concatenate(list(batches))


def sample_batches(
    sampler: Sampler, label: int, number: int, seed: int, advance: Advance | None = None
) -> Iterator[UInt8[np.ndarray, "batch h w 3"]]:
    """Draw images of one class; smaller sets are the beginning of larger ones, so doses are nested.

    Args:
        sampler: Sampler in evaluation mode, on its device.
        label: Index into the generator's classes.
        number: Number of images.
        seed: Seed of the latents.
        advance: Called after each batch with its number of images.
    """
    for latents in latent_batches(sampler, number, seed):
        labels = torch.full((len(latents),), label, device=latents.device)
        yield draw(sampler, latents, labels)
        if advance is not None:
            advance(len(latents))


def latent_batches(
    sampler: Sampler, number: int, seed: int
) -> Iterator[Float[Tensor, "batch latent"]]:
    """The latents of `sample_batches`, which are the same for every class."""
    device = next(sampler.parameters()).device
    for start in range(0, number, BATCH):
        random = Generator(device).manual_seed(derive_seed(seed, "latents", start // BATCH))
        # Always draw a whole batch, so that the random stream does not depend on `number`.
        yield sampler.draw_latents(BATCH, random)[: number - start]
