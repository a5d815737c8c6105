"""Near-duplicates: one photograph under two names, encoded anew, resized, flipped or turned.

Radford et al. 2015 (arXiv:1511.06434, section 4.1.1) removed them from their training set, since a
generator learns by heart what it sees often. Lesions resemble each other in shape and colour, but
not in their finest detail (hairs, texture, noise): only that is compared.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, Int8
from torch import Tensor
from torch.nn.functional import normalize

from dermaug.data.signature import SIDE
from dermaug.evaluation.memorisation import NUM_ORIENTATIONS, oriented

NEAR = 0.9
"""Correlation of detail from which on two images are one photograph.

Chosen on HAM10000: of its 50 million pairs one is above 0.75, at 0.97, the same photograph by its
looks. The same image saved anew as JPEG of quality 60 stays above 0.94; at half its size, above 0.9
for 99 of 100 images of 200 x 150 pixels.
"""
SKETCH, MARGIN = 128, 0.2
"""Random projections of the detail that are compared first, and how much lower their correlation
may be. That of a pair at `NEAR` falls as low by chance once in 10^11 (Fisher 1915)."""
_ENTRIES = 1 << 24
_PAIRS = 1 << 12
_NO_PAIR = -2.0

Details = Int8[np.ndarray, "n 32 32"]
"""`dermaug.data.signature.detail_of` each image."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of images, the most alike first.

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


def near_pairs(details: Details, groups: np.ndarray, progress: Progress | None = None) -> Pairs:
    """All pairs of different groups that are one photograph.

    Args:
        details: Of the images; 10,000 take about five seconds on one core.
        groups: Group of each image, for example its lesion; pairs within a group are expected.
        progress: Called with (done, total) slabs.
    """
    found = _near(details, details, progress, only_later=True)
    _, group_of = np.unique(groups, return_inverse=True)
    first, second = found[:2].astype(np.int64)
    # A slab begins with its own rows; the inverse of an orientation is one of the eight too.
    return _sorted_pairs(found[:, (first < second) & (group_of[first] != group_of[second])])


def near_between(details: Details, others: Details, progress: Progress | None = None) -> Pairs:
    """All pairs of an image of one set and one of another that are one photograph.

    Args:
        details: Of the images of one set: the rows `first`.
        others: Of the images of the other: the rows `second`.
        progress: Called with (done, total) slabs.
    """
    return _sorted_pairs(_near(details, others, progress))


def most_alike(details: Details, groups: np.ndarray, least: int) -> Pairs:
    """All pairs of different groups that are one photograph, and those that come next.

    Args:
        details: Of the images; 10,000 take half a minute on one core.
        groups: Group of each image.
        least: Pairs that are listed at least, where there are so many.
    """
    _, group_of = np.unique(groups, return_inverse=True)
    belongs = torch.from_numpy(group_of)
    found = [np.empty((4, 0))]
    for slab in _slabs(details, details, _unit, None, only_later=True):
        rows = torch.arange(slab.row, slab.row + len(slab.products))[:, None]
        others = torch.arange(slab.column, len(details))
        unwanted = (rows >= others) | (belongs[rows] == belongs[others])
        flat = slab.products.masked_fill_(unwanted, _NO_PAIR).flatten()
        most = flat.topk(min(least, len(flat))).indices
        places = torch.cat([torch.nonzero(flat >= NEAR).flatten(), most])
        found.append(slab.listed(places[flat[places] > _NO_PAIR]))
    pairs = np.concatenate(found, axis=1)
    return _sorted_pairs(pairs, max(least, int((pairs[3] >= NEAR).sum())))


@dataclass(frozen=True, eq=False)
class _Slab:
    """Correlations of some rows, in one orientation, with some of the others."""

    products: Float[Tensor, "n m"]
    orientation: int
    row: int  # of the first row
    column: int  # of the first column

    def listed(self, places: Int[Tensor, " k"]) -> Float[np.ndarray, "4 k"]:
        """Row, column, orientation and value at some places of the flattened products."""
        width = self.products.shape[1]
        first, second = places // width + self.row, places % width + self.column
        turn = torch.full_like(first, self.orientation)
        values = self.products.flatten()[places].double()
        return torch.stack([first, second, turn, values]).numpy()


Vectors = Float[Tensor, "n d"]


def _slabs(
    details: Details,
    others: Details,
    embed: Callable[[Details], Vectors],
    progress: Progress | None,
    *,
    only_later: bool = False,
) -> Iterator[_Slab]:
    """All rows of `details`, some at a time, in each orientation, with `others`.

    What takes no second is done without a word to `progress`.
    """
    known = embed(others)
    step = max(1, _ENTRIES // max(1, len(known)))
    starts = range(0, len(details), step)
    for orientation in range(NUM_ORIENTATIONS):
        turned = embed(oriented(details[..., None], orientation)[..., 0])
        for number, start in enumerate(starts, start=1):
            column = start if only_later else 0
            products = turned[start : start + step] @ known[column:].T
            yield _Slab(products, orientation, start, column)
            if progress is not None and len(starts) > 1:
                progress(orientation * len(starts) + number, NUM_ORIENTATIONS * len(starts))


def _near(
    details: Details, others: Details, progress: Progress | None, *, only_later: bool = False
) -> Float[np.ndarray, "4 k"]:
    """Row, column, orientation and correlation of all near pairs: sketches first, then exactly."""
    found = [np.empty((4, 0))]
    for slab in _slabs(details, others, _sketch, progress, only_later=only_later):
        likely = torch.nonzero((slab.products >= NEAR - MARGIN).flatten()).flatten()
        for places in torch.split(likely, _PAIRS):
            pairs = slab.listed(places)
            first, second = pairs[:2].astype(np.int64)
            turned = oriented(details[first][..., None], slab.orientation)[..., 0]
            pairs[3] = _correlations(turned, others[second])
            found.append(pairs[:, pairs[3] >= NEAR])
    return np.concatenate(found, axis=1)


def _correlations(first: Details, second: Details) -> Float[np.ndarray, " k"]:
    """Of pairs of details; from whole numbers, so that every machine finds the same pairs."""
    one, other = (each.reshape(-1, SIDE * SIDE).astype(np.int32) for each in (first, second))
    product, *squares = (
        (left * right).sum(axis=1, dtype=np.float64)
        for left, right in ((one, other), (one, one), (other, other))
    )
    return np.asarray(product / np.sqrt(np.maximum(squares[0] * squares[1], 1.0)))


def _unit(details: Details) -> Vectors:
    """Rows of length 1; images without any detail stay at zero and resemble nothing."""
    return normalize(torch.from_numpy(details.astype(np.float32)).flatten(1))


def _sketch(details: Details) -> Vectors:
    """Random projections of the detail, of length 1 (Johnson and Lindenstrauss 1984)."""
    random = torch.Generator().manual_seed(0)
    directions = torch.randn(SIDE * SIDE, SKETCH, generator=random)
    return normalize(torch.from_numpy(details.astype(np.float32)).flatten(1) @ directions)


def _sorted_pairs(found: Float[np.ndarray, "4 m"], most: int | None = None) -> Pairs:
    """Each pair once, in its best orientation, the most alike first; at most so many."""
    found = found[:, np.lexsort((found[1], found[0], -found[3]))]
    _, once = np.unique(found[:2], axis=1, return_index=True)
    kept = found[:, np.sort(once)][:, :most]
    first, second, turns = kept[:3].astype(np.int64)
    return Pairs(first, second, turns, kept[3].clip(-1.0, 1.0))
