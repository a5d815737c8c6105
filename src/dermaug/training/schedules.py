"""Learning-rate schedules as functions of the completed fraction of the training."""

import math


def constant(fraction: float) -> float:
    """Factor 1 throughout."""
    return 1.0


def cosine(fraction: float) -> float:
    """Half a cosine from 1 to 0 (Loshchilov and Hutter, arXiv:1608.03983, without restarts).

    Example:
        >>> cosine(0.0), round(cosine(0.5), 6), round(cosine(1.0), 6)
        (1.0, 0.5, 0.0)
    """
    return 0.5 * (1.0 + math.cos(math.pi * min(fraction, 1.0)))


SCHEDULES = {"constant": constant, "cosine": cosine}


def warmed_up(name: str, fraction: float, warmup: float) -> float:
    """Factor on the peak learning rate: linear from 0 during `warmup`, then the schedule.

    Args:
        name: Key of `SCHEDULES`.
        fraction: Completed fraction of the training, 0 to 1.
        warmup: Fraction of the training during which the learning rate rises, 0 to below 1.

    Example:
        >>> warmed_up("cosine", 0.05, warmup=0.1)
        0.5
    """
    if fraction < warmup:
        return fraction / warmup
    return SCHEDULES[name]((fraction - warmup) / (1.0 - warmup))
