"""Which images are shown when: a pure function of the seed and of the images shown so far.

Nothing has to be stored to go on in the middle of an epoch: the batch at position p is a slice of
an endless sequence of shuffled epochs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Dosage:
    """How the dose of a training set is shown.

    Args:
        rows: Rows of the dose, the last ones.
        share: Of the dose among all that is shown; None shows all rows as one set.
        first: Fraction of the training that shows the dose alone, before the real images alone; 0
            mixes them.
    """

    rows: int
    share: float | None = None
    first: float = 0.0


@dataclass(frozen=True, eq=False)
class Phase:
    """A stretch of a training.

    Args:
        until: Fraction of the training at which it ends.
        weights: As for `Order`.
    """

    until: float
    weights: Float[np.ndarray, " num_rows"] | None


class PhasedOrder:
    """An order whose weights change with the training.

    Args:
        num_rows: As for `Order`.
        seed: As for `Order`.
        phases: In time; the last one lasts to the end.
    """

    def __init__(self, num_rows: int, seed: int, phases: Sequence[Phase]) -> None:
        self._orders = [(phase.until, Order(num_rows, seed, phase.weights)) for phase in phases]

    def batch(self, position: int, batch: int, fraction: float) -> Int[np.ndarray, " batch"]:
        """Rows of a batch after `position` images, at a fraction of the training."""
        lasting = (order for until, order in self._orders if fraction < until)
        return next(lasting, self._orders[-1][1]).batch(position, batch)


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


def phases(
    labels: Int[np.ndarray, " n"], sampling: str, dosage: Dosage | None
) -> tuple[Phase, ...]:
    """What a training shows from beginning to end.

    Args:
        labels: Class of each row.
        sampling: As for `class_weights`.
        dosage: How the dose is shown; None shows all rows as one set.
    """
    if dosage is not None and dosage.first:
        return (
            Phase(dosage.first, part_weights(labels, sampling, dosage.rows, 1.0)),
            Phase(1.0, part_weights(labels, sampling, dosage.rows, 0.0)),
        )
    if dosage is not None and dosage.share is not None:
        return (Phase(1.0, part_weights(labels, sampling, dosage.rows, dosage.share)),)
    return (Phase(1.0, class_weights(labels, sampling)),)


def part_weights(
    labels: Int[np.ndarray, " n"], sampling: str, dosed: int, share: float
) -> Float[np.ndarray, " n"]:
    """How often each row is drawn when the last rows, the dose, make up a share of what is shown.

    Args:
        labels: Class of each row.
        sampling: As for `class_weights`, within the dose and within the rest.
        dosed: Rows of the dose, at the end.
        share: Of the dose among all that is shown, 0 to 1.

    Returns:
        Weights with sum 1.
    """
    parts = labels[: len(labels) - dosed], labels[len(labels) - dosed :]
    return np.concatenate(
        [
            total * (np.full(len(part), 1.0 / len(part)) if alike is None else alike)
            for part, total in zip(parts, (1.0 - share, share), strict=True)
            if len(part)
            for alike in [class_weights(part, sampling)]
        ]
    )


def _epoch(
    num_rows: int, epoch: int, seed: int, weights: Float[np.ndarray, " num_rows"] | None
) -> Int[np.ndarray, " num_rows"]:
    random = np.random.default_rng(derive_seed(seed, "epoch", epoch))
    if weights is None:
        return random.permutation(num_rows)
    return random.choice(num_rows, size=num_rows, p=weights)
