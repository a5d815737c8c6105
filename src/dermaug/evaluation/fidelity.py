"""Do two sets of images come from one distribution? Distances between their features.

Reference is the real side, sample the synthetic one. Every distance has a floor: what real images
that nobody made get in the sample's place.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import cdist

from dermaug.errors import DermaugError

DEGREE = 3
FID_IMAGES = 2_048
FEWEST_TO_HALVE = 4
_CHUNK_ENTRIES = 1 << 22  # of a matrix of pairs: 32 MB, whatever the number of images


@dataclass(frozen=True)
class Kid:
    """Kernel inception distance with its 95 % interval; unbiased, so it can fall below zero."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Manifold:
    """How two clouds of points overlap; each is a share, but density, which can exceed 1.

    Args:
        precision: Share of the sample inside the reference's manifold.
        recall: Share of the reference inside the sample's manifold.
        density: Mean number of reference balls around a sample point, over k.
        coverage: Share of reference balls that hold a sample point.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def kid(
    reference: Float[np.ndarray, "n d"],
    sample: Float[np.ndarray, "m d"],
    groups: np.ndarray | None = None,
    *,
    halves: int = 200,
    seed: int = 0,
) -> Kid:
    """Unbiased squared MMD under the kernel (x·y / d + 1)^3 (Bińkowski et al. 2018).

    The interval is the middle 95 % of the distance between random halves of both sets, drawn
    without replacement: to first order a half strays from the whole as the whole strays from the
    population (Politis, Romano & Wolf 1999); where the sets agree it is too wide. It is NaN for
    fewer than 4 lesions or images on a side.

    Args:
        reference: Features of real images, at least 2.
        sample: Features of the other images, at least 2.
        groups: Lesion of each reference image; a half holds whole lesions. None: each its own.
        halves: Number of draws; 0 gives no interval.
        seed: Of the draws.

    Raises:
        DermaugError: Fewer than 2 images on a side.
    """
    require_features(reference, sample, at_least=2)
    groups = np.arange(len(reference)) if groups is None else groups
    random = np.random.default_rng(seed)
    weights = [_halves(part, halves, random) for part in (groups, np.arange(len(sample)))]
    values = _squared_mmd(reference, sample, *weights)
    enough = halves > 0 and min(len(np.unique(groups)), len(sample)) >= FEWEST_TO_HALVE
    low, high = np.quantile(values[1:], [0.025, 0.975]) if enough else (np.nan, np.nan)
    return Kid(float(values[0]), float(low), float(high))


def fid(reference: Float[np.ndarray, "n d"], sample: Float[np.ndarray, "m d"]) -> float:
    """Fréchet distance of two Gaussians fitted to the features (Heusel et al. 2017, equation 6).

    The trace of the root of the product of covariances is the nuclear norm of the product of the
    centred data's triangular factors, exact also for fewer images than features.

    Raises:
        DermaugError: Fewer than 2 images on a side: one image has no covariance.
    """
    require_features(reference, sample, at_least=2)
    first, second = (np.asarray(part, dtype=np.float64) for part in (reference, sample))
    shift = np.square(first.mean(axis=0) - second.mean(axis=0)).sum()
    roots = [_covariance_root(part) for part in (first, second)]
    overlap = np.linalg.norm(roots[0] @ roots[1].T, ord="nuc")
    distance = shift + sum(np.square(root).sum() for root in roots) - 2.0 * overlap
    return max(0.0, float(distance))


def fid_caution(num_reference: int, num_sample: int, num_features: int) -> str:
    """Why a Fréchet distance of so few images is not to be trusted; "" when it is.

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


