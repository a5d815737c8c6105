"""Distances between the distributions of two sets of images, from their features: KID and FID.

The reference set is real, the sample synthetic. The floor of a distance is its value with other
real images as the sample.

Images of one lesion resemble each other more than images of different lesions. Distances that
compare pairs therefore take groups and leave out pairs within a group, within and between sets.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from dermaug.errors import DermaugError

DEGREE = 3
FID_IMAGES = 2_048
FEWEST_TO_HALVE = 4
CHUNK_ENTRIES = 1 << 22  # of a matrix of pairs: 32 MB, whatever the number of images
Sides = tuple[np.ndarray, np.ndarray]
"""Something of the reference, then of the sample; or of two sides that are compared."""


@dataclass(frozen=True)
class Kid:
    """Kernel inception distance with its 95 % interval; unbiased, so it can be negative."""

    value: float
    low: float
    high: float


def kid(
    reference: Float[np.ndarray, "n d"],
    sample: Float[np.ndarray, "m d"],
    groups: np.ndarray | None = None,
    sample_groups: np.ndarray | None = None,
    *,
    halves: int = 200,
    seed: int = 0,
) -> Kid:
    """Unbiased squared MMD under the kernel (x·y / d + 1)^3 (Bińkowski et al. 2018).

    Each of its three means is taken over the pairs of images of different groups: a U-statistic
    whose pairs are independent. Pairs of one lesion would add to the means within a side, but not
    to the mean across, and the distance of equal distributions would lie above zero.

    The interval is the central 95 % of the distances between random halves of both sets, drawn
    without replacement by whole groups: to first order, a half deviates from the whole set as the
    set deviates from the population (subsampling; Politis, Romano & Wolf 1999). It is too wide if
    the sets agree, and NaN for fewer than 4 groups in a set.

    Args:
        reference: Features of real images, of at least 2 groups.
        sample: Features of the other images, also of at least 2 groups.
        groups: Lesion of each reference image; None makes each image a group of its own.
        sample_groups: Lesion of each sample image, where the sample is real too; a name that is
            also in `groups` is the same lesion. None: each its own.
        halves: Number of draws; 0 gives no interval.
        seed: Random seed of the draws.

    Raises:
        DermaugError: Images of fewer than 2 groups on a side.
    """
    require_features(reference, sample, at_least=2)
    sides = numbered(groups, sample_groups, len(reference), len(sample))
    fewest = min(len(np.unique(side)) for side in sides)
    if fewest < 2:
        raise DermaugError(
            f"expected images of at least 2 lesions on each side, found {fewest}; use more lesions"
        )
    random = np.random.default_rng(seed)
    weights = (_halves(sides[0], halves, random), _halves(sides[1], halves, random))
    values = _squared_mmd((reference, sample), sides, weights)
    enough = halves > 0 and fewest >= FEWEST_TO_HALVE
    low, high = np.quantile(values[1:], [0.025, 0.975]) if enough else (np.nan, np.nan)
    return Kid(float(values[0]), float(low), float(high))


def fid(reference: Float[np.ndarray, "n d"], sample: Float[np.ndarray, "m d"]) -> float:
    """Fréchet distance of two Gaussians fitted to the features (Heusel et al. 2017, equation 6).

    The trace of the root of the product of covariances is the nuclear norm of the product of the
    centred data's triangular factors, exact also for fewer images than features.

    A covariance has no pairs that could be left out: several images of one lesion count as if they
    were independent, and the bias grows as with fewer images. Pass one image per lesion
    (`one_of_each`).

    Raises:
        DermaugError: Fewer than 2 images in a set, which have no covariance.
    """
    require_features(reference, sample, at_least=2)
    first, second = (np.asarray(part, dtype=np.float64) for part in (reference, sample))
    shift = np.square(first.mean(axis=0) - second.mean(axis=0)).sum()
    roots = [_covariance_root(part) for part in (first, second)]
    overlap = np.linalg.norm(roots[0] @ roots[1].T, ord="nuc")
    distance = shift + sum(np.square(root).sum() for root in roots) - 2.0 * overlap
    return max(0.0, float(distance))


def fid_caution(num_reference: int, num_sample: int, num_features: int) -> str:
    """Reason why a Fréchet distance of so few images is unreliable; "" if there is none.

    Example:
        >>> fid_caution(5_000, 100, 64)
        'biased: 100 images, fewer than 2,048; read KID'
    """
    fewest = min(num_reference, num_sample)
    if fewest <= num_features:
        return f"biased: {fewest:,} images for {num_features:,} features; read KID"
    if fewest < FID_IMAGES:
        return f"biased: {fewest:,} images, fewer than {FID_IMAGES:,}; read KID"
    return ""


def one_of_each(groups: np.ndarray, random: np.random.Generator) -> Int[np.ndarray, " g"]:
    """Rows of one image of each group, drawn at random, in ascending order."""
    order = random.permutation(len(groups))
    _, first = np.unique(groups[order], return_index=True)
    return np.sort(order[first])


def numbered(
    groups: np.ndarray | None, sample_groups: np.ndarray | None, number: int, sample_number: int
) -> Sides:
    """Groups of both sides as numbers from 0, the same number for the same group.

    Without names on a side, each of its images is a group of its own that the other side lacks.
    """
    if groups is not None and sample_groups is not None:
        _, both = np.unique(np.concatenate([groups, sample_groups]), return_inverse=True)
        return both[:number], both[number:]
    first, second = (
        np.arange(length) if names is None else np.unique(names, return_inverse=True)[1]
        for names, length in ((groups, number), (sample_groups, sample_number))
    )
    return first, second + number


def require_features(*sets: Float[np.ndarray, "_ d"], at_least: int) -> None:
    """Raise unless all sets have enough rows, equal columns and finite numbers.

    Raises:
        DermaugError: A set has too few rows, another number of columns, or a value that is not
            finite.
    """
    if any(part.ndim != 2 for part in sets) or len({part.shape[1] for part in sets}) != 1:
        shapes = " and ".join(str(part.shape) for part in sets)
        raise DermaugError(f"expected features of equal width, one row per image; found {shapes}")
    if (fewest := min(map(len, sets))) < at_least:
        raise DermaugError(
            f"expected at least {at_least} images on each side, found {fewest}; use more images"
        )
    if not all(np.isfinite(part).all() for part in sets):
        raise DermaugError("expected finite features, found NaN or infinity; check the network")


def _squared_mmd(points: Sides, groups: Sides, weights: Sides) -> Float[np.ndarray, " w"]:
    """Squared MMD (Gretton et al. 2012, equation 3) for each row of 0/1 weights of both sides."""
    within = [
        _mean_kernel((part,) * 2, (group,) * 2, (weight,) * 2)
        for part, group, weight in zip(points, groups, weights, strict=True)
    ]
    return np.asarray(within[0] + within[1] - 2.0 * _mean_kernel(points, groups, weights))


def _mean_kernel(points: Sides, groups: Sides, weights: Sides) -> Float[np.ndarray, " w"]:
    """Mean of the kernel over pairs of different groups, a slab of rows at a time."""
    left, right = points
    sums = np.zeros(len(weights[0]))
    step = max(1, CHUNK_ENTRIES // len(right))
    wide = np.asarray(right, dtype=np.float64)
    for start in range(0, len(left), step):
        rows = slice(start, start + step)
        kernel = (left[rows].astype(np.float64) @ wide.T / left.shape[1] + 1.0) ** DEGREE
        kernel[groups[0][rows, None] == groups[1]] = 0.0
        sums += np.einsum("wm,wm->w", weights[0][:, rows] @ kernel, weights[1])
    return np.asarray(sums / _pairs_apart(groups, weights))


def _pairs_apart(groups: Sides, weights: Sides) -> Float[np.ndarray, " w"]:
    """Number of pairs of different groups, for each row of 0/1 weights."""
    number = int(max(side.max() for side in groups)) + 1
    counts = [np.zeros((number, len(weights[0]))) for _ in groups]
    for count, side, weight in zip(counts, groups, weights, strict=True):
        np.add.at(count, side, weight.T)
    return np.asarray(counts[0].sum(0) * counts[1].sum(0) - (counts[0] * counts[1]).sum(0))


def _halves(groups: np.ndarray, halves: int, random: np.random.Generator) -> np.ndarray:
    """Rows of 0/1 weights: all images first, then those of random halves of the groups."""
    _, group_of = np.unique(groups, return_inverse=True)
    number = int(group_of.max()) + 1
    ranks = random.permuted(np.tile(np.arange(number), (halves, 1)), axis=1)
    chosen = (ranks < max(2, number // 2))[:, group_of]
    return np.vstack([np.ones(len(groups)), chosen]).astype(np.float64)


def _covariance_root(points: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "r d"]:
    """R with R^T R the covariance, of min(n, d) rows."""
    centred = points - points.mean(axis=0)
    return np.asarray(np.linalg.qr(centred, mode="r") / np.sqrt(len(points) - 1))
