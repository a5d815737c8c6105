"""The estimate of a comparison, with its intervals, p-values and tests of equivalence."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from jaxtyping import Float

from dermaug.stats.mixture import below, quantile
from dermaug.stats.trainings import GROUPS_ONLY


@dataclass(frozen=True, eq=False)
class Estimate:
    """The estimate of a comparison (or of a single arm); arrays are in the order of `metrics_of`.

    Args:
        value: The differences (or, of a single arm, the metrics).
        level: The metrics of the reference (of a single arm, its own).
        groups: Test groups with an image of the metric's class (all groups for means).
        draws: Values for other groups and trainings; row r of two estimates on the same groups
            belongs to the same draw of groups.
        nodes: Values for other draws of groups, in ascending order and of equal weight.
        scale: Scale of the t distribution of trainings around the nodes; 0 if trainings were not
            varied.
        freedom: Degrees of freedom of that distribution.
        standard_error: Standard error of the value; NaN, like the three above, where it is unknown.
        levels: Sources of variation, as named by `levels_of`.
    """

    value: Float[np.ndarray, " m"]
    level: Float[np.ndarray, " m"]
    groups: Float[np.ndarray, " m"]
    draws: Float[np.ndarray, "r m"]
    nodes: Float[np.ndarray, "b m"]
    scale: Float[np.ndarray, " m"]
    freedom: float
    standard_error: Float[np.ndarray, " m"]
    levels: str

    @property
    def is_judged(self) -> bool:
        """Whether trainings were varied, so that a verdict may be given."""
        return self.levels != GROUPS_ONLY

    def at(self, *places: int) -> Self:
        """The estimate of some metrics alone."""
        columns = {
            name: getattr(self, name)[..., list(places)]
            for name in ("value", "level", "groups", "draws", "nodes", "scale", "standard_error")
        }
        return replace(self, **columns)

    def moved(self, by: float | Float[np.ndarray, " m"]) -> Self:
        """The estimate shifted by an amount (of each metric, or of all)."""
        return replace(self, value=self.value + by, nodes=self.nodes + by)

    def interval(self, confidence: float = 0.95) -> Float[np.ndarray, "2 m"]:
        """Central interval, not clipped; columns with NaN stay NaN."""
        tails = ((1 - confidence) / 2, (1 + confidence) / 2)
        ends = [quantile(tail, self.nodes, self.scale, self.freedom) for tail in tails]
        return np.stack(ends)

    def p_value(self) -> Float[np.ndarray, " m"]:
        """Two-sided p of the value against zero: twice the smaller tail."""
        tail = below(np.zeros(len(self.value)), self.nodes, self.scale, self.freedom)
        return np.where(np.isnan(self.standard_error), np.nan, 2 * np.minimum(tail, 1 - tail))

    def equivalence_p(self, margin: float) -> Float[np.ndarray, " m"]:
        """The larger p of two one-sided tests against -margin and +margin (Schuirmann 1987).

        At most 0.05 where the 90 % interval lies within the margin.
        """
        ends = [
            below(np.full(len(self.value), end), self.nodes, self.scale, self.freedom)
            for end in (-margin, margin)
        ]
        return np.where(np.isnan(self.standard_error), np.nan, np.maximum(ends[0], 1 - ends[1]))
