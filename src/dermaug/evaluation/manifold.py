"""Overlap of two sets of features: precision, recall, density and coverage."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import cdist

from dermaug.errors import DermaugError
from dermaug.evaluation.fidelity import CHUNK_ENTRIES, Sides, numbered, require_features


@dataclass(frozen=True)
class Manifold:
    """Overlap of two sets of points; each is a share, except density, which can exceed 1.

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


def manifold(
    reference: Float[np.ndarray, "n d"],
    sample: Float[np.ndarray, "m d"],
    groups: np.ndarray | None = None,
    sample_groups: np.ndarray | None = None,
    *,
    k_precision: int = 3,
    k_density: int = 5,
) -> Manifold:
    """Improved precision and recall, density and coverage.

    A set's manifold is the union of balls around its points that reach to their k-th nearest
    neighbour (Kynkäänniemi et al. 2019, equations 1 and 2; Naeem et al. 2020), here among the
    images of other groups: another image of the same lesion would make the ball too small, and it
    lies in no ball of its own lesion on the other side.
    All four depend on the number of images: compare only values of equally large sets. Where
    lesions have several images, density of equal distributions lies slightly above 1.

    Args:
        reference: Features of real images.
        sample: Features of the other images.
        groups: Lesion of each reference image; None makes each image a group of its own.
        sample_groups: Lesion of each sample image, as for `kid`.
        k_precision: Neighbour that sets the balls of precision and recall.
        k_density: Neighbour that sets the balls of density and coverage.

    Raises:
        DermaugError: An image with fewer images of other groups on its side than the larger k.
    """
    deepest = max(k_precision, k_density)
    require_features(reference, sample, at_least=deepest + 1)
    sides = numbered(groups, sample_groups, len(reference), len(sample))
    radii = neighbour_radii(reference, (k_precision, k_density), sides[0])
    (sample_radius,) = neighbour_radii(sample, (k_precision,), sides[1])
    inside, balls = 0, 0
    recalled, covered = (np.zeros(len(reference), dtype=bool) for _ in range(2))
    for start, distances in _distance_chunks((sample, reference), sides[::-1]):
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
    points: Float[np.ndarray, "n d"], ks: tuple[int, ...], groups: np.ndarray | None = None
) -> list[Float[np.ndarray, " n"]]:
    """Distance of each point to its k-th nearest point of another group, for each k.

    Args:
        points: One row per point.
        ks: Ranks of the neighbours, from 1.
        groups: Group of each point; None makes each point a group of its own.

    Raises:
        DermaugError: A point has fewer points of other groups than a k.
    """
    groups = np.arange(len(points)) if groups is None else groups
    if (fewest := fewest_of_others(groups)) < max(ks):
        raise DermaugError(
            f"expected at least {max(ks)} images of other lesions for each image, found {fewest}; "
            "use more lesions"
        )
    radii = [np.empty(len(points)) for _ in ks]
    for start, distances in _distance_chunks((points, points), (groups, groups)):
        ordered = np.partition(distances, sorted({k - 1 for k in ks}), axis=1)
        for radius, k in zip(radii, ks, strict=True):
            radius[start : start + len(distances)] = ordered[:, k - 1]
    return radii


def fewest_of_others(groups: np.ndarray) -> int:
    """Smallest number of images of other groups that any image has in its set.

    Example:
        >>> fewest_of_others(np.array(["a", "a", "b", "c"]))
        2
    """
    return len(groups) - int(np.unique(groups, return_counts=True)[1].max(initial=0))


def _distance_chunks(points: Sides, groups: Sides) -> Iterator[tuple[int, np.ndarray]]:
    """Euclidean distances, a slab of rows at a time, each with its first row's number.

    Within a group they are infinite. By differences, not by the faster product: equal points are at
    distance exactly 0, and a pair has the same distance in every slab, which decides ties at a
    ball's edge.
    """
    left, right = points
    step = max(1, CHUNK_ENTRIES // len(right))
    for start in range(0, len(left), step):
        distances = cdist(left[start : start + step], right)
        distances[groups[0][start : start + step, None] == groups[1]] = np.inf
        yield start, distances
