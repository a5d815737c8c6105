"""The smallest uncertainty for a given number of test groups (Agresti and Min 2005).

Two arms that agree on twenty melanomas have not been shown to be equal. Half a discordant group is
added to each cell of the paired table (doi:10.1002/sim.2187), so that no variance is zero.
"""

import numpy as np
from jaxtyping import Float


def paired_floor(
    gains: Float[np.ndarray, "g c"], asked: Float[np.ndarray, "g c"]
) -> Float[np.ndarray, " c"]:
    """Variance of a paired difference of proportions with half a discordant group in each cell.

    Args:
        gains: Net number of correct images of each group, mean over trainings.
        asked: Number of images of each group; groups without any do not count.

    Returns:
        One variance per column; infinite for a column without any group.

    Example:
        >>> paired_floor(np.zeros((8, 1)), np.ones((8, 1)))
        array([0.01])
    """
    number = (asked > 0).sum(axis=0)
    share = np.divide(gains, asked, out=np.zeros_like(gains), where=asked > 0)
    more = number + 2.0
    variance = ((share**2).sum(axis=0) + 1.0 - share.sum(axis=0) ** 2 / more) / more**2
    return np.where(number > 0, variance, np.inf)
