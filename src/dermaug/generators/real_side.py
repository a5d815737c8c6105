"""What the snapshots of a generator are compared with: computed once per training and class."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import pdist

from dermaug.data import image_rows
from dermaug.data.halves import LEAST_GROUPS
from dermaug.data.image_bank import ImageBank
from dermaug.data.orientations import NUM_ORIENTATIONS, oriented
from dermaug.evaluation.features import Extractor, extract_features
from dermaug.evaluation.fidelity import one_of_each
from dermaug.evaluation.thumbnails import thumbnails

SIDE = 16
"""Side at which pixels are compared, sufficient to see whether two images are similar."""
MOST = 256
"""Largest number of images per class whose pairs are compared, and that a discriminator judges."""
MOST_SEEN, MOST_KEPT = 50_000, 10_000
"""Training and validation images per class that snapshots are compared with; of more, some drawn at
random."""
Pixels = UInt8[np.ndarray, "n h w 3"]


@dataclass(frozen=True, eq=False)
class RealSide:
    """Real images of one class.

    Args:
        label: Index of the class.
        judged: Up to `MOST` training images and up to `MOST` validation images, drawn at random.
        features: Features of validation images, for KID.
        groups: Lesion of each of them.
        known: Training images at a small side.
        close: Distance within which one of a hundred pairs of training lesions lies.
        apart: Median distance of validation images to the nearest training image.
    """

    label: int
    judged: tuple[ImageBank, ImageBank]
    features: Float[np.ndarray, "n d"]
    groups: np.ndarray
    known: Float[Tensor, "m t"]
    close: float
    apart: float


def real_sides(
    training: ImageBank,
    validation: ImageBank,
    extractor: Extractor,
    groups: tuple[np.ndarray, np.ndarray],
) -> list[RealSide]:
    """Every class with at least `LEAST_GROUPS` lesions on both sides.

    Args:
        training: Training images of the generator.
        validation: Images of other lesions.
        extractor: Network that computes the features for KID.
        groups: Lesion of each training image and of each validation image.
    """
    found = []
    for label in np.unique(validation.labels.cpu().numpy()).tolist():
        (seen, seen_groups), (kept, kept_groups) = (
            _of_class(bank, of_bank, label, most)
            for bank, of_bank, most in zip(
                (training, validation), groups, (MOST_SEEN, MOST_KEPT), strict=True
            )
        )
        if min(len(np.unique(each)) for each in (seen_groups, kept_groups)) < LEAST_GROUPS:
            continue
        pixels, kept_pixels = _images(seen), np.asarray(_images(kept))
        known = small(pixels, validation.device)
        lesions = one_of_each(seen_groups, np.random.default_rng(0))
        found.append(
            RealSide(
                label,
                (_some(seen), _some(kept)),
                extract_features(extractor, kept_pixels, validation.device),
                kept_groups,
                known,
                close_pairs(pixels[lesions[:MOST]]),
                median_nearest(kept_pixels, known),
            )
        )
    return found


def close_pairs(training: Pixels) -> float:
    """Distance within which one of a hundred pairs of images lies.

    Args:
        training: Real images of different lesions, since images of one lesion are naturally close.
    """
    return float(pdist(small(training[:MOST])).quantile(0.01))


def median_nearest(images: Pixels, known: Float[Tensor, "m t"]) -> float:
    """Median distance of images, in their closest orientation, to the nearest of the known ones."""
    turned = (oriented(images, orientation) for orientation in range(NUM_ORIENTATIONS))
    nearest = [torch.cdist(small(each, known.device), known).min(1).values for each in turned]
    return float(torch.stack(nearest).min(0).values.median())


def small(images: image_rows.Pixels, device: torch.device | None = None) -> Float[Tensor, "n t"]:
    """Images averaged down, one row each, on a device (the CPU if it is None)."""
    return thumbnails(images, SIDE).flatten(1).to(device)


def _of_class(
    bank: ImageBank, groups: np.ndarray, label: int, most: int
) -> tuple[ImageBank, np.ndarray]:
    rows = torch.nonzero(bank.labels == label).flatten()
    if len(rows) > most:
        some = np.random.default_rng(0).choice(len(rows), most, replace=False)
        rows = rows[torch.from_numpy(np.sort(some)).to(rows.device)]
    return bank.part(rows), groups[rows.cpu().numpy()]


def _images(bank: ImageBank) -> image_rows.Pixels:
    return bank.images.cpu().numpy() if isinstance(bank.images, Tensor) else bank.images


def _some(bank: ImageBank) -> ImageBank:
    """Up to `MOST` images, mixed, so that no batch holds the images of one lesion."""
    order = np.random.default_rng(0).permutation(len(bank))[:MOST]
    return bank.part(torch.from_numpy(order).to(bank.labels.device))
