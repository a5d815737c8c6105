"""Pairs of images that may show one photograph, without comparing each image with every other.

Signs of random projections agree the more often, the higher the correlation of two details
(Charikar 2002, doi:10.1145/509907.509965). Images whose signs agree in some chosen places, in any
of the eight orientations, are candidates; other places are chosen again and again.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, UInt64
from numpy.typing import NDArray

from dermaug.data.image_rows import Pixels, chunks
from dermaug.data.orientations import NUM_ORIENTATIONS, oriented
from dermaug.data.signature import SIDE

SIGNS = 256
"""Random projections of each detail."""
CHOICES = 128
"""How often places are chosen. At a million images, 6 % of 1,500 drawn pairs of correlation 0.9 are
missed, 0.6 % at 0.93 and none at 0.95; among fewer images, fewer. Of 250 images of HAM10000 saved
again as JPEG of quality 60 and rotated (0.94 and above), none is missed."""
FEW = 16
"""Images with equal signs that are looked at; more are as good as never equal by chance."""
DIFFERENT = 64
"""Signs that may differ: five standard deviations more than for a correlation of 0.9."""

# Odd, so that different signs seldom give one number.
_FACTORS = np.random.default_rng(1).integers(0, 2**62, SIGNS // 64, np.uint64) * 2 + 1

_RANK = np.uint64(24)
"""Bits that order images of equal keys; there are never more than 2^24 images."""

Signs = UInt64[np.ndarray, "n o w"]
"""Bits of each image in each orientation."""
Chosen = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Rows, and the orientation of each."""


class Ordered(NamedTuple):
    """Images by ascending keys: the keys, the rows, and the orientation that gave each key."""

    keys: NDArray[np.uint64]
    rows: NDArray[np.intp]
    turns: NDArray[np.intp]


def candidates(details: Pixels, others: Pixels) -> Int[np.ndarray, "2 k"]:
    """Rows of two sets of details, of which most pairs of one photograph are found.

    Args:
        details: Fine detail of each image of one set, int8 (n, 32, 32).
        others: The same of another set, or the same set, whose images match themselves.
    """
    signs = _signs(details)
    known = signs if others is details else _signs(others)
    found = [np.empty((2, 0), np.int64)]
    for number in range(CHOICES):
        random = np.random.default_rng(number)
        masks = _masks(_places(len(known)), random)
        mine = theirs = _ordered(signs, masks, random)
        if known is not signs:
            theirs = _ordered(known, masks, random)
        for first, second in _equal(mine, theirs):
            new = (first[0] < second[0]) | (known is not signs)  # each pair of one set once
            left, right = signs[first[0][new], first[1][new]], known[second[0][new], second[1][new]]
            likely = np.bitwise_count(left ^ right).sum(axis=1) <= DIFFERENT
            found.append(np.stack([first[0][new], second[0][new]])[:, likely])
    return np.unique(np.concatenate(found, axis=1), axis=1)


def _signs(details: Pixels) -> Signs:
    """Signs of the projections; sums of whole numbers, the same on every machine."""
    random = np.random.default_rng(0)
    directions = random.choice(np.array([-1, 1], np.float32), (SIGNS, SIDE, SIDE, 1))
    turned = np.stack([oriented(directions, turn) for turn in range(NUM_ORIENTATIONS)])
    turned = turned.reshape(NUM_ORIENTATIONS * SIGNS, -1).T
    signs = np.empty((len(details), NUM_ORIENTATIONS, SIGNS // 64), np.uint64)
    for part in chunks(len(details)):
        some = details[part].reshape(-1, SIDE * SIDE)
        bits = (some.astype(np.float32) @ turned > 0).reshape(-1, NUM_ORIENTATIONS, SIGNS)
        signs[part] = np.packbits(bits, axis=-1).view(np.uint64)
        empty = ~some.any(axis=1)  # resembles nothing
        signs[part][empty] = random.integers(0, 2**63, signs[part][empty].shape, np.uint64)
    return signs


def _places(number: int) -> int:
    """How many places are compared, so that few images agree in them by chance."""
    return max(8, int(number).bit_length())


def _masks(number: int, random: np.random.Generator) -> NDArray[np.uint64]:
    """Bits of so many places, chosen at random."""
    bits = np.zeros(SIGNS, bool)
    bits[random.choice(SIGNS, size=number, replace=False)] = True
    return np.packbits(bits).view(np.uint64)


def _keys(signs: Signs, masks: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.intp]]:
    """A number for the signs of each image, the smallest of all orientations, and which."""
    keys = np.empty((len(signs), NUM_ORIENTATIONS), np.uint64)
    for part in chunks(len(signs)):
        keys[part] = ((signs[part] & masks) * _FACTORS).sum(axis=2)
    turns = keys.argmin(axis=1)
    return np.take_along_axis(keys, turns[:, None], axis=1)[:, 0], turns


def _ordered(signs: Signs, masks: NDArray[np.uint64], random: np.random.Generator) -> Ordered:
    """Images by ascending keys, those of equal keys in random order."""
    keys, turns = _keys(signs, masks)
    ranks = random.permutation(len(keys)).astype(np.uint64)
    rows = np.empty(len(keys), np.intp)
    rows[ranks] = np.arange(len(keys))
    both = np.sort(keys >> _RANK << _RANK | ranks)
    order = rows[both & ((np.uint64(1) << _RANK) - np.uint64(1))]
    return Ordered(both >> _RANK, order, turns[order])


def _equal(mine: Ordered, known: Ordered) -> Iterator[tuple[Chosen, Chosen]]:
    """Pairs of equal keys, each image with at most `FEW` of the known ones."""
    first, last = (np.searchsorted(known.keys, mine.keys, side=side) for side in ("left", "right"))
    for step in range(FEW):
        here = np.flatnonzero(first + step < last)
        there = first[here] + step
        yield (mine.rows[here], mine.turns[here]), (known.rows[there], known.turns[there])
