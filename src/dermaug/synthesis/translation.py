"""Draw a class from real images instead of from noise (SDEdit, arXiv:2108.01073).

With images of a frequent class, this is the translation of M2m (arXiv:2004.00431); with images of
the class itself, the variations of DA-Fusion (arXiv:2302.07944).
"""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from dermaug.console import Advance
from dermaug.data.image_rows import Pixels
from dermaug.generators.family import Sampler, as_pixels
from dermaug.seeding import derive_seed
from dermaug.synthesis.sampling import latent_batches
from dermaug.training.order import Order


def starting_rows(num_rows: int, number: int, label: str, seed: int) -> Int[np.ndarray, " number"]:
    """Rows of the real images from which images of a class start; all before any starts again.

    Args:
        num_rows: Number of real images.
        number: Number of images to draw; smaller numbers are the beginning of larger ones.
        label: The class that is drawn; each starts from the real images in an order of its own.
        seed: Seed of the set.
    """
    return Order(num_rows, derive_seed(seed, "starts", label)).batch(0, number)


def translate_batches(
    sampler: Sampler,
    label: int,
    images: Pixels,
    start: float,
    seed: int,
    advance: Advance | None = None,
) -> Iterator[UInt8[np.ndarray, "batch h w 3"]]:
    """Draw an image of one class from each of some real images.

    Image k has the noise of image k of `sample_batches` with the same seed, which it approaches as
    `start` approaches 0; as `start` approaches 1, it approaches its real image.

    Args:
        sampler: Sampler in evaluation mode, on its device; its family translates.
        label: Index into the generator's classes.
        images: The real images, uint8 (n, h, w, 3), one per image to draw.
        start: Time on the path from noise to image, 0 to below 1.
        seed: Seed of the noise.
        advance: Called after each batch with its number of images.
    """
    done = 0
    for latents in latent_batches(sampler, len(images), seed):
        rows = np.arange(done, done + len(latents))
        yield translated(sampler, label, images[rows], latents, start)
        done += len(latents)
        if advance is not None:
            advance(len(latents))


@torch.inference_mode()
def translated(
    sampler: Sampler,
    label: int,
    images: UInt8[np.ndarray, "n h w 3"],
    latents: Float[Tensor, "n latent"],
    start: float,
) -> UInt8[np.ndarray, "n h w 3"]:
    """Draw an image of a class from each real image and its noise, from the time `start`."""
    real = torch.from_numpy(np.asarray(images)).to(latents).permute(0, 3, 1, 2) / 127.5 - 1.0
    labels = torch.full((len(latents),), label, device=latents.device)
    return as_pixels(sampler.translate(real, labels, latents, start))
