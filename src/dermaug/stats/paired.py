"""Exact McNemar test on lesions (McNemar 1947, Psychometrika 12:153-157)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import binomtest


@dataclass(frozen=True)
class McNemar:
    """Lesions on which two arms differ.

    Args:
        better: Lesions that the arm gets right more often than the reference.
        worse: Lesions that it gets right less often.
        p: Two-sided exact binomial p-value of `better` against `worse`; 1 without such lesions.
    """

    better: int
    worse: int
    p: float


def mcnemar_exact(gains: Float[np.ndarray, " g"]) -> McNemar:
    """Test whether lesions on which the arms differ favour one of them.

    The unit is the lesion, not the image: images of one lesion fail together, and counting them as
    independent would make the test too sure. With one image and one network a lesion, this is
    McNemar's exact test; with several, a lesion counts once, by the sign of its net gain.

    Args:
        gains: Right answers of the arm minus those of the reference, by lesion, summed over its
            images and the networks.

    Example:
        >>> mcnemar_exact(np.array([1, 1, 1, 1, 1, 1, 0, -1])).p
        0.125
    """
    better, worse = int((gains > 0).sum()), int((gains < 0).sum())
    differing = better + worse
    p = float(binomtest(better, differing).pvalue) if differing else 1.0
    return McNemar(better, worse, p)
