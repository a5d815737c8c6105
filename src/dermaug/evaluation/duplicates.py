"""Near-duplicates: one photograph under two names, re-encoded, resized, flipped or rotated.

Radford et al. 2015 (arXiv:1511.06434, section 4.1.1) removed them from their training set, since a
generator memorises what it is shown often. Lesions resemble each other in shape and colour, but
not in their finest detail (hairs, texture, noise): only that is compared.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Int8

from dermaug.data.image_rows import Pixels
from dermaug.data.orientations import NUM_ORIENTATIONS, oriented
from dermaug.data.signature import SIDE
from dermaug.evaluation.candidates import candidates

NEAR = 0.9
"""Correlation of detail from which two images count as one photograph.

Chosen on HAM10000: of its 50 million pairs one is above 0.75, at 0.97, the same photograph by its
looks. The same image saved again as JPEG of quality 60 stays above 0.94; at half size, above 0.9
for 99 of 100 images of 200 x 150 pixels.
"""
EXHAUSTIVE = 40_000
"""Images up to which all pairs are compared, in about a minute; of more, `candidates` are."""
SKETCH, MARGIN = 128, 0.2
"""Random projections of the detail that are compared first, and how much lower their correlation
may be. That of a pair at `NEAR` falls as low by chance once in 10^11 (Fisher 1915)."""
_ENTRIES = 1 << 24
_PAIRS = 1 << 12

Details = Int8[np.ndarray, "n 32 32"]
"""`dermaug.data.signature.detail_of` each image."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of images, the most similar first.

    Args:
        first: Row of one image.
        second: Row of the other.
        orientations: Which of the eight `oriented` versions of the first matches the second.
        correlations: Of their detail, -1 to 1.
    """

    first: Int[np.ndarray, " m"]
    second: Int[np.ndarray, " m"]
    orientations: Int[np.ndarray, " m"]
    correlations: Float[np.ndarray, " m"]


def near_pairs(details: Pixels, groups: np.ndarray, progress: Progress | None = None) -> Pairs:
    """Find all pairs of images of different groups that show the same photograph.

    Args:
        details: Fine detail of each image, int8 (n, 32, 32); 10,000 images take about five seconds
            on one core, and from `EXHAUSTIVE` images on the time grows with their number.
        groups: Group of each image, for example its lesion; pairs within a group are expected.
        progress: Called with the number of finished chunks and of all chunks.
    """
    found = _near(details, details, progress, only_later=True)
    _, group_of = np.unique(groups, return_inverse=True)
    first, second = found[:2].astype(np.int64)
    # Rows are compared with later rows only; the inverse of an orientation is one of the eight too.
    return _sorted_pairs(found[:, (first < second) & (group_of[first] != group_of[second])])


def near_between(details: Pixels, others: Pixels, progress: Progress | None = None) -> Pairs:
    """Find all pairs across two sets of images that show the same photograph.

    Args:
        details: Fine detail of each image of one set, to which `first` refers.
        others: Fine detail of each image of the other set, to which `second` refers.
        progress: Called with the number of finished chunks and of all chunks.
    """
    return _sorted_pairs(_near(details, others, progress))


def _near(
    details: Pixels, others: Pixels, progress: Progress | None, *, only_later: bool = False
) -> Float[np.ndarray, "4 k"]:
    """Row, column, orientation and correlation of near pairs: of all, or of the candidates."""
    if len(details) * len(others) > EXHAUSTIVE**2:
        return _near_of(details, others, candidates(details, others))
    alone = np.asarray(details)
    return _all_near(alone, np.asarray(others), progress, only_later=only_later)


def _near_of(
    details: Pixels, others: Pixels, pairs: Int[np.ndarray, "2 k"]
) -> Float[np.ndarray, "4 k"]:
    """As `_near`, of some pairs."""
    found = [np.empty((4, 0))]
    for begin in range(0, pairs.shape[1], _PAIRS):
        some = pairs[:, begin : begin + _PAIRS]
        one, other = details[some[0]], others[some[1]]
        for orientation in range(NUM_ORIENTATIONS):
            values = _correlations(oriented(one[..., None], orientation)[..., 0], other)
            near = np.stack([*some, np.full(len(values), orientation), values])
            found.append(near[:, values >= NEAR])
    return np.concatenate(found, axis=1)


def _all_near(
    details: Details, others: Details, progress: Progress | None, *, only_later: bool = False
) -> Float[np.ndarray, "4 k"]:
    """Row, column, orientation and correlation of all near pairs, by sketches and then exactly.

    Rows are processed in chunks, in each orientation; short searches do not call `progress`.
    """
    known = _sketch(others)
    step = max(1, _ENTRIES // max(1, len(known)))
    starts = range(0, len(details), step)
    found = [np.empty((4, 0))]
    for orientation in range(NUM_ORIENTATIONS):
        turned = oriented(details[..., None], orientation)[..., 0]
        sketches = _sketch(turned)
        for number, start in enumerate(starts, start=1):
            column = start if only_later else 0
            likely = sketches[start : start + step] @ known[column:].T >= NEAR - MARGIN
            places = np.argwhere(likely)
            for begin in range(0, len(places), _PAIRS):
                first, second = (places[begin : begin + _PAIRS] + np.array([start, column])).T
                values = _correlations(turned[first], others[second])
                pairs = np.stack([first, second, np.full(len(first), orientation), values])
                found.append(pairs[:, values >= NEAR])
            if progress is not None and len(starts) > 1:
                progress(orientation * len(starts) + number, NUM_ORIENTATIONS * len(starts))
    return np.concatenate(found, axis=1)


def _correlations(first: Details, second: Details) -> Float[np.ndarray, " k"]:
    """Correlations of pairs of details, from integers for equal results on every machine."""
    one, other = (each.reshape(-1, SIDE * SIDE).astype(np.int32) for each in (first, second))
    product, *squares = (
        (left * right).sum(axis=1, dtype=np.float64)
        for left, right in ((one, other), (one, one), (other, other))
    )
    return np.asarray(product / np.sqrt(np.maximum(squares[0] * squares[1], 1.0)))


def _sketch(details: Details) -> Float[np.ndarray, "n d"]:
    """Random projections of the detail, of length 1 (Johnson and Lindenstrauss 1984)."""
    random = np.random.default_rng(0)
    directions = random.standard_normal((SIDE * SIDE, SKETCH), dtype=np.float32)
    projected = details.reshape(-1, SIDE * SIDE).astype(np.float32) @ directions
    lengths = np.linalg.norm(projected, axis=1, keepdims=True)
    return np.asarray(projected / np.maximum(lengths, np.float32(1e-12)))


def _sorted_pairs(found: Float[np.ndarray, "4 m"]) -> Pairs:
    """Keep each pair once, in its best orientation, the most similar first."""
    found = found[:, np.lexsort((found[1], found[0], -found[3]))]
    _, once = np.unique(found[:2], axis=1, return_index=True)
    kept = found[:, np.sort(once)]
    first, second, turns = kept[:3].astype(np.int64)
    return Pairs(first, second, turns, kept[3].clip(-1.0, 1.0))