def manifold(
    reference: Float[np.ndarray, "n d"],
    sample: Float[np.ndarray, "m d"],
    *,
    k_precision: int = 3,
    k_density: int = 5,
) -> Manifold:
    """Improved precision and recall, density and coverage.

    A set's manifold is the union of balls around its points that reach to their k-th nearest
    neighbour (Kynkäänniemi et al. 2019, equations 1 and 2; Naeem et al. 2020).
    All four depend on the number of images: compare only values of equally large sets.

    Args:
        reference: Features of real images, more than either k.
        sample: Features of the other images, likewise.
        k_precision: Neighbour that sets the balls of precision and recall.
        k_density: Neighbour that sets the balls of density and coverage.

    Raises:
        DermaugError: Too few images on a side.
    """
    deepest = max(k_precision, k_density)
    require_features(reference, sample, at_least=deepest + 1)
    radii = neighbour_radii(reference, (k_precision, k_density))
    (sample_radius,) = neighbour_radii(sample, (k_precision,))
    inside, balls = 0, 0
    recalled, covered = (np.zeros(len(reference), dtype=bool) for _ in range(2))
    for start, distances in _distance_chunks(sample, reference):
        rows = slice(start, start + len(distances))
        inside += int((distances <= radii[0]).any(axis=1).sum())
        recalled |= (distances <= sample_radius[rows, None]).any(axis=0)
        within = distances <= radii[1]
        balls += int(within.sum())
        covered |= within.any(axis=0)
    return Manifold(
        inside / len(sample),
        float(recalled.mean()),
        balls / (k_density * len(sample)),
        float(covered.mean()),
    )


def neighbour_radii(
    points: Float[np.ndarray, "n d"], ks: tuple[int, ...]
) -> list[Float[np.ndarray, " n"]]:
    """Distance of each point to its k-th nearest other point, for each k."""
    radii = [np.empty(len(points)) for _ in ks]
    for start, distances in _distance_chunks(points, points):
        # A point is its own nearest at distance 0, so position k is the k-th other one.
        ordered = np.partition(distances, sorted(set(ks)), axis=1)
        for radius, k in zip(radii, ks, strict=True):
            radius[start : start + len(distances)] = ordered[:, k]
    return radii


def require_features(*sets: Float[np.ndarray, "_ d"], at_least: int) -> None:
    """Raise unless all sets have enough rows, equal columns and finite numbers.

    Raises:
        DermaugError: Says which.
    """
    if any(part.ndim != 2 for part in sets) or len({part.shape[1] for part in sets}) != 1:
        shapes = " and ".join(str(part.shape) for part in sets)
        raise DermaugError(f"expected features of equal width, one row an image; found {shapes}")
    if (fewest := min(map(len, sets))) < at_least:
        raise DermaugError(
            f"expected at least {at_least} images on each side, found {fewest}; give more images"
        )
    if not all(np.isfinite(part).all() for part in sets):
        raise DermaugError("expected finite features, found NaN or infinity; check the network")


def _squared_mmd(
    reference: np.ndarray, sample: np.ndarray, first: np.ndarray, second: np.ndarray
) -> Float[np.ndarray, " w"]:
    """Unbiased squared MMD (Gretton et al. 2012, equation 3) for each row of 0/1 weights."""
    num_first, num_second = first.sum(axis=1), second.sum(axis=1)
    within = _kernel_sums(reference, reference, first, first) - first @ _self_kernel(reference)
    other = _kernel_sums(sample, sample, second, second) - second @ _self_kernel(sample)
    across = _kernel_sums(reference, sample, first, second)
    return np.asarray(
        within / (num_first * (num_first - 1))
        + other / (num_second * (num_second - 1))
        - 2 * across / (num_first * num_second)
    )


def _kernel_sums(
    left: np.ndarray, right: np.ndarray, left_weights: np.ndarray, right_weights: np.ndarray
) -> Float[np.ndarray, " w"]:
    """Sum of weight x kernel x weight over all pairs, a slab of rows at a time."""
    sums = np.zeros(len(left_weights))
    step = max(1, _CHUNK_ENTRIES // len(right))
    wide = np.asarray(right, dtype=np.float64)
    for start in range(0, len(left), step):
        rows = slice(start, start + step)
        kernel = (left[rows].astype(np.float64) @ wide.T / left.shape[1] + 1.0) ** DEGREE
        sums += np.einsum("wm,wm->w", left_weights[:, rows] @ kernel, right_weights)
    return sums


def _self_kernel(points: np.ndarray) -> Float[np.ndarray, " n"]:
    squares = np.square(points, dtype=np.float64).mean(axis=1)
    return np.asarray((squares + 1.0) ** DEGREE)


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


def _distance_chunks(left: np.ndarray, right: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Euclidean distances, a slab of rows at a time, each with its first row's number.

    By differences, not by the faster product: equal points are at distance exactly 0, and a pair
    has the same distance in every slab, which decides ties at a ball's edge.
    """
    step = max(1, _CHUNK_ENTRIES // len(right))
    for start in range(0, len(left), step):
        yield start, cdist(left[start : start + step], right)
