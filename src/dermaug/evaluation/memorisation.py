"""Copies of training images: nearest-neighbour distances compared with those of validation images.

Images of a generator that does not memorise are as far from its training images as real images of
other lesions are. An image that is much nearer is a copy.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int, UInt8
from scipy.stats import binomtest
from torch import Tensor

from dermaug.data.orientations import NUM_ORIENTATIONS, oriented
from dermaug.errors import DermaugError
from dermaug.evaluation.thumbnails import thumbnails

SIDE = 32
"""Pixels are compared at this side: finer detail is noise, which a copy need not repeat."""
LEVEL = 0.01
"""Share of unrelated real images that the threshold may take for copies."""
_CHUNK_ENTRIES = 1 << 23
_SAME = 1e-3  # grey levels: below it two images are one

Extract = Callable[[np.ndarray], np.ndarray]
"""uint8 images (n, h, w, 3) -> features (n, d)."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The nearest training image of each query.

    Args:
        indices: Row of the training image.
        orientations: Which of the query's eight `oriented` versions is nearest.
        pixels: Root mean square difference in grey levels, 0 to 255.
        features: Euclidean distance between the features of that same pair.
    """

    indices: Int[np.ndarray, " n"]
    orientations: Int[np.ndarray, " n"]
    pixels: Float[np.ndarray, " n"]
    features: Float[np.ndarray, " n"]


@dataclass(frozen=True)
class Thresholds:
    """Distances below which a pair is a copy, if both hold.

    Args:
        pixels: In grey levels.
        features: In the features' unit.
        expected: Bound on the expected share of unrelated real images below both.
        calibrated_on: Number of validation lesions that define them.
    """

    pixels: float
    features: float
    expected: float
    calibrated_on: int


@dataclass(frozen=True)
class Rate:
    """Copies among the images, with Wilson's 95 % interval (Wilson 1927)."""

    copies: int
    number: int
    share: float
    low: float
    high: float


def nearest(
    queries: UInt8[np.ndarray, "n s s 3"], training: UInt8[np.ndarray, "m s s 3"], extract: Extract
) -> Neighbours:
    """Nearest training image of each query by pixels, and the distance between the pair's features.

    Generators are shown flips and quarter turns, so all eight orientations of a query are tried.

    Args:
        queries: Square images in grey levels, 0 to 255.
        training: Square images of the same side.
        extract: Computes the features.

    Raises:
        DermaugError: A side is empty, or sides differ.
    """
    if not len(queries) or not len(training) or queries.shape[1:] != training.shape[1:]:
        raise DermaugError(
            "expected images of one size on both sides, at least one on each; found "
            f"{queries.shape} and {training.shape}"
        )
    small, known = _shrunk(queries), _shrunk(training)
    best = torch.full((len(queries),), torch.inf)
    indices, orientations = (torch.zeros(len(queries), dtype=torch.long) for _ in range(2))
    for orientation in range(NUM_ORIENTATIONS):
        turned = _vectors(oriented(small, orientation))
        values, found = _nearest_rows(turned, _vectors(known))
        nearer = values < best
        best = torch.where(nearer, values, best)
        indices = torch.where(nearer, found, indices)
        orientations[nearer] = orientation
    rows, turns = indices.numpy(), orientations.numpy()
    # The search uses products, which round; the reported distances are computed from differences.
    difference = _turned(small, turns).astype(np.float64) - known[rows]
    pixels = np.sqrt(np.square(difference).mean(axis=(1, 2, 3)))
    return Neighbours(rows, turns, pixels, _pair_features(queries, training, rows, turns, extract))


def calibrate(
    validation: Neighbours, lesions: np.ndarray | None = None, level: float = LEVEL
) -> Thresholds:
    """Set thresholds that unrelated images rarely fall below: order statistics on validation.

    With n validation lesions, each at its nearest image's distance, the r-th smallest distance is
    undercut by an image of a further unrelated lesion with a probability of at most r / (n + 1),
    whatever the distribution (exchangeability, as in conformal prediction). Both distances must be
    undercut, so this bounds the false alarms from above.

    Args:
        validation: Neighbours of real images of other lesions, never seen by the generator.
        lesions: Lesion of each validation image; None: each its own.
        level: Target rate of false alarms; with fewer than 1 / level lesions, the smallest
            distance is used.

    Raises:
        DermaugError: No validation image is left; images equal to a training image do not count.
    """
    kept = validation.pixels > _SAME
    if not kept.any():
        raise DermaugError(
            "expected real images other than the training images, found none; the thresholds for "
            "copies cannot be calibrated without them"
        )
    _, lesion_of = np.unique(
        np.arange(len(kept)) if lesions is None else lesions, return_inverse=True
    )
    number = len(set(lesion_of[kept]))
    rank = max(1, int(level * (number + 1)))
    pixels, features = (
        _ranked_minimum(distances[kept], lesion_of[kept], rank)
        for distances in (validation.pixels, validation.features)
    )
    return Thresholds(pixels, max(features, 1e-12), rank / (number + 1), number)


