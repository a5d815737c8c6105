"""The audit of synthetic images in tables and in plain words."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from dermaug.data.halves import LEAST_GROUPS
from dermaug.experiment.run.results import RunResults
from dermaug.inspection.audit_fidelity import OVERLAPS
from dermaug.inspection.audit_run import read_audit
from dermaug.report.tables import NONE, Table

FLOOR = (
    "Each value stands beside its floor (a dash where there are too few lesions for one): what "
    "real training images get in the place of the synthetic ones, measured against the same "
    "held-out images with the same network. No generator can be expected to do better than that."
)
COPIES = (
    "An image counts as a copy when a training image is nearer to it, in pixels (any of eight "
    "flips and quarter turns) and in features, than training images are to unrelated held-out "
    "lesions. "
    "The last column bounds the share that unrelated real images would reach by chance."
)
JUDGED_BELOW = 0.1
HALVES = (
    "Where snapshots were chosen by validation images, it was by one half of the lesions of each "
    "class; the other half judges them here. The test part serves neither."
)
CHOSEN_BY = "†"
SMALL = "Classes with few held-out lesions allow no verdict: read their number first."


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


def size_table(numbers: pd.DataFrame) -> Table | None:
    """The same questions for generators of fewer lesions; None unless there are several sizes.

    Args:
        numbers: As `collect_audits` gives them.
    """
    if numbers.empty or numbers["lesions"].nunique() < 2:
        return None
    rows: list[tuple[str, ...]] = []
    for (family, lesions), part in numbers.groupby(["family", "lesions"], sort=False):
        rows.append((f"{family}, " + (f"{lesions:,} lesions a class" if lesions else "all"),))
        for label, found in part.groupby("label", sort=False):
            copies, examined, low, high = _pooled(found)
            share = f"{_percent(copies / max(examined, 1))} ({_percent(low)} to {_percent(high)})"
            rows.append(
                (
                    _marked(label, found),
                    f"{_three(found['kid'].mean())} ({_three(found['kid_floor'].mean())})",
                    _whole_percent(found["visible_share"].mean()),
                    share if examined else NONE,
                    _percent(found["copy_expected"].mean()),
                )
            )
    header = ("Class", "KID (real images)", "Class recognised", "Copies", "by chance at most")
    caption = (
        "Data sizes side by side: does a generator of few lesions come as near to real images, and "
        "does it copy more? Mean over generators; each is judged by the classifier of its own size."
        f"{_dagger(numbers)}"
    )
    return Table(caption, header, tuple(rows))


def audit_tables(numbers: pd.DataFrame) -> tuple[Table, ...]:
    """Two tables: how near the images are, and whether they are copies and show their class.

    Args:
        numbers: One row a generator and class, as `audit_run` gives them.
    """
    return () if numbers.empty else (_fidelity_table(numbers), _copy_table(numbers))


def audit_sentences(numbers: pd.DataFrame) -> list[str]:
    """What the numbers say, each class that stands out by name; then how to read them."""
    if numbers.empty:
        return []
    sentences = []
    for family, part in numbers.groupby("family", sort=False):
        groups = list(part.groupby("label", sort=False))
        copied = [str(label) for label, rows in groups if _holds_copies(rows)]
        hidden = [str(label) for label, rows in groups if _is_hidden(rows)]
        far = [str(label) for label, rows in groups if _is_far(rows)]
        if copied:
            sentences.append(
                f"{family}: more images of {_listed(copied)} are copies of training images than "
                "chance explains. They teach the classifier nothing new and may disclose patients."
            )
        else:
            sentences.append(
                f"{family}: no class that can be judged was found to hold more copies than chance."
            )
        if unjudged := [str(label) for label, rows in groups if not _can_judge(rows)]:
            sentences.append(
                f"{family}: copies of {_listed(unjudged)} cannot be judged, there are fewer than "
                "nine held-out lesions; look at the pairs."
            )
        if flattered := [str(label) for label, rows in groups if _is_flattered(rows)]:
            sentences.append(
                f"{family}: images of {_listed(flattered)} are judged by the same real images that "
                f"a snapshot was, or may have been, chosen by (two halves need {2 * LEAST_GROUPS} "
                "validation lesions): their distances look better than they are."
            )
        if hidden:
            sentences.append(
                f"{family}: the classifier recognises the class in its images of {_listed(hidden)} "
                "less than half as often as in real ones."
            )
        if far:
            sentences.append(
                f"{family}: its images of {_listed(far)} are told from real ones with confidence: "
                "the interval of their KID lies above the floor."
            )
    return [*sentences, FLOOR, COPIES, SMALL]


def _fidelity_table(numbers: pd.DataFrame) -> Table:
    rows: list[tuple[str, ...]] = []
    for family, part in numbers.groupby("family", sort=False):
        rows.append((str(family),))
        for label, found in part.groupby("label", sort=False):
            mean = found.select_dtypes("number").mean()
            rows.append(
                (
                    _marked(label, found),
                    f"{mean['held_out_lesions']:,.0f}",
                    f"{_three(mean['kid'])} ({_three(mean['kid_low'])} to "
                    f"{_three(mean['kid_high'])})",
                    _three(mean["kid_floor"]),
                    f"{_one(mean['fid'])} ({_one(mean['fid_floor'])})"
                    + ("*" if found["fid_flag"].astype(bool).any() else ""),
                    *(f"{_two(mean[name])} ({_two(mean[name + '_floor'])})" for name in OVERLAPS),
                )
            )
    distances = ("KID (95 % interval)", "KID of real images", "FID (floor)")
    overlaps = ("Precision", "Recall", "Density", "Coverage")
    header = ("Class", "held-out lesions", *distances, *overlaps)
    caption = (
        "How near synthetic images are to held-out real ones, mean over generators. KID is the "
        "headline; * marks FID of too few images, which is biased upwards. Pairs of images of one "
        "lesion are left out; FID is taken on one image of each lesion. Features: "
        f"{_features(numbers)}.{_dagger(numbers)}"
    )
    return Table(caption, header, tuple(rows))


def _copy_table(numbers: pd.DataFrame) -> Table:
    rows: list[tuple[str, ...]] = []
    for family, part in numbers.groupby("family", sort=False):
        rows.append((str(family),))
        for label, found in part.groupby("label", sort=False):
            copies, examined, low, high = _pooled(found)
            share = f"{_percent(copies / examined)} ({_percent(low)} to {_percent(high)})"
            rows.append(
                (
                    str(label),
                    _whole_percent(found["visible_share"].mean()),
                    _whole_percent(found["visible_held_out"].mean()),
                    f"{copies:,} of {examined:,}" if examined else NONE,
                    share if examined else NONE,
                    _percent(found["copy_expected"].mean()),
                )
            )
    visible = ("Class recognised", "in real images")
    header = ("Class", *visible, "Copies", "Share (95 % interval)", "by chance at most")
    caption = (
        "Synthetic images that the classifier assigns to their class, beside the same share of "
        "held-out real images; and copies of training images, all generators together."
    )
    return Table(caption, header, tuple(rows))


def _pooled(found: pd.DataFrame) -> tuple[int, int, float, float]:
    """Copies, images examined, and Wilson's interval over all generators of a class."""
    counted = found.dropna(subset=["copies"])
    copies, examined = int(counted["copies"].sum()), int(counted["copy_examined"].sum())
    if not examined:
        return 0, 0, np.nan, np.nan
    interval = binomtest(copies, examined).proportion_ci(0.95, method="wilson")
    return copies, examined, float(interval.low), float(interval.high)


