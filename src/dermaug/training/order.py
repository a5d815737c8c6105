"""The order in which images are shown: a pure function of seed and number of images shown.

Nothing has to be stored to resume in the middle of an epoch: the batch at position p is a slice of
an endless sequence of shuffled epochs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from dermaug.seeding import derive_seed


class Order:
    """An endless sequence of shuffled epochs with random access.

    Args:
        num_rows: Number of rows of the training set.
        seed: Seed of the order.
        weights: How often each row is drawn, relative to the others (with replacement); None shows
            every row once per epoch.

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
        # Only what the batch takes from each epoch is copied, not the epochs.
        parts = []
        for epoch, rows in self._epochs.items():
            start = position - epoch * self.num_rows
            parts.append(rows[max(0, start) : max(0, start + batch)])
        return np.concatenate(parts)


@dataclass(frozen=True)
class Dosage:
    """How the dose of a training set is shown.

    Args:
        rows: Rows of the dose, the last ones.
        share: Fraction of the images shown that come from the dose; None shows all rows as one set.
        first: Fraction of the training that shows only the dose, before only real images follow; 0
            mixes them.
        most_per_real: Largest number of images of the dose shown per other image of the class, if a
            share of the dose is shown; 0 sets no limit.
    """

    rows: int
    share: float | None = None
    first: float = 0.0
    most_per_real: float = 0.0


@dataclass(frozen=True, eq=False)
class Phase:
    """A phase of a training.

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
        phases: Phases in temporal order; the last one lasts to the end.
    """

    def __init__(self, num_rows: int, seed: int, phases: Sequence[Phase]) -> None:
        self._orders = [(phase.until, Order(num_rows, seed, phase.weights)) for phase in phases]

    def batch(self, position: int, batch: int, fraction: float) -> Int[np.ndarray, " batch"]:
        """Rows of a batch after `position` images, at a fraction of the training."""
        lasting = (order for until, order in self._orders if fraction < until)
        return next(lasting, self._orders[-1][1]).batch(position, batch)


def class_shares(counts: Int[np.ndarray, " k"], sampling: str) -> Float[np.ndarray, " k"]:
    """Share of each class among the images shown, from its number of images.

    Args:
        counts: Images of each class; a class without any is never shown.
        sampling: natural (in proportion to the number), sqrt (to its square root) or balanced
            (every class equally often).

    Example:
        >>> class_shares(np.array([900, 100, 0]), "sqrt")
        array([0.75, 0.25, 0.  ])
    """
    power = {"natural": 1.0, "sqrt": 0.5, "balanced": 0.0}[sampling]
    shares = np.where(counts > 0, counts.astype(np.float64) ** power, 0.0)
    return np.asarray(shares / max(shares.sum(), 1.0))


def class_weights(labels: Int[np.ndarray, " n"], sampling: str) -> Float[np.ndarray, " n"] | None:
    """Sampling weight of each row under a sampling rule; None if all are shown equally often."""
    if sampling == "natural":
        return None
    counts = np.bincount(labels)
    return np.asarray((class_shares(counts, sampling) / np.maximum(counts, 1))[labels])


def dose_per_real(
    real: Int[np.ndarray, " k"], dose: Int[np.ndarray, " k"], sampling: str, share: float | None
) -> Float[np.ndarray, " k"]:
    """Images of the dose shown per real image, by class; infinite for a class without real images.

    Args:
        real: Real images of each class.
        dose: Images of the dose.
        sampling: As for `class_shares`.
        share: Of the dose among all that is shown, mixed or first; None shows all as one set, in
            which all images of a class are shown equally often.

    Example:
        >>> dose_per_real(np.array([10, 90]), np.array([20, 0]), "natural", None)
        array([2., 0.])
        >>> dose_per_real(np.array([10, 90]), np.array([20, 20]), "natural", 0.5)
        array([5.        , 0.55555556])
    """
    shown = (real.astype(np.float64), dose.astype(np.float64))
    if share is not None:
        shown = (1.0 - share) * class_shares(real, sampling), share * class_shares(dose, sampling)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(dose > 0, shown[1] / shown[0], 0.0))


def phases(
    labels: Int[np.ndarray, " n"], sampling: str, dosage: Dosage | None
) -> tuple[Phase, ...]:
    """The phases of a training, with their sampling weights.

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
        most = dosage.most_per_real
        return (Phase(1.0, part_weights(labels, sampling, dosage.rows, dosage.share, most)),)
    return (Phase(1.0, class_weights(labels, sampling)),)


def part_weights(
    labels: Int[np.ndarray, " n"],
    sampling: str,
    dosed: int,
    share: float,
    most_per_real: float = 0.0,
) -> Float[np.ndarray, " n"]:
    """Sampling weight of each row if the dose, the last rows, makes up a fraction of what is shown.

    Args:
        labels: Class of each row.
        sampling: As for `class_shares`, within the dose and within the rest.
        dosed: Number of rows of the dose, at the end.
        share: Of the dose among all that is shown, 0 to 1.
        most_per_real: Images of the dose shown for each other one of their class, at most; what is
            over goes to these others, so that classes keep their shares. 0 sets no limit.

    Returns:
        Weights with sum 1.
    """
    parts = labels[: len(labels) - dosed], labels[len(labels) - dosed :]
    real, dose = (np.bincount(part, minlength=int(labels.max()) + 1) for part in parts)
    shown_real = (1.0 - share) * class_shares(real, sampling)
    shown_dose = share * class_shares(dose, sampling)
    if most_per_real:
        over = (shown_dose - most_per_real * shown_real) / (1.0 + most_per_real)
        over = np.where(real > 0, np.maximum(over, 0.0), shown_dose)
        shown_real, shown_dose = shown_real + np.where(real > 0, over, 0.0), shown_dose - over
    each = [shown_real / np.maximum(real, 1), shown_dose / np.maximum(dose, 1)]
    weights = np.concatenate([shares[part] for shares, part in zip(each, parts, strict=True)])
    return np.asarray(weights / weights.sum())


def _epoch(
    num_rows: int, epoch: int, seed: int, weights: Float[np.ndarray, " num_rows"] | None
) -> Int[np.ndarray, " num_rows"]:
    random = np.random.default_rng(derive_seed(seed, "epoch", epoch))
    if weights is None:
        return random.permutation(num_rows)
    return random.choice(num_rows, size=num_rows, p=weights)
