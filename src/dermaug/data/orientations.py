"""The eight flips and quarter turns of a square image."""

import numpy as np
from jaxtyping import UInt8

NUM_ORIENTATIONS = 8


def oriented(images: UInt8[np.ndarray, "n s s c"], orientation: int) -> np.ndarray:
    """One of the eight flips and quarter turns of square images.

    Args:
        images: Square.
        orientation: 0 to 7; 0 changes nothing, from 4 on the columns are mirrored first.
    """
    mirrored = images[:, :, ::-1] if orientation >= 4 else images
    return np.rot90(mirrored, orientation % 4, axes=(1, 2))
