"""Calibration of the top label (Guo et al. 2017, On Calibration of Modern Neural Networks).

The confidence of an image is its highest probability. A calibrated classifier is right as often as
its confidence says.
"""

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from dermaug.evaluation.discrimination import ratio, require_arrays

BINS = 15
SCORES = ("ece", "brier", "nll")
TEMPERATURES = (0.05, 20.0)
"""Where the temperature is looked for; a value at an end says that validation has no best one."""
_FLOOR = 1e-12  # a probability of 0 for the true class would give an infinite loss


def reliability_bins(
    labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"], bins: int = BINS
) -> pd.DataFrame:
    """Mean confidence and accuracy in bins (low, high] of equal width of the confidence.

    Args:
        labels: Index of the true class.
        probabilities: One row per image, one column per class.
        bins: Number of bins between 0 and 1.

    Returns:
        One row per bin: low, high, images, confidence (mean) and accuracy, NaN in an empty bin.

    Raises:
        DermaugError: The shapes disagree, a label has no column, or a value is not a number.
    """
    require_arrays(labels, probabilities)
    edges = np.linspace(0.0, 1.0, bins + 1)
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    images, sum_confidence, sum_right = (
        np.bincount(place, weights=weights, minlength=bins)
        for weights in (np.ones(len(labels)), confidence, right.astype(float))
    )
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "images": images.astype(np.int64),
            "confidence": ratio(sum_confidence, images),
            "accuracy": ratio(sum_right, images),
        }
    )


def expected_calibration_error(
    labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"], bins: int = BINS
) -> float:
    """Mean |confidence - accuracy| over bins, weighted by images (Guo 2017, equation 3).

    Returns:
        0 (calibrated) to 1; NaN without images.

    Example:
        >>> sure = np.array([[1.0, 0.0], [1.0, 0.0]])
        >>> expected_calibration_error(np.array([0, 1]), sure)
        0.5
    """
    table = reliability_bins(labels, probabilities, bins)
    distance = (table["confidence"] - table["accuracy"]).abs()
    return float(ratio((distance * table["images"]).sum(), table["images"].sum()))


def brier_score(labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"]) -> float:
    """Mean squared error of the probabilities, summed over classes (Brier 1950, equation 2).

    Returns:
        0 (perfect) to 2; NaN without images.
    """
    require_arrays(labels, probabilities)
    truth = np.eye(probabilities.shape[1])[labels]
    return float(ratio(np.square(probabilities - truth).sum(), len(labels)))


def negative_log_likelihood(
    labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"]
) -> float:
    """Mean negative log-probability of the true class, in nats; NaN without images.

    Probabilities below 1e-12 count as 1e-12, so an image contributes at most 27.6.
    """
    require_arrays(labels, probabilities)
    return float(ratio(log_losses(labels, probabilities).sum(), len(labels)))


def fit_temperature(
    labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"]
) -> float:
    """The temperature that minimises the negative log-likelihood (Guo 2017, section 4.2).

    Fit it on validation and apply it to test. The likelihood is concave in 1/T, so the search
    over log T has one minimum.

    Returns:
        Above 1 if the classifier is overconfident, within `TEMPERATURES`; NaN without images.
    """
    require_arrays(labels, probabilities)
    if not len(labels):
        return float("nan")
    low, high = np.log(TEMPERATURES)
    found = minimize_scalar(
        lambda log_t: negative_log_likelihood(
            labels, with_temperature(probabilities, float(np.exp(log_t)))
        ),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-5},
    )
    return float(np.exp(found.x))


def with_temperature(
    probabilities: Float[np.ndarray, "n k"], temperature: float
) -> Float[np.ndarray, "n k"]:
    """Temperature scaling, softmax(log p / T): changes the confidence, not the order of classes.

    Log-probabilities can replace the logits: the two differ by a constant per image, to which
    softmax is invariant.
    """
    logits = np.log(np.maximum(probabilities, _FLOOR))
    return np.asarray(softmax(logits / temperature, axis=1), dtype=np.float64)


def squared_errors(
    labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"]
) -> Float[np.ndarray, " n"]:
    """Squared error of each image, 0 to 2; the mean is `brier_score`."""
    return np.asarray(np.square(probabilities - np.eye(probabilities.shape[1])[labels]).sum(axis=1))


def log_losses(
    labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"]
) -> Float[np.ndarray, " n"]:
    """Loss of each image in nats, 0 to 27.6; the mean is `negative_log_likelihood`."""
    given = probabilities[np.arange(len(labels)), labels]
    return np.asarray(-np.log(np.maximum(given, _FLOOR)))


def calibration_scores(
    labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"]
) -> dict[str, float]:
    """The metrics of `SCORES`: ece, brier and nll."""
    return {
        "ece": expected_calibration_error(labels, probabilities),
        "brier": brier_score(labels, probabilities),
        "nll": negative_log_likelihood(labels, probabilities),
    }
