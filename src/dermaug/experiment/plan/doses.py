"""Number of images of each class in the dose of an arm, as requested and as limited."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from dermaug.config import Arm, GeneratorConfig, SyntheticConfig
from dermaug.errors import DermaugError
from dermaug.training.order import dose_per_real

ROUNDING = 1e-9
"""Relative tolerance, since 0.29 times 100 is slightly less than 29 in floating point."""


def doses(
    config: SyntheticConfig, generators: Sequence[GeneratorConfig], counts: Mapping[str, int]
) -> dict[str, int]:
    """Number of images that the dose adds to each class.

    Args:
        config: `dose` is a number for every class, or one for each named class; `balance` fills
            every class up to this number. Without `classes`, these are all that its generator
            synthesises.
        generators: The generators of the experiment.
        counts: Real images of each class of the data in the fold's training split.

    Example:
        >>> doses(SyntheticConfig(balance=100), (), {"df": 20, "mel": 300})
        {'df': 80, 'mel': 0}
    """
    if isinstance(config.dose, dict):
        return dict(config.dose)
    drawn = {each.key: each.classes for each in generators}
    classes: Iterable[str] = config.classes or drawn.get(config.source) or counts
    if isinstance(config.balance, int):
        there = {} if config.only else counts
        return {label: max(0, config.balance - there.get(label, 0)) for label in classes}
    return dict.fromkeys(classes, config.dose if isinstance(config.dose, int) else 0)


def allowed(arm: Arm, asked: Mapping[str, int], counts: Mapping[str, int]) -> dict[str, int]:
    """Number of images in the dose after the limit, if the dose and real images form one set.

    Args:
        arm: An arm with a dose; a dose that is shown apart from the real images is not reduced.
        asked: Images of each class, as returned by `doses`.
        counts: Real images of each class in the fold's training split, including fixed variants.

    Example:
        >>> arm = Arm(name="gan", synthetic=SyntheticConfig(balance=100))
        >>> allowed(arm, {"df": 80, "mel": 0}, {"df": 20, "mel": 300})
        {'df': 20, 'mel': 0}
    """
    most = arm.most_per_real
    if not most or arm.dose_fraction is not None:
        return dict(asked)
    return {
        label: min(number, math.floor(most * (counts[label] + arm.variants) * (1.0 + ROUNDING)))
        for label, number in asked.items()
    }


def above_limit(
    arm: Arm, sampling: str, dose: Mapping[str, int], counts: Mapping[str, int]
) -> dict[str, float]:
    """Map labels to generated images shown per real image, for classes above the limit.

    Args:
        arm: An arm with a dose.
        sampling: How often a class is shown: natural, sqrt or balanced.
        dose: Number of images of each class in the dose.
        counts: As for `allowed`.

    Raises:
        DermaugError: The limit is exceeded while the dose is shown first and alone, when no real
            images could be shown instead.
    """
    synthetic, most = arm.synthetic, arm.most_per_real
    if synthetic is None or not most:
        return {}
    real = np.array([number + arm.variants for number in counts.values()])
    given = np.array([dose.get(label, 0) for label in counts])
    ratios = dose_per_real(real, given, sampling, arm.dose_fraction)
    found = {
        label: float(ratio)
        for label, ratio in zip(counts, ratios, strict=True)
        if ratio > most * (1.0 + ROUNDING)
    }
    if found and synthetic.first:
        label = max(found, key=found.__getitem__)
        raise DermaugError(
            f"arm {arm.name}: with first = {synthetic.first:g} and {sampling} sampling, "
            f"{found[label]:.3g} generated images of {label} are shown per real image, but "
            f"synthetic.max_per_real allows {most:g}; use a smaller first, a dose in proportion to "
            "the real images or sampling = 'balanced', or remove the limit with max_per_real = 0"
        )
    return found


def pool_size(number: int, synthetic: SyntheticConfig) -> int:
    """Number of images to draw for a dose, so that curation can select among them."""
    return math.ceil(number * (synthetic.curation.pool if synthetic.curation else 1.0))
