"""What each arm's training set is made of: real rows of one fold, and a dose of synthetic ones."""

from collections.abc import Mapping, Sequence

import numpy as np

from dermaug.config import SyntheticConfig
from dermaug.data.splits import Fold
from dermaug.errors import DermaugError
from dermaug.synthesis.synthetic_set import SyntheticSet, refuse_leakage


def doses(
    config: SyntheticConfig, drawn: Sequence[str], counts: Mapping[str, int]
) -> dict[str, int]:
    """Synthetic images of each class.

    Args:
        config: `dose`: a number for every synthesised class, or one for each that is named;
            `balance`: fill every synthesised class up to this number.
        drawn: Classes that the generator synthesises.
        counts: Real images of each class in the fold's training part.

    Raises:
        DermaugError: A class is named that is not synthesised.

    Example:
        >>> doses(SyntheticConfig(balance=100), ["df", "mel"], {"df": 20, "mel": 300})
        {'df': 80, 'mel': 0}
    """
    if config.balance is not None:
        return {label: max(0, config.balance - counts[label]) for label in drawn}
    if isinstance(config.dose, dict):
        if unknown := sorted(set(config.dose) - set(drawn)):
            raise DermaugError(
                f"a dose of {unknown[0]!r} is asked for, but {config.family} synthesises only "
                f"{', '.join(drawn)}; add it to generators.classes"
            )
        return dict(config.dose)
    return dict.fromkeys(drawn, config.dose or 0)


def take_dose(
    synthetic: Sequence[SyntheticSet], dose: Mapping[str, int], fold: Fold, origin: str
) -> tuple[np.ndarray, list[str]]:
    """The first images of each class, as many as its dose; smaller doses are part of larger ones.

    Args:
        synthetic: Sets that this arm may use.
        dose: Images of each class.
        fold: The fold they are used in; a set made for another one is refused.
        origin: Names the arm in errors.

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


def _of_label(synthetic: SyntheticSet, label: str) -> np.ndarray:
    where = np.asarray(synthetic.labels) == label
    images: np.ndarray = synthetic.images if where.all() else synthetic.images[where]
    return images
