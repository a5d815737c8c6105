"""Which images are shown when: a pure function of the seed and of the images shown so far.

Nothing has to be stored to go on in the middle of an epoch: the batch at position p is a slice of
an endless sequence of shuffled epochs.
"""

import numpy as np
from jaxtyping import Float, Int

from dermaug.seeding import derive_seed


class Order:
    """An endless sequence of shuffled epochs, read anywhere.

    Args:
        num_rows: Number of rows of the training set.
        seed: Seed of the order.
        weights: How often each row is drawn, relative to the others (with replacement); None shows
            every row once an epoch.

    Example:
        >>> order = Order(5, seed=1)
        >>> sorted(order.batch(0, 5).tolist())
        [0, 1, 2, 3, 4]
        >>> order.batch(0, 10).tolist() == order.batch(0, 3).tolist() + order.batch(3, 7).tolist()
        True
    """

    def __init__(
        self, num_rows: int, seed: int, weights: Float[np.ndarray, " num_rows"] | None = None
    ) -> None:
        self.num_rows, self.seed, self.weights = num_rows, seed, weights
        self._epochs: dict[int, Int[np.ndarray, " num_rows"]] = {}

    def batch(self, position: int, batch: int) -> Int[np.ndarray, " batch"]:
        """Rows of the batch that starts after `position` images; `batch` may exceed an epoch."""
        first, last = position // self.num_rows, (position + batch - 1) // self.num_rows
        self._epochs = {
            epoch: self._epochs[epoch]
            if epoch in self._epochs
            else _epoch(self.num_rows, epoch, self.seed, self.weights)
            for epoch in range(first, last + 1)
        }
        offset = position - first * self.num_rows
        return np.concatenate(list(self._epochs.values()))[offset : offset + batch]


def class_weights(labels: Int[np.ndarray, " n"], sampling: str) -> Float[np.ndarray, " n"] | None:
    """How often each row is drawn under a sampling rule.

    Args:
        labels: Class of each row.
        sampling: natural (None: every row once), sqrt (a class in proportion to the square root of
            its size) or balanced (every class equally often).
    """
    power = {"natural": 0.0, "sqrt": 0.5, "balanced": 1.0}[sampling]
    if power == 0.0:
        return None
    counts = np.bincount(labels)
    weights: Float[np.ndarray, " n"] = counts[labels].astype(np.float64) ** -power
    weights /= weights.sum()
    return weights


def _epoch(
    num_rows: int, epoch: int, seed: int, weights: Float[np.ndarray, " num_rows"] | None
) -> Int[np.ndarray, " num_rows"]:
    random = np.random.default_rng(derive_seed(seed, "epoch", epoch))
    if weights is None:
        return random.permutation(num_rows)
    return random.choice(num_rows, size=num_rows, p=weights)
