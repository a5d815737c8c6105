"""Slope and intercept of calibration (Van Calster et al. 2019, doi:10.1186/s12916-019-1466-7).

Logistic regression of the outcome on the predicted log odds; slope 1 and intercept 0 are ideal. A
slope below 1 means that predictions are too extreme, an intercept below 0 that the outcome is rarer
than predicted.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import expit, logit

CLOSEST = 1e-6
"""Probabilities closer to 0 or 1 are clipped: log odds of 0 are infinite."""
_STEPS = 50
_TOLERANCE = 1e-10


@dataclass(frozen=True, eq=False)
class Fitted:
    """A parameter of a logistic regression.

    Args:
        value: NaN if the outcome is constant or perfectly separated.
        influence: Change of the value when an image counts once more, to first order (Huber 1964).
    """

    value: float
    influence: Float[np.ndarray, " n"]


def calibration_slope(
    positive: Bool[np.ndarray, " n"],
    probabilities: Float[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"],
) -> Fitted:
    """Slope b of logit P(positive) = a + b logit p; a is fitted as well.

    Args:
        positive: Outcome of each image.
        probabilities: p, the predicted probabilities.
        weights: Weight of each image.
    """
    predicted = _log_odds(probabilities)
    design = np.stack([predicted, np.ones_like(predicted)], axis=1)
    return _fit(positive, design, np.zeros_like(predicted), weights)


def calibration_intercept(
    positive: Bool[np.ndarray, " n"],
    probabilities: Float[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"],
) -> Fitted:
    """Intercept a of logit P(positive) = a + logit p: calibration in the large."""
    predicted = _log_odds(probabilities)
    return _fit(positive, np.ones((len(predicted), 1)), predicted, weights)


def _log_odds(probabilities: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    return np.asarray(logit(np.clip(probabilities, CLOSEST, 1.0 - CLOSEST)))


def _fit(
    positive: Bool[np.ndarray, " n"],
    design: Float[np.ndarray, "n p"],
    offset: Float[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"],
) -> Fitted:
    """The first parameter by Newton's method, from 0."""
    parameters = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        expected = expit(design @ parameters + offset)
        curvature = (design * (weights * expected * (1 - expected))[:, None]).T @ design
        if not np.isfinite(curvature).all() or np.linalg.cond(curvature) > 1 / _TOLERANCE:
            break
        influence = np.linalg.solve(curvature, (design * (positive - expected)[:, None]).T)
        step = influence @ weights
        if np.abs(step).max() < _TOLERANCE:
            return Fitted(float(parameters[0]), influence[0])
        # A full Newton step may overshoot far from the optimum.
        parameters = parameters + step / max(1.0, float(np.abs(step).max()))
    return Fitted(float("nan"), np.zeros(len(design)))
