"""Images averaged down to a small side, to compare them without noise."""

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from dermaug.data.image_rows import Pixels

_CHUNK = 512


def thumbnails(images: Pixels, side: int) -> Float[Tensor, "n 3 t t"]:
    """Images in grey levels, 0 to 255, averaged down; smaller ones stay as they are.

    Args:
        images: Square images, uint8 (n, s, s, 3), at least one.
        side: Side to average down to, in pixels.

    Example:
        >>> thumbnails(np.arange(48, dtype=np.uint8).reshape(1, 4, 4, 3), 2)[0, 0].tolist()
        [[7.5, 13.5], [31.5, 37.5]]
    """
    parts = []
    for start in range(0, len(images), _CHUNK):
        pixels = torch.from_numpy(np.array(images[start : start + _CHUNK]))
        planes = rearrange(pixels, "n h w c -> n c h w").float()
        small = planes.shape[-1] <= side
        parts.append(planes if small else interpolate(planes, size=(side, side), mode="area"))
    return torch.cat(parts)
