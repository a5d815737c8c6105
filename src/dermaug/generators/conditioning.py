"""When a network is told the class: after all classes were learnt together.

Conditioning a class of a hundred images from the start collapses it; learning the classes together
first and telling them apart gradually does not (Shahbazi et al. 2022, arXiv:2201.06578, section 4).
"""


def told_share(fraction: float, start: float, end: float) -> float:
    """How much of the class is told: 0 before `start`, 1 from `end` on, linear between.

    Args:
        fraction: Share of the training that is done, 0 to 1.
        start: Share at which telling begins.
        end: Share at which everything is told.

    Example:
        >>> [told_share(fraction, 0.25, 0.5) for fraction in (0.125, 0.375, 0.75)]
        [0.0, 0.5, 1.0]
    """
    if fraction >= end:
        return 1.0
    return max(0.0, (fraction - start) / (end - start)) if end > start else 0.0
