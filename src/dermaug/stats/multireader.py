"""Mean score of several readers, for other readers and cases too (Obuchowski & Rockette 1995).

Every reader reads every case. In the model of one modality, a reader's score is the mean over all
readers, plus the reader's own skill, plus an error from the cases, which readers share:
theta_j = mu + R_j + e_j. Degrees of freedom follow Hillis 2007 (doi:10.1002/sim.2532), as for one
modality in Hillis 2014 (doi:10.1002/sim.5926).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import t

LEAST_READERS = 3


@dataclass(frozen=True)
class ReaderMean:
    """Mean score of several readers.

    Args:
        mean: Mean over readers.
        low: Lower end of its interval; NaN with fewer than three readers, or where nothing varies.
        high: Upper end.
        readers: Number of readers.
        cases: Number of cases.
    """

    mean: float
    low: float
    high: float
    readers: int
    cases: int


def reader_mean(
    right: Float[np.ndarray, "cases readers"], strata: Int[np.ndarray, " cases"]
) -> ReaderMean:
    """Mean share of correct answers; its 95 % interval covers the choice of readers and cases.

    Args:
        right: 1 where a reader answered a case correctly, otherwise 0.
        strata: Kind of each case, for example real or synthetic; each kind is sampled by itself.

    Example:
        >>> answers = np.array([[1.0, 1, 0], [1, 0, 0], [1, 1, 1], [0, 1, 1]])
        >>> found = reader_mean(answers, np.zeros(4, int))
        >>> round(found.mean, 3), round(found.low, 2), round(found.high, 2)
        (0.667, 0.31, 1.0)
    """
    cases, readers = right.shape
    mean = float(right.mean()) if right.size else float("nan")
    nothing = ReaderMean(mean, float("nan"), float("nan"), readers, cases)
    counts = np.unique(strata, return_counts=True)[1]
    if readers < LEAST_READERS or not cases or counts.min() < 2:
        return nothing
    between = float(right.mean(axis=0).var(ddof=1))  # mean square of readers, MS(R)
    shared = max(0.0, _shared_covariance(right, strata))  # Cov2
    variance = between / readers + shared
    if variance == 0.0:
        return nothing
    freedom = (
        (between + readers * shared) ** 2 / (between**2 / (readers - 1)) if between else np.inf
    )
    half = float(t.ppf(0.975, freedom)) * variance**0.5
    return ReaderMean(mean, max(0.0, mean - half), min(1.0, mean + half), readers, cases)


def _shared_covariance(
    right: Float[np.ndarray, "cases readers"], strata: Int[np.ndarray, " cases"]
) -> float:
    """Mean covariance of the scores of two readers, which comes from their common cases."""
    readers = right.shape[1]
    covariance = np.zeros((readers, readers))
    for stratum in np.unique(strata):
        part = right[strata == stratum]
        covariance += len(part) * np.cov(part, rowvar=False)
    covariance /= len(right) ** 2
    return float((covariance.sum() - np.trace(covariance)) / (readers * (readers - 1)))
