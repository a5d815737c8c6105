"""Which synthetic images to keep: those that are no copies of a training image."""

import numpy as np
from jaxtyping import Bool, Float, UInt8

from dermaug.evaluation.memorisation import Extract, calibrate, copy_scores, nearest


def drop_copies(scores: Float[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Which images to keep, by their `copy_scores`.

    Example:
        >>> drop_copies(np.array([0.2, 1.0, 3.0]))
        array([False,  True,  True])
    """
    return np.asarray(scores >= 1.0)


def copy_mask(
    synthetic: UInt8[np.ndarray, "n s s 3"],
    training: UInt8[np.ndarray, "m s s 3"],
    held_out: UInt8[np.ndarray, "v s s 3"],
    extract: Extract,
    lesions: np.ndarray | None = None,
) -> Bool[np.ndarray, " n"]:
    """Which synthetic images are copies of a training image.

    Args:
        synthetic: Images of one class.
        training: The real images that their generator saw, of that class.
        held_out: Real images of that class from other lesions, to calibrate on: validation, never
            test.
        extract: Features of uint8 images, for example the fold's own classifier's.
        lesions: Lesion of each held-out image; None: each its own.

    Raises:
        DermaugError: No image on a side, or sides of different size.
    """
    thresholds = calibrate(nearest(held_out, training, extract), lesions)
    return ~drop_copies(copy_scores(nearest(synthetic, training, extract), thresholds))
