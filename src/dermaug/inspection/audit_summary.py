"""What the audits of a run say of each class of a generator family, all trainings together."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from dermaug.experiment.run.results import RunResults
from dermaug.inspection.audit_run import read_audit

JUDGED_BELOW = 0.1
"""Share of copies that chance may explain, at most, where copies can be judged."""


@dataclass(frozen=True, eq=False)
class ClassSummary:
    """One class of one family.

    Args:
        label: The class.
        means: Every number of its audits, mean over generators; NaN where none was defined.
        copies: Images that count as copies, all generators together.
        examined: Images that were looked at for it; 0 where none was.
        low: Lower end of Wilson's 95 % interval of the share of copies.
        high: Upper end.
        is_biased: Whether a Fréchet distance rests on too few images.
        is_flattered: Whether it is judged by images that its snapshot was chosen by.
    """

    label: str
    means: pd.Series
    copies: int
    examined: int
    low: float
    high: float
    is_biased: bool
    is_flattered: bool

    @property
    def holds_copies(self) -> bool:
        """Whether there are more copies than chance explains."""
        return bool(self.low > self.means["copy_expected"])

    @property
    def can_judge(self) -> bool:
        """Whether chance explains so few copies that more would stand out."""
        return bool(self.means["copy_expected"] <= JUDGED_BELOW)

    @property
    def is_hidden(self) -> bool:
        """Whether a classifier recognises the class less than half as often as in real images."""
        return bool(self.means["visible_share"] < 0.5 * self.means["visible_validation"])

    @property
    def is_far(self) -> bool:
        """Whether the images are told from real ones with confidence."""
        return bool(self.means["kid_low"] > max(0.0, self.means["kid_floor"]))


def summarise(numbers: pd.DataFrame) -> dict[str, list[ClassSummary]]:
    """Family -> its classes.

    Args:
        numbers: One row per generator and class, as returned by `audit_run`.
    """
    return {
        str(family): [
            _summary(str(label), rows) for label, rows in part.groupby("label", sort=False)
        ]
        for family, part in numbers.groupby("family", sort=False)
    }


def collect_audits(results: RunResults) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Numbers and worst pairs of every audited generator of a run; empty without any.

    The numbers are of all data sizes (column lesions; 0 is all lesions there are), from the largest
    to the smallest; the pairs of the largest.
    """
    numbers, pairs = [], []
    for point in (results, *results.reduced):
        for folder in dict.fromkeys(generator.folder for generator in point.generators):
            if (stored := read_audit(folder)) is not None:
                numbers.append(stored.numbers)
                place = {name: stored.numbers[name].iloc[0] for name in ("family", "fold", "seed")}
                key = folder.relative_to(results.folder).as_posix()
                if point is results:
                    pairs.append(stored.pairs.assign(**place, folder=key))
    return (
        pd.concat(numbers, ignore_index=True) if numbers else pd.DataFrame(),
        pd.concat(pairs, ignore_index=True) if pairs else pd.DataFrame(),
    )


def _summary(label: str, rows: pd.DataFrame) -> ClassSummary:
    counted = rows.dropna(subset=["copies"])
    copies, examined = int(counted["copies"].sum()), int(counted["copy_examined"].sum())
    low = high = np.nan
    if examined:
        low, high = binomtest(copies, examined).proportion_ci(0.95, method="wilson")
    return ClassSummary(
        label=label,
        means=rows.select_dtypes("number").mean(),
        copies=copies,
        examined=examined,
        low=float(low),
        high=float(high),
        is_biased=bool((rows["fid_flag"] != "").any()) if "fid_flag" in rows else True,
        is_flattered=bool(rows["chosen_by_validation"].any()),
    )
