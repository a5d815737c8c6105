"""The variance of trainings: a shipped expectation, and its combination with a study's own.

The variance of two to five trainings is itself uncertain. As in the analysis of genes with few
arrays (Smyth 2004, doi:10.2202/1544-6115.1027), the variance of a study is moderated by an expected
one, which counts as `FREEDOM` further degrees of freedom. This way two trainings that agree by
chance do not suggest certainty.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from dermaug.stats.metrics import ALL, Metric

FREEDOM = 2.0
"""d0, the degrees of freedom of the expectation."""
SPREAD = {
    ("argmax", "balanced_accuracy"): 0.0174,
    ("argmax", "mean_specificity"): 0.0022,
    ("argmax", "accuracy"): 0.0069,
    ("argmax", "sensitivity"): 0.261,
    ("argmax", "specificity"): 0.336,
    ("prior-adjusted", "balanced_accuracy"): 0.0137,
    ("prior-adjusted", "mean_specificity"): 0.0015,
    ("prior-adjusted", "accuracy"): 0.0088,
    ("prior-adjusted", "sensitivity"): 0.235,
    ("prior-adjusted", "specificity"): 0.141,
    ("auc", "macro_auc"): 0.0034,
    ("auc", "auc"): 0.0962,
    ("80 % specificity", "sensitivity"): 0.118,
    ("80 % specificity", "specificity"): 0.048,
    ("90 % specificity", "sensitivity"): 0.109,
    ("90 % specificity", "specificity"): 0.104,
    ("95 % specificity", "sensitivity"): 0.169,
    ("95 % specificity", "specificity"): 0.153,
    ("90 % sensitivity", "sensitivity"): 0.222,
    ("90 % sensitivity", "specificity"): 0.102,
    ("95 % sensitivity", "sensitivity"): 0.398,
    ("95 % sensitivity", "specificity"): 0.101,
    ("calibration", "brier"): 0.0043,
    ("calibration", "nll"): 0.0081,
    ("calibration", "slope"): 0.039,
    ("calibration", "intercept"): 0.060,
}
"""Standard deviation of the difference between two trainings of one arm on one fold, classes and
targets on the logit scale unless `PLAIN`: the CNN of Frid-Adar et al. on HAM10000 at 32 px, 240,000
images, natural sampling, eight seeds in each of five folds; from the rules on, eight in each of
three folds and six in a fourth. Rules and calibration are those of melanoma and of malignancy
(`benchmarks/null_verdicts.py`, 27 November 2026)."""
PLAIN = ("slope", "intercept")
"""Metrics of a target that are measured as they are: they are no shares."""
UNKNOWN = {True: 0.336, False: 0.0174}
"""For metrics without a measurement, of single classes or overall: the largest of the three
read-outs argmax, prior-adjusted and AUC."""
MARGIN = 1.5
"""Factor on `SPREAD`: other data and networks may vary more, and an expectation that is too small
gives intervals that are too narrow with few trainings (`benchmarks/interval_coverage.py`)."""


def expected_spread(
    metrics: Sequence[Metric], level: Float[np.ndarray, " m"], groups: Float[np.ndarray, " m"]
) -> Float[np.ndarray, " m"]:
    """Expected s0 of each metric on its own scale, for the difference of two trainings on a fold.

    Args:
        metrics: The metrics.
        level: Level of the compared arms, 0 to 1; rates near 0 or 1 vary less.
        groups: Number of test groups of each metric, which keeps s0 positive at rates of 0 and 1.
    """
    is_share = np.array([metric.scope != ALL and metric.metric not in PLAIN for metric in metrics])
    measured = (SPREAD.get((metric.readout, metric.metric)) for metric in metrics)
    expected = MARGIN * np.array(
        [each or UNKNOWN[bool(single)] for each, single in zip(measured, is_share, strict=True)]
    )
    inside = (np.nan_to_num(level) * groups + 0.5) / (groups + 1.0)
    return np.where(is_share, expected * inside * (1.0 - inside), expected)


def moderated(
    variance: Float[np.ndarray, " m"], freedom: int, expected: Float[np.ndarray, " m"]
) -> tuple[Float[np.ndarray, " m"], float]:
    """(d0 s0^2 + nu s^2) / (d0 + nu), and d0 + nu (Smyth 2004, section 4), for s^2, nu and s0^2."""
    total = FREEDOM + freedom
    return (FREEDOM * expected + freedom * variance) / total, total
