"""Quantiles and tails of a mixture of t distributions, from group draws and trainings.

A resampled difference has two parts: the effect of the drawn groups, given as thousands of draws,
and the effect of the trainings, given as a t distribution. Their sum is a mixture of t
distributions, one around each draw. Its tails are smooth, so the number of draws sets no lower
limit to p-values.
"""

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri, stdtr, stdtrit

NODES = 200
"""Number of nodes of equal weight that replace the draws; changes quantiles by < 1 % of an SD."""
_STEPS = 40
_SCORES = ndtri((np.arange(20) + 0.5) / 20)
_NORMAL = _SCORES / _SCORES.std()
"""A standard normal distribution as nodes of equal weight."""


def nodes_of(draws: Float[np.ndarray, "r m"], nodes: int = NODES) -> Float[np.ndarray, "b m"]:
    """Sort the draws and average neighbouring ones into nodes of equal weight.

    Draws that are too many for nodes of equal weight are left out before they are sorted, so that
    none of the tails is cut.
    """
    number = len(draws) // nodes if len(draws) >= nodes else 1
    ordered = np.sort(draws[: len(draws) // number * number], axis=0)
    return np.asarray(ordered.reshape(-1, number, draws.shape[1]).mean(axis=1))


def blurred(nodes: Float[np.ndarray, "b m"], by: Float[np.ndarray, " m"]) -> np.ndarray:
    """Nodes of the sum of a distribution and a normal one: (b m); that of -x is minus that of x.

    Args:
        nodes: The distribution, as nodes of equal weight.
        by: Standard deviation of the normal one; 0 leaves the nodes as they are.
    """
    sums = nodes[:, None] + _NORMAL[:, None] * by
    return nodes_of(sums.reshape(-1, nodes.shape[1]), len(nodes))


def below(
    x: Float[np.ndarray, " m"],
    nodes: Float[np.ndarray, "b m"],
    scale: Float[np.ndarray, " m"],
    freedom: float,
) -> Float[np.ndarray, " m"]:
    """Probability of a value below x.

    Args:
        x: One value per column.
        nodes: Centres of equal weight.
        scale: Scale of the t distributions; 0 leaves the nodes themselves.
        freedom: Degrees of freedom.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = (x - nodes) / scale
    blurred = stdtr(freedom, np.nan_to_num(distance, posinf=1e300, neginf=-1e300))
    return np.asarray(np.where(scale > 0, blurred, (nodes < x) + 0.5 * (nodes == x)).mean(axis=0))


def quantile(
    probability: float,
    nodes: Float[np.ndarray, "b m"],
    scale: Float[np.ndarray, " m"],
    freedom: float,
) -> Float[np.ndarray, " m"]:
    """Quantile of the mixture, by bisection; columns with NaN stay NaN."""
    reach = scale * abs(float(stdtrit(freedom, min(probability, 1 - probability) / 2)))
    low, high = nodes.min(axis=0) - reach, nodes.max(axis=0) + reach
    for _ in range(_STEPS):
        middle = (low + high) / 2
        is_below = below(middle, nodes, scale, freedom) < probability
        low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
    return np.asarray((low + high) / 2)
