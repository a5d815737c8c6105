"""The schedule of conditioning on the class, which starts after all classes were learnt together.

A class of a hundred images collapses if it is conditioned from the start. It does not if the
classes are first learnt together and then conditioned gradually (Shahbazi et al. 2022,
arXiv:2201.06578, section 4).
"""


def told_share(fraction: float, start: float, end: float) -> float:
    """Strength of conditioning: 0 before `start`, 1 from `end` on, linear between.

    Args:
        fraction: Completed fraction of the training, 0 to 1.
        start: Fraction at which conditioning starts.
        end: Fraction at which conditioning is complete.

    Example:
        >>> [told_share(fraction, 0.25, 0.5) for fraction in (0.125, 0.375, 0.75)]
        [0.0, 0.5, 1.0]
    """
    if fraction >= end:
        return 1.0
    return max(0.0, (fraction - start) / (end - start)) if end > start else 0.0
