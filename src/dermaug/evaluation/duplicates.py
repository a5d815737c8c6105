"""Near-duplicates within a set of images: one photograph under two names.

Radford et al. 2015 (arXiv:1511.06434, section 4.1.1) removed them from their training set, since a
generator learns by heart what it sees often. Lesions resemble each other in shape and colour, but
not in their finest detail (hairs, texture, noise): only that is compared.
"""

from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float, Int, UInt8
from scipy.ndimage import gaussian_filter
from torch import Tensor
from torch.nn.functional import interpolate, normalize

from dermaug.evaluation.memorisation import NUM_ORIENTATIONS, oriented

SIDE = 32
"""Images are compared at this side: JPEG's noise lies below it."""
BLUR = 1.5
"""Standard deviation in pixels, at that side, of the blur whose result is taken away."""
NEAR = 0.9
"""Correlation of detail above which two images are one photograph.

Chosen on HAM10000, where the 23 million pairs of different lesions of a training part have one of
0.99 (the same photograph by its looks) and none other above 0.87.
"""
_ROWS = 1_024
_NO_PAIR = -2.0


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of images of different groups, the most alike first.

    Args:
        first: Row of one image.
        second: Row of the other.
        orientations: Which of the first's eight `oriented` versions is like the second.
        correlations: Of their detail, -1 to 1.
    """

    first: Int[np.ndarray, " m"]
    second: Int[np.ndarray, " m"]
    orientations: Int[np.ndarray, " m"]
    correlations: Float[np.ndarray, " m"]


def alike_pairs(
    images: UInt8[np.ndarray, "n s s 3"], groups: np.ndarray, *, near: float = NEAR, least: int = 8
) -> Pairs:
    """All pairs of different groups that are nearly the same, in any orientation.

    Every pair is looked at: 7,000 images take half a minute on one core.

    Args:
        images: Square.
        groups: Group of each image, for example its lesion; pairs within a group are expected.
        near: Correlation of detail from which on a pair is listed.
        least: Pairs that are listed anyway, so that a reader sees what comes next.
    """
    known = _detail(images)
    _, group_of = np.unique(groups, return_inverse=True)
    belongs = torch.from_numpy(group_of)
    found = []
    for orientation in range(NUM_ORIENTATIONS):
        turned = _unit(oriented(known[..., None], orientation)[..., 0])
        for start in range(0, len(known), _ROWS):
            # The inverse of an orientation is one of the eight too: later rows suffice.
            products = turned[start : start + _ROWS] @ _unit(known[start:]).T
            same = belongs[start : start + _ROWS, None] == belongs[None, start:]
            products.masked_fill_(same | ~torch.ones_like(same).triu(1), _NO_PAIR)
            values, places = _listed(products, near, least)
            first, second = places // products.shape[1], places % products.shape[1]
            turn = torch.full_like(first, orientation)
            found.append(torch.stack([first + start, second + start, turn, values]))
    return _sorted_pairs(torch.cat(found, dim=1).numpy(), near, least)


def _listed(products: Float[Tensor, "n m"], near: float, least: int) -> tuple[Tensor, Tensor]:
    """Values and flat places of all that are near, and of some more."""
    flat = products.flatten()
    most = flat.topk(min(least, len(flat))).indices
    places = torch.cat([torch.nonzero(flat >= near).flatten(), most])
    places = places[flat[places] > _NO_PAIR]
    return flat[places].double(), places


def _sorted_pairs(found: Float[np.ndarray, "4 m"], near: float, least: int) -> Pairs:
    """Each pair once, in its best orientation, the most alike first."""
    found = found[:, np.lexsort((found[1], found[0], -found[3]))]
    _, once = np.unique(found[:2], axis=1, return_index=True)
    found = found[:, np.sort(once)]
    kept = found[:, : max(least, int((found[3] >= near).sum()))]
    first, second, turns = kept[:3].astype(np.int64)
    return Pairs(first, second, turns, kept[3].clip(-1.0, 1.0))


def _detail(images: UInt8[np.ndarray, "n s s 3"]) -> Float[np.ndarray, "n t t"]:
    pixels = rearrange(torch.from_numpy(np.array(images)), "n h w c -> n c h w")
    grey = pixels.float().mean(1, keepdim=True)  # n 1 h w
    if grey.shape[-1] > SIDE:
        grey = interpolate(grey, size=(SIDE, SIDE), mode="area")
    small = grey[:, 0].numpy()
    return np.asarray(small - gaussian_filter(small, (0.0, BLUR, BLUR)))


def _unit(detail: Float[np.ndarray, "n t t"]) -> Float[Tensor, "n d"]:
    """Rows of length 1; images without any detail stay at zero and resemble nothing."""
    return normalize(torch.from_numpy(np.ascontiguousarray(detail)).flatten(1), eps=1e-3)
