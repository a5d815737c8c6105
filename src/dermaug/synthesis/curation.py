"""Selection of synthetic images: pure functions from scores to a mask of images to keep."""

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, UInt8
from torch.nn.functional import pdist

from dermaug.evaluation.memorisation import Extract, calibrate, copy_scores, nearest
from dermaug.evaluation.thumbnails import thumbnails

SIDE = 16
"""Side at which pixels are compared, sufficient to see repetitions."""
MOST = 512
"""Largest number of real images whose pairs are compared."""
NEAR = 0.001
"""Largest fraction of pairs of real images that are closer than the threshold of duplicates."""
MISTAKEN = 0.05
"""Largest fraction of different lesions that may be mistaken for duplicates of earlier ones."""


def drop_copies(scores: Float[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Keep the images that are not copies by their `copy_scores`.

    Example:
        >>> drop_copies(np.array([0.2, 1.0, 3.0]))
        array([False,  True,  True])
    """
    return np.asarray(scores >= 1.0)


def keep_confident(probabilities: Float[np.ndarray, " n"], least: float) -> Bool[np.ndarray, " n"]:
    """Keep the images that a classifier assigns to their own class with confidence.

    Args:
        probabilities: Of the image's own class.
        least: Smallest probability that is kept.
    """
    return np.asarray(probabilities >= least)


def keep_within(
    probabilities: Float[np.ndarray, " n"], low: float, high: float
) -> Bool[np.ndarray, " n"]:
    """Keep the images that are neither harder nor easier for a classifier than real ones.

    Args:
        probabilities: Of the image's own class.
        low: Smallest probability that is kept.
        high: Largest probability that is kept.

    Example:
        >>> keep_within(np.array([0.1, 0.4, 0.9]), 0.2, 0.8)
        array([False,  True, False])
    """
    return np.asarray((probabilities >= low) & (probabilities <= high))


def drop_duplicates(
    synthetic: UInt8[np.ndarray, "n s s 3"],
    training: UInt8[np.ndarray, "m s s 3"],
    groups: np.ndarray,
) -> Bool[np.ndarray, " n"]:
    """Keep the images that do not nearly repeat an earlier one.

    Two are duplicates when they are nearer than all but one in a thousand pairs of real images of
    different groups, or fewer where many images are drawn: among n different lesions each has n / 2
    earlier ones on average to be near to by chance, and no more than one in twenty shall be dropped
    for that.

    Args:
        synthetic: Images of one class, in the order in which they would be used.
        training: Real images of that class, of at least two groups.
        groups: Group of each real image, for example its lesion.
    """
    share = min(NEAR, 2.0 * MISTAKEN / max(1, len(synthetic)))
    apart = pdist(torch.from_numpy(pd.factorize(groups[:MOST])[0])[:, None].double()) > 0
    limit = pdist(thumbnails(training[:MOST], SIDE).flatten(1))[apart].quantile(share)
    images = thumbnails(synthetic, SIDE).flatten(1)
    kept = np.ones(len(images), dtype=bool)
    for start in range(0, len(images), MOST):  # a slab of rows at a time
        rows = images[start : start + MOST]
        near = torch.cdist(rows, images[: start + len(rows)]) <= limit
        kept[start : start + len(rows)] = ~near.tril(start - 1).any(1).numpy()
    return kept


def copy_mask(
    synthetic: UInt8[np.ndarray, "n s s 3"],
    training: UInt8[np.ndarray, "m s s 3"],
    validation: UInt8[np.ndarray, "v s s 3"],
    extract: Extract,
    lesions: np.ndarray | None = None,
) -> Bool[np.ndarray, " n"]:
    """Mark the synthetic images that are copies of a training image.

    Args:
        synthetic: Images of one class.
        training: Training images of their generator, of that class, and those from which they were
            translated.
        validation: Real images of that class from other lesions, to calibrate on, never
            test.
        extract: Features of uint8 images, for example the fold's own classifier's.
        lesions: Lesion of each validation image; None treats each image as a lesion.

    Raises:
        DermaugError: One of the sets is empty, or sizes differ.
    """
    thresholds = calibrate(nearest(validation, training, extract), lesions)
    return ~drop_copies(copy_scores(nearest(synthetic, training, extract), thresholds))
