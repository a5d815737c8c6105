"""Summary of the audits of a run for each class of a generator family, over all trainings."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from dermaug.config.translation import Translation
from dermaug.experiment.run.layout import JobFolder
from dermaug.experiment.run.results import GeneratorResult, RunResults
from dermaug.inspection.audit_run import read_audit
from dermaug.stats.outcomes import FEWEST_GROUPS
from dermaug.stats.proportion import wilson

JUDGED_BELOW = 0.1
"""Largest share of copies explained by chance at which copies can still be judged."""


@dataclass(frozen=True, eq=False)
class ClassSummary:
    """One class of one family.

    Args:
        label: The class.
        generators: Numbers of its audits, one row per generator.
        copies: Number of images that count as copies, over all generators.
        examined: Number of images examined for copies, over all generators; 0 without any.
        low: Lower end of Wilson's 95 % interval of the share of copies.
        high: Upper end of that interval.
        is_biased: Whether a Fréchet distance is computed from too few images.
        is_flattered: Whether it is audited on images on which its snapshot was selected.
    """

    label: str
    generators: pd.DataFrame
    copies: int
    examined: int
    low: float
    high: float
    is_biased: bool
    is_flattered: bool

    @property
    def means(self) -> pd.Series:
        """Every number, mean over generators; NaN if none is defined."""
        return self.generators.select_dtypes("number").mean()

    @property
    def holds_copies(self) -> bool:
        """Whether there are more copies than expected by chance."""
        return bool(self.low > self.means["copy_expected"])

    @property
    def alarms(self) -> pd.DataFrame:
        """Generators with more copies than expected by chance, each by itself; the worst first."""
        over = self.generators["copy_low"] > self.generators["copy_expected"]
        return self.generators[over].sort_values("copy_low", ascending=False, kind="stable")

    @property
    def can_judge(self) -> bool:
        """Whether so few copies are expected by chance that more of them could be detected."""
        return bool((self.generators["copy_expected"] <= JUDGED_BELOW).all())

    @property
    def is_small(self) -> bool:
        """Whether some generator has fewer than `FEWEST_GROUPS` groups of real images."""
        return bool(self.generators["validation_lesions"].min() < FEWEST_GROUPS)

    @property
    def is_hidden(self) -> bool:
        """Whether a classifier recognises the class less than half as often as in real images.

        In the images of each generator; not told of classes that are too small.
        """
        if self.is_small:
            return False
        drawn, real = self.generators["visible_share"], self.generators["visible_validation"]
        return bool((drawn < 0.5 * real).all())

    @property
    def num_far(self) -> int:
        """Number of generators whose images clearly differ from real ones.

        The interval of their KID lies above zero and above that of real images (the floor).
        """
        floor = self.generators["kid_floor_high"].astype(float).clip(lower=0.0)
        return int((self.generators["kid_low"].astype(float) > floor).sum())


def summarise(numbers: pd.DataFrame) -> dict[str, list[ClassSummary]]:
    """Name of a set -> its classes."""
    return {
        str(family): [
            _summary(str(label), rows) for label, rows in part.groupby("label", sort=False)
        ]
        for family, part in numbers.groupby("family", sort=False)
    }


def collect_audits(results: RunResults) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Numbers and worst pairs of every audited set of a run; empty without any.

    The numbers cover all data sizes (column lesions; 0 means all lesions), from the largest to the
    smallest; the pairs are those of the largest size.
    """
    numbers, pairs = [], []
    for point in (results, *results.reduced):
        for generator, how in _sets(point):
            if (stored := read_audit(generator.folder, how)) is not None:
                numbers.append(stored.numbers)
                place = {name: stored.numbers[name].iloc[0] for name in ("family", "fold", "seed")}
                drawn = JobFolder(generator.folder).synthetic_of(how)
                key = drawn.relative_to(results.folder).as_posix()
                if point is results:
                    pairs.append(stored.pairs.assign(**place, folder=key))
    return (
        pd.concat(numbers, ignore_index=True) if numbers else pd.DataFrame(),
        pd.concat(pairs, ignore_index=True) if pairs else pd.DataFrame(),
    )


def without_audit(results: RunResults) -> list[str]:
    """Sets of a finished run beside which no audit lies, in words; empty for one at work."""
    if not results.is_finished:
        return []
    return [
        f"{one.family} of {one.drawn_classes}, fold {one.record.fold}, seed {one.record.seed}"
        + (f", {how.words}" if how else "")
        for one, how in _sets(results)
        if read_audit(one.folder, how) is None
    ]


def _sets(results: RunResults) -> Iterator[tuple[GeneratorResult, Translation | None]]:
    """Every set of every generator, and how it was drawn."""
    return ((one, how) for one in results.networks for how in one.record.sets)


def of_largest(results: RunResults, numbers: pd.DataFrame) -> pd.DataFrame:
    """The audits of generators trained on all lesions that the run has; `numbers` may be empty."""
    return numbers[numbers["lesions"] == results.lesions] if len(numbers) else numbers


def _summary(label: str, rows: pd.DataFrame) -> ClassSummary:
    counted = rows.dropna(subset=["copies"])
    copies, examined = int(counted["copies"].sum()), int(counted["copy_examined"].sum())
    low, high = wilson(copies, examined)
    return ClassSummary(
        label=label,
        generators=rows,
        copies=copies,
        examined=examined,
        low=low,
        high=high,
        is_biased=bool((rows["fid_flag"] != "").any()) if "fid_flag" in rows else True,
        is_flattered=bool(rows["chosen_by_validation"].any()),
    )
