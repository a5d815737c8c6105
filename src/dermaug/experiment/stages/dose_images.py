"""The images of a dose: the first images drawn by generators, or repeated real images."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int

from dermaug.data.splits import Fold
from dermaug.errors import DermaugError
from dermaug.seeding import derive_seed
from dermaug.synthesis.synthetic_set import SyntheticSet, refuse_leakage
from dermaug.training.order import Order


def take_dose(
    synthetic: Sequence[SyntheticSet], dose: Mapping[str, int], fold: Fold, origin: str
) -> tuple[np.ndarray, list[str]]:
    """Take the first images of each class, so that doses are nested.

    Args:
        synthetic: Synthetic sets that this arm may use.
        dose: Number of images of each class.
        fold: The fold of the trial; a set made for another fold is refused.
        origin: Name of the arm in error messages.

    Returns:
        uint8 images (n, size, size, 3) and their labels.

    Raises:
        DermaugError: A set leaks, or holds too few images.
    """
    parts, labels = [], []
    for given in synthetic:
        refuse_leakage(given.provenance, fold.key, fold.train, origin)
    for label, number in dose.items():
        if number == 0:
            continue
        found = [part for given in synthetic if len(part := _of_label(given, label))]
        images = np.concatenate(found)[:number] if found else np.empty((0,))
        if len(images) < number:
            raise DermaugError(
                f"{origin}: {number} synthetic images of {label} are needed, {len(images)} found"
            )
        parts.append(images)
        labels += [label] * number
    if not parts:
        return np.empty((0, 1, 1, 3), np.uint8), []
    return np.concatenate(parts), labels


def repeat(
    labels: Int[np.ndarray, " n"], dose: Mapping[int, int], seed: int
) -> Int[np.ndarray, " m"]:
    """Draw rows of real images again; every image of a class is drawn before any is repeated.

    Args:
        labels: Class of each real row.
        dose: Class -> number of rows.
        seed: Random seed; smaller doses are the beginning of larger ones.

    Raises:
        DermaugError: A class has a dose but no real image.
    """
    parts = [np.empty(0, dtype=np.int64)]
    for label, number in dose.items():
        rows = np.flatnonzero(labels == label)
        if number and not len(rows):
            raise DermaugError(f"class {label} has no real image to repeat")
        if number:
            parts.append(rows[Order(len(rows), derive_seed(seed, label)).batch(0, number)])
    return np.concatenate(parts)


def _of_label(synthetic: SyntheticSet, label: str) -> np.ndarray:
    where = np.asarray(synthetic.labels) == label
    images: np.ndarray = synthetic.images if where.all() else synthetic.images[where]
    return images
