"""Net benefit of acting on a probability (Vickers and Elkin 2006, doi:10.1177/0272989X06295361)."""

import numpy as np
from jaxtyping import Bool, Float


def net_benefit(
    positive: Bool[np.ndarray, " n"],
    probabilities: Float[np.ndarray, " n"],
    thresholds: Float[np.ndarray, " t"],
) -> Float[np.ndarray, " t"]:
    """True positives per image, less false positives weighted by the odds of the threshold.

    Args:
        positive: Whether each image is what is looked for.
        probabilities: That it is, from 0 to 1. All ones give the benefit of calling every image
            positive; calling none has a benefit of 0.
        thresholds: Probabilities from which an image is called positive, below 1. A threshold of
            0.1 says that one lesion found outweighs nine called positive in vain.

    Example:
        >>> positive = np.array([True, False, False, False])
        >>> net_benefit(positive, np.array([0.6, 0.6, 0.1, 0.1]), np.array([0.05, 0.5]))
        array([0.21052632, 0.        ])
    """
    called = probabilities[None] >= thresholds[:, None]
    found, in_vain = ((called & each).mean(axis=1) for each in (positive, ~positive))
    return np.asarray(found - in_vain * thresholds / (1.0 - thresholds))
