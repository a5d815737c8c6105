"""Trainings with equal predictions: they are copies of one, and no second training."""

from dataclasses import replace

import numpy as np

from dermaug.stats.answers import FoldPredictions

TOLERANCE = 1e-6
"""Largest difference of a probability between copies, which may be written with fewer digits."""


def without_copies(fold: FoldPredictions) -> FoldPredictions:
    """The pairs of trainings of which neither repeats the predictions of an earlier pair.

    Example:
        >>> labels, names = np.array([0, 1]), np.array(["i0", "i1"])
        >>> one = np.array([[0.9, 0.1], [0.2, 0.8]])
        >>> plain = {("A", 0): one, ("A", 1): one, ("B", 0): one[::-1], ("B", 1): 1 - one / 2}
        >>> none = dict.fromkeys(plain)
        >>> given = FoldPredictions(names, labels, names, plain, plain, none, none)
        >>> sorted(without_copies(given).plain)
        [('A', 0), ('B', 0)]
    """
    arms, kept = {arm for arm, _ in fold.plain}, list[int]()
    for seed in sorted({seed for _, seed in fold.plain}):
        if not any(are_equal(fold, (arm, seed), (arm, one)) for arm in arms for one in kept):
            kept.append(seed)
    pairs = [key for key in fold.plain if key[1] in kept]
    return replace(
        fold,
        plain={pair: fold.plain[pair] for pair in pairs},
        even={pair: fold.even[pair] for pair in pairs},
        generator_seed={pair: fold.generator_seed[pair] for pair in pairs},
        trained_on={pair: fold.trained_on[pair] for pair in pairs},
    )


def are_equal(fold: FoldPredictions, one: tuple[str, int], other: tuple[str, int]) -> bool:
    """Whether two trainings, (arm, seed) each, give every image the same probabilities."""
    return np.allclose(fold.plain[one], fold.plain[other], rtol=0, atol=TOLERANCE)
