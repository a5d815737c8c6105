"""Features of images from a network: uint8 pixels in, one row of numbers per image out."""

from collections.abc import Callable

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn.functional import relu

BATCH = 128

Extractor = Callable[[Tensor], Tensor]
"""Takes images in [0, 1] as (b, 3, h, w), gives features as (b, d); in evaluation mode."""


class RandomFeatures(nn.Module):
    """Strided convolutions with fixed random weights; features are each stage's means and SDs.

    Random networks also distinguish sets of images, including those unlike ImageNet (Naeem et al.
    2020, arXiv:2002.09797), and nothing has to be trained or downloaded.

    Args:
        width: Channels of the first stage; each later stage has twice as many.
        stages: Number of stages, each of which halves the side.
    """

    def __init__(self, width: int = 32, stages: int = 4) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(0)
        self.stages = nn.ModuleList()
        channels = 3
        for stage in range(stages):
            layer = nn.Conv2d(channels, width * 2**stage, 4, 2, 1)
            with torch.no_grad():
                layer.weight.normal_(0.0, (2.0 / (16 * channels)) ** 0.5, generator=random)
                layer.bias.normal_(0.0, 0.1, generator=random)  # type: ignore[union-attr]
            self.stages.append(layer)
            channels = width * 2**stage
        self.requires_grad_(False).eval()

    def forward(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b d"]:
        """Features of images in [0, 1]."""
        maps, seen = images * 2.0 - 1.0, [images]
        for stage in self.stages:
            maps = relu(stage(maps))
            seen.append(maps)
        pooled = [plane.flatten(2) for plane in seen]
        return torch.cat([part for plane in pooled for part in (plane.mean(2), plane.std(2))], 1)


@torch.inference_mode()
def extract_features(
    extractor: Extractor, images: UInt8[np.ndarray, "n h w 3"], device: torch.device
) -> Float[np.ndarray, "n d"]:
    """Compute features in batches, so that memory does not grow with the number of images.

    Returns:
        float32, one row per image.
    """
    parts = []
    for start in range(0, len(images), BATCH):
        pixels = torch.from_numpy(np.array(images[start : start + BATCH])).to(device)
        batch = rearrange(pixels, "b h w c -> b c h w").float() / 255.0
        parts.append(extractor(batch).float().flatten(1).cpu())
    return torch.cat(parts).numpy()


def common_scale(*features: Float[np.ndarray, "_ d"]) -> float:
    """Root mean square of all entries; 1 when all are zero.

    Features of a classifier have no natural unit. After division by this number, distances and
    kernels of two classifiers are comparable.

    Example:
        >>> common_scale(np.full((2, 3), 2.0), np.full((5, 3), -2.0))
        2.0
    """
    squares = sum(float(np.square(part, dtype=np.float64).sum()) for part in features)
    scale = float(np.sqrt(squares / sum(part.size for part in features)))
    return scale or 1.0
