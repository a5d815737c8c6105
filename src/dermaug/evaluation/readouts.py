"""Three read-outs of a classifier: argmax, prior-adjusted decisions, and ranking (AUC).

A network trained by cross-entropy estimates p(c | image) under the prior that its loss saw.
Dividing by that prior (Menon et al. 2021, arXiv:2007.07314, equation 9 with tau = 1; Saerens et
al. 2002) leaves the evidence of the image. An arm that only shows rare classes more often moves its
decision threshold, which raises mean sensitivity at argmax only.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from dermaug.evaluation.discrimination import overall, per_class

ARGMAX, ADJUSTED, AUC = "argmax", "prior-adjusted", "auc"
OVERALL_ADJUSTED = ("balanced_accuracy_adjusted", "mean_specificity_adjusted")
"""Overall metrics of the prior-adjusted decisions."""
ABSENT = 1e-6
"""Prior that is taken for a class that was never shown."""


def prior_adjusted(
    probabilities: Float[np.ndarray, "n k"], prior: Float[np.ndarray, " k"]
) -> Float[np.ndarray, "n k"]:
    """Probabilities under the uniform prior: p_c / q_c, renormalised.

    Args:
        probabilities: One row per image, one column per class.
        prior: q, the prior that the loss saw in training; sums to 1.

    Example:
        >>> prior_adjusted(np.array([[0.9, 0.1]]), np.array([0.9, 0.1])).round(3)
        array([[0.5, 0.5]])
    """
    scaled = probabilities / np.maximum(prior, ABSENT)
    return np.asarray(scaled / scaled.sum(axis=1, keepdims=True))


def at_prevalence(
    probabilities: Float[np.ndarray, "n k"],
    prior: Float[np.ndarray, " k"],
    prevalence: Float[np.ndarray, " k"],
) -> Float[np.ndarray, "n k"]:
    """Probabilities at a stated prevalence: p_c pi_c / q_c, renormalised.

    Args:
        probabilities: As for `prior_adjusted`.
        prior: As for `prior_adjusted`.
        prevalence: pi, the share of each class where the classifier is used; sums to 1.
    """
    return prior_adjusted(probabilities, np.maximum(prior, ABSENT) / np.maximum(prevalence, ABSENT))


def prior_array(prior: Mapping[str, float], classes: Sequence[str]) -> Float[np.ndarray, " k"]:
    """A recorded prior in the order of the classes."""
    return np.array([prior[label] for label in classes], dtype=np.float64)


def overall_read(
    labels: Int[np.ndarray, " n"],
    probabilities: Float[np.ndarray, "n k"],
    prior: Float[np.ndarray, " k"],
) -> dict[str, float]:
    """The metrics of `discrimination.overall` and those of `OVERALL_ADJUSTED`.

    The former are computed at argmax, except `macro_auc`, which uses the uniform prior; the latter
    from prior-adjusted decisions.
    """
    found = overall(labels, probabilities)
    even = overall(labels, prior_adjusted(probabilities, prior))
    found["macro_auc"] = even["macro_auc"]
    return found | {name: even[name.removesuffix("_adjusted")] for name in OVERALL_ADJUSTED}


def per_class_read(
    labels: Int[np.ndarray, " n"],
    probabilities: Float[np.ndarray, "n k"],
    prior: Float[np.ndarray, " k"],
    classes: Sequence[str],
) -> pd.DataFrame:
    """The columns of `discrimination.per_class`, and sensitivity and specificity prior-adjusted.

    Returns:
        One row per class, at argmax, with `auc` and `average_precision` at the uniform prior, and
        sensitivity_adjusted and specificity_adjusted.
    """
    table = per_class(labels, probabilities, classes)
    even = per_class(labels, prior_adjusted(probabilities, prior), classes)
    ranked = {name: even[name] for name in ("auc", "average_precision")}
    fair = {f"{name}_adjusted": even[name] for name in ("sensitivity", "specificity")}
    return table.assign(**ranked, **fair)
