"""Power of a design before it is run: the estimators of `hierarchy` with expected variances.

The spread of trainings comes from `dermaug.stats.spread.SPREAD`, that of test groups from
`DISCORDANCE`; both were measured once, on one network and data set. The result is a rough guide:
other networks and data may vary more or less.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri

from dermaug.evaluation.readouts import ADJUSTED, AUC
from dermaug.stats.estimate import Estimate
from dermaug.stats.metrics import ALL, Metric
from dermaug.stats.spread import FREEDOM, MARGIN, expected_spread
from dermaug.stats.trainings import CLASSIFIERS, FEWEST_FOLDS, GROUPS_ONLY, TRAINING_SETS

LEVEL = 0.6
"""Assumed sensitivity of a class; rates near one half vary most."""
DISCORDANCE = {"sensitivity": 0.10, "auc": 0.004}
"""Variance of the contribution of one test group of a class to a paired difference in that class's
sensitivity (prior-adjusted) and AUC, for pairs of trainings of one arm, mean over seven classes,
measured together with `SPREAD`. Arms of different kinds disagree on more groups."""
_NODES = ndtri((np.arange(400) + 0.5) / 400)


@dataclass(frozen=True, eq=False)
class Design:
    """The design of a comparison of two arms.

    Args:
        tested: Number of test groups of each class in each fold.
        overlap: Test groups per training group, mean over folds.
        trainings: Number of trainings of each arm per fold: generator seeds if there are several,
            otherwise classifier seeds.
    """

    tested: Float[np.ndarray, "j k"]
    overlap: float
    trainings: int

    @property
    def levels(self) -> str:
        """Sources of variation of the design, as named in `dermaug.stats.trainings`."""
        if self.trainings > 1:
            return CLASSIFIERS
        return TRAINING_SETS if len(self.tested) >= FEWEST_FOLDS else GROUPS_ONLY


def planned_metrics(classes: tuple[str, ...]) -> tuple[Metric, ...]:
    """The metrics that carry verdicts: two means, then the sensitivity of each class."""
    each = (Metric(ADJUSTED, label, "sensitivity") for label in classes)
    return (Metric(ADJUSTED, ALL, "balanced_accuracy"), Metric(AUC, ALL, "macro_auc"), *each)


def expect(design: Design, classes: tuple[str, ...]) -> Estimate:
    """The expected estimate of a design if two arms are equal.

    Returns:
        An estimate of `planned_metrics`, for `dermaug.stats.outcomes.detectable`; NaN for a class
        without a test group.
    """
    metrics = planned_metrics(classes)
    groups = design.tested.sum(axis=0)
    folds, level = len(design.tested), np.full(len(metrics), LEVEL)
    counts = np.array([groups.sum()] * 2 + [*groups])
    spread = expected_spread(metrics, level, counts)
    if design.levels == TRAINING_SETS:
        # The difference of a fold varies with trainings and groups, without a floor (equation 5).
        of_fold = np.maximum((spread / MARGIN) ** 2, folds * _groups_variance(groups, floor=0.0))
        nodes = np.zeros((1, len(metrics)))
        scale = np.sqrt(
            np.maximum((1 / folds + design.overlap) * of_fold, _groups_variance(groups))
        )
        freedom = folds - 1.0
    else:
        # Much of the variance of groups is their interaction with trainings, counted only once.
        nodes = _NODES[:, None] * np.sqrt(_groups_variance(groups) / 2)
        scale = spread / np.sqrt(folds * design.trainings)
        freedom = FREEDOM + folds * (design.trainings - 1)
    return Estimate(
        value=np.zeros(len(metrics)),
        level=level,
        groups=counts,
        draws=nodes,
        nodes=nodes,
        scale=scale,
        freedom=freedom,
        standard_error=np.sqrt(nodes.var(axis=0) + scale**2),
        levels=design.levels,
    )


def _groups_variance(groups: Float[np.ndarray, " k"], floor: float = 1.0) -> np.ndarray:
    """Variance over test groups of each of `planned_metrics`, with or without `paired_floor`."""
    seen = groups > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = (groups * DISCORDANCE["sensitivity"] + floor) / (groups + 2.0 * floor) ** 2
        area = DISCORDANCE["auc"] / groups  # areas have no floor
    rate, area = np.where(seen, rate, np.nan), np.where(seen, area, np.nan)
    means = [np.nansum(each) / max(int(seen.sum()), 1) ** 2 for each in (rate, area)]
    return np.array([*means, *rate])