def _holds_copies(found: pd.DataFrame) -> bool:
    return bool(_pooled(found)[2] > found["copy_expected"].mean())


def _can_judge(found: pd.DataFrame) -> bool:
    return bool(found["copy_expected"].mean() <= JUDGED_BELOW)


def _is_hidden(found: pd.DataFrame) -> bool:
    return bool(found["visible_share"].mean() < 0.5 * found["visible_held_out"].mean())


def _is_far(found: pd.DataFrame) -> bool:
    return bool(found["kid_low"].mean() > max(0.0, found["kid_floor"].mean()))


def _is_flattered(found: pd.DataFrame) -> bool:
    return bool(found["chosen_by_held_out"].any())


def _marked(label: object, found: pd.DataFrame) -> str:
    return f"{label}{CHOSEN_BY}" if _is_flattered(found) else str(label)


def _dagger(numbers: pd.DataFrame) -> str:
    """What the mark behind a class means; "" where there is none."""
    told = f" {CHOSEN_BY}: judged by the images that its snapshot was chosen by, which flatters it."
    return told if _is_flattered(numbers) else ""


def _features(numbers: pd.DataFrame) -> str:
    names = sorted({str(name).rsplit(" ", 1)[0] for name in numbers["features"]})
    own = numbers["features"].str.contains("classifier").all()
    return "last layer of a classifier trained without synthetic images" if own else _listed(names)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _one(value: float) -> str:
    return NONE if np.isnan(value) else f"{value:,.1f}"


def _two(value: float) -> str:
    return NONE if np.isnan(value) else f"{value:.2f}"


def _three(value: float) -> str:
    return NONE if np.isnan(value) else f"{value:.3f}".replace("-", "−")


def _percent(value: float) -> str:
    return NONE if np.isnan(value) else f"{value:.1%}".replace("%", " %")


def _whole_percent(value: float) -> str:
    return NONE if np.isnan(value) else f"{value:.0%}".replace("%", " %")
