"""How much trainings differ: a shipped expectation, and its combination with what a study shows.

Two to five trainings tell little of their own variance. As for genes with few arrays (Smyth 2004,
doi:10.2202/1544-6115.1027), the variance of a study is moderated by an expected one that counts as
`FREEDOM` further degrees of freedom: two trainings that happen to agree are no proof of certainty.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from dermaug.stats.metrics import ALL, Metric

FREEDOM = 2.0
"""d0: what the expectation counts for."""
SPREAD = {
    ("argmax", "balanced_accuracy"): 0.023,
    ("argmax", "mean_specificity"): 0.004,
    ("argmax", "accuracy"): 0.012,
    ("argmax", "sensitivity"): 0.5,
    ("argmax", "specificity"): 0.4,
    ("prior-adjusted", "balanced_accuracy"): 0.023,
    ("prior-adjusted", "mean_specificity"): 0.004,
    ("prior-adjusted", "accuracy"): 0.02,
    ("prior-adjusted", "sensitivity"): 0.5,
    ("prior-adjusted", "specificity"): 0.4,
    ("auc", "macro_auc"): 0.0064,
    ("auc", "auc"): 0.1,
}
"""s0 of one fold: standard deviation of the difference between two trainings of one arm, classes on
the logit scale."""


def expected_spread(
    metrics: Sequence[Metric],
    level: Float[np.ndarray, " m"],
    groups: Float[np.ndarray, " m"],
) -> Float[np.ndarray, " m"]:
    """s0 of each metric on its own scale, for the difference of two trainings on one fold.

    Args:
        metrics: Which.
        level: Of the arms that are compared, 0 to 1: rates near 0 or 1 vary less.
        groups: Test groups that each metric rests on; keep rates of 0 and 1 from having none.
    """
    expected = np.array([SPREAD[metric.readout, metric.metric] for metric in metrics])
    inside = (np.nan_to_num(level) * groups + 0.5) / (groups + 1.0)
    is_class = np.array([metric.scope != ALL for metric in metrics])
    return np.where(is_class, expected * inside * (1.0 - inside), expected)


def moderated(
    variance: Float[np.ndarray, " m"], freedom: int, expected: Float[np.ndarray, " m"]
) -> tuple[Float[np.ndarray, " m"], float]:
    """(d0 s0^2 + nu s^2) / (d0 + nu), and d0 + nu (Smyth 2004, section 4).

    Args:
        variance: s^2, as observed.
        freedom: nu, its degrees of freedom.
        expected: s0^2.
    """
    total = FREEDOM + freedom
    return (FREEDOM * expected + freedom * variance) / total, total
