"""Do probabilities mean what they say? Guo et al., On Calibration of Modern Neural Networks (2017).

Top label: an image's confidence is its highest probability, and it should be right as often.
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
_FLOOR = 1e-12  # a probability of 0 for the truth would cost infinitely much


def reliability_bins(
    labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"], bins: int = BINS
) -> pd.DataFrame:
    """Confidence against accuracy in equal-width bins (low, high] of the confidence.

    Args:
        labels: Index of the true class.
        probabilities: One row an image, one column a class.
        bins: Number of bins between 0 and 1.

    Returns:
        One row a bin: low, high, images, confidence (mean) and accuracy, NaN in an empty bin.

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
    """Mean distance of confidence and accuracy over bins, weighted by images (Guo 2017, eq. 3).

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
    """Mean squared distance of probabilities and truth, summed over classes (Brier 1950, eq. 2).

    Returns:
        0 (perfect) to 2; NaN without images.
    """
    require_arrays(labels, probabilities)
    truth = np.eye(probabilities.shape[1])[labels]
    return float(ratio(np.square(probabilities - truth).sum(), len(labels)))


def negative_log_likelihood(
    labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"]
) -> float:
    """Mean -log of the probability given to the truth, in nats; NaN without images.

    Probabilities below 1e-12 count as 1e-12, which bounds an image's cost at 27.6.
    """
    require_arrays(labels, probabilities)
    return float(ratio(log_losses(labels, probabilities).sum(), len(labels)))


def fit_temperature(
    labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"]
) -> float:
    """The temperature that minimises the negative log-likelihood (Guo 2017, section 4.2).

    To be fitted on validation and applied to test. The likelihood is concave in 1/T, so the search
    over log T has one minimum.

    Returns:
        Above 1 when the classifier is too sure, within `TEMPERATURES`; NaN without images.
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
    """softmax(log p / T): the order of classes stays, the confidence changes.

    Logs of probabilities serve as logits: they differ from them by a constant for each image,
    which a softmax does not see.

    Args:
        probabilities: One row an image, one column a class.
        temperature: Positive; 1 changes nothing.
    """
    logits = np.log(np.maximum(probabilities, _FLOOR))
    return np.asarray(softmax(logits / temperature, axis=1), dtype=np.float64)


def squared_errors(
    labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"]
) -> Float[np.ndarray, " n"]:
    """What each image adds to `brier_score`: 0 to 2."""
    return np.asarray(np.square(probabilities - np.eye(probabilities.shape[1])[labels]).sum(axis=1))


def log_losses(
    labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"]
) -> Float[np.ndarray, " n"]:
    """What each image adds to `negative_log_likelihood`, in nats: 0 to 27.6."""
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
