"""Features of many images from one network: uint8 pixels in, one row of numbers an image out."""

from collections.abc import Callable

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float, UInt8
from torch import Tensor

BATCH = 128

Extractor = Callable[[Tensor], Tensor]
"""Takes images in [0, 1] as (b, 3, h, w), gives features as (b, d); in evaluation mode."""


@torch.inference_mode()
def extract_features(
    extractor: Extractor, images: UInt8[np.ndarray, "n h w 3"], device: torch.device
) -> Float[np.ndarray, "n d"]:
    """Features of images, in batches, so that memory does not grow with their number.

    Args:
        extractor: A network on the device.
        images: At least one.
        device: Where batches are moved.

    Returns:
        float32, one row an image.
    """
    parts = []
    for start in range(0, len(images), BATCH):
        pixels = torch.from_numpy(np.array(images[start : start + BATCH])).to(device)
        batch = rearrange(pixels, "b h w c -> b c h w").float() / 255.0
        parts.append(extractor(batch).float().flatten(1).cpu())
    return torch.cat(parts).numpy()


def common_scale(*features: Float[np.ndarray, "_ d"]) -> float:
    """Root mean square of all entries; 1 when all are zero.

    A classifier's features have no natural unit. Divided by this one number, distances and
    kernels of two classifiers can be read side by side.

    Example:
        >>> common_scale(np.full((2, 3), 2.0), np.full((5, 3), -2.0))
        2.0
    """
    squares = sum(float(np.square(part, dtype=np.float64).sum()) for part in features)
    scale = float(np.sqrt(squares / sum(part.size for part in features)))
    return scale or 1.0