def copy_scores(found: Neighbours, thresholds: Thresholds) -> Float[np.ndarray, " n"]:
    """The larger of both distances over their thresholds; below 1 the image is a copy."""
    return np.maximum(found.pixels / thresholds.pixels, found.features / thresholds.features)


def chance_of_rate(rate: float, lesions: int) -> float:
    """Bound on the probability that chance alone takes so many unrelated images for copies.

    The expected share is 1 / (n + 1), but over the n lesions that give the threshold the share
    varies: below the smallest of n distances lies a share that follows Beta(1, n).

    Args:
        rate: Share of images below the threshold.
        lesions: Number of validation lesions, of which the smallest distance is the threshold.

    Example:
        >>> round(chance_of_rate(0.7, 2), 6), round(chance_of_rate(0.7, 20), 6)
        (0.09, 0.0)
    """
    return float((1.0 - rate) ** lesions)


def copy_rate(copies: Bool[np.ndarray, " n"]) -> Rate:
    """Share of copies and its interval.

    Example:
        >>> rate = copy_rate(np.array([True] + [False] * 99))
        >>> rate.share, round(rate.low, 4), round(rate.high, 4)
        (0.01, 0.0018, 0.0545)
    """
    number, count = len(copies), int(copies.sum())
    interval = binomtest(count, number).proportion_ci(0.95, method="wilson")
    return Rate(count, number, count / number, float(interval.low), float(interval.high))


def _ranked_minimum(distances: np.ndarray, groups: np.ndarray, rank: int) -> float:
    """The `rank`-th smallest of the groups' smallest distances."""
    least = np.full(int(groups.max()) + 1, np.inf)
    np.minimum.at(least, groups, distances)
    return float(np.sort(least)[rank - 1])


def _shrunk(images: UInt8[np.ndarray, "n s s 3"]) -> Float[np.ndarray, "n t t 3"]:
    """Averaged down to `SIDE`, in grey levels; smaller images stay as they are."""
    return rearrange(thumbnails(images, SIDE), "b c h w -> b h w c").numpy()


def _vectors(images: Float[np.ndarray, "n s s 3"]) -> Float[Tensor, "n d"]:
    # Around mid-grey: smaller numbers lose less in the products.
    return torch.from_numpy(np.ascontiguousarray(images)).flatten(1) - 128.0


def _nearest_rows(
    queries: Float[Tensor, "n d"], known: Float[Tensor, "m d"]
) -> tuple[Float[Tensor, " n"], Int[Tensor, " n"]]:
    """Squared distance to the nearest row of `known`, and which one, a slab at a time."""
    squares = known.square().sum(dim=1)
    step = max(1, _CHUNK_ENTRIES // len(known))
    values, found = [], []
    for slab in torch.split(queries, step):
        distances = torch.addmm(squares, slab, known.T, alpha=-2.0)
        least, where = distances.min(dim=1)
        values.append(least + slab.square().sum(dim=1))
        found.append(where)
    return torch.cat(values), torch.cat(found)


def _turned(images: np.ndarray, orientations: Int[np.ndarray, " n"]) -> np.ndarray:
    """Each image in its own orientation."""
    turned = np.empty_like(images)
    for orientation in np.unique(orientations):
        rows = orientations == orientation
        turned[rows] = oriented(images[rows], int(orientation))
    return turned


def _pair_features(
    queries: np.ndarray,
    training: np.ndarray,
    rows: Int[np.ndarray, " n"],
    orientations: Int[np.ndarray, " n"],
    extract: Extract,
) -> Float[np.ndarray, " n"]:
    used, place = np.unique(rows, return_inverse=True)
    mine = extract(_turned(np.asarray(queries), orientations)).astype(np.float64)
    theirs = extract(np.asarray(training[used])).astype(np.float64)[place]
    return np.asarray(np.linalg.norm(mine - theirs, axis=1))
