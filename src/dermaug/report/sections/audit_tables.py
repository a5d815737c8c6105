"""The tables of an audit: distances to real images, recognised classes and copies."""

import pandas as pd

from dermaug.inspection.audit_fidelity import OVERLAPS
from dermaug.inspection.audit_summary import ClassSummary, summarise
from dermaug.report.blocks import Table
from dermaug.report.formats import counted, interval, listed, number, percent, spanned
from dermaug.scoring.verdict_words import NONE

_COPIED = ("Copies", "Expected by chance, at most")
_SHARE = "Share (95 % interval)"
_GROUP = "group (lesion or patient)"
CHOSEN_BY = "†"
IN_SOME = "‡"


def size_table(numbers: pd.DataFrame) -> Table | None:
    """Distance and copies by number of training lesions; None unless there are several sizes."""
    if numbers["lesions"].nunique() < 2:
        return None
    rows: list[tuple[str, ...]] = []
    for (family, lesions), part in numbers.groupby(["family", "lesions"], sort=False):
        rows.append((f"{family}, " + (f"{lesions:,} lesions per class" if lesions else "all"),))
        rows += [
            (
                _marked(one),
                _beside(one, "kid"),
                percent(one.means["visible_share"], 0),
                _share(one),
                percent(one.means["copy_expected"]),
            )
            for one in summarise(part)[str(family)]
        ]
    header = ("Class", f"{kid_words(numbers)} (real images)", "Class recognised", *_COPIED)
    caption = (
        "Comparison of data sizes: does a generator trained on few lesions come as close to real "
        "images, and does it copy more? Means over generators, and copies of all of them together; "
        f"each is judged by the classifier of its own size.{_dagger(numbers)}"
    )
    return Table(caption, header, tuple(rows))


def audit_tables(numbers: pd.DataFrame) -> tuple[Table, ...]:
    """Two tables: distances to real images, then recognised classes and copies."""
    return () if numbers.empty else (_fidelity_table(numbers), _copy_table(numbers))


def generator_table(numbers: pd.DataFrame) -> Table | None:
    """Distance and copies of each class in every single generator; None without several."""
    if not has_several(numbers):
        return None
    rows: list[tuple[str, ...]] = []
    for (family, fold, seed), part in numbers.groupby(["family", "fold", "seed"], sort=False):
        rows.append((f"{family}, fold {fold}, seed {seed}",))
        for one in summarise(part)[str(family)]:
            kid, floor = (_with_interval(one, name) for name in ("kid", "kid_floor"))
            counts = (_counts(one), _share(one), percent(one.means["copy_expected"]))
            rows.append((_marked(one), _groups(one), kid, floor, *counts))
    kid = kid_words(numbers)
    distances = (f"{kid} (95 % interval)", f"{kid} of real images (95 % interval)")
    header = ("Class", "Validation groups", *distances, _COPIED[0], _SHARE, _COPIED[1])
    caption = f"Every generator by itself: distance to real images, and copies.{_dagger(numbers)}"
    return Table(caption, header, tuple(rows), source="audit.csv")


def _fidelity_table(numbers: pd.DataFrame) -> Table:
    rows: list[tuple[str, ...]] = []
    several = has_several(numbers)
    for family, classes in summarise(numbers).items():
        rows.append((family,))
        rows += [
            (
                _marked(one),
                _groups(one),
                number(one.means["kid"]) if several else _with_interval(one, "kid"),
                number(one.means["kid_floor"]),
                _beside(one, "fid", 1) + ("*" if one.is_biased else ""),
                *(_beside(one, name, 2) for name in OVERLAPS),
            )
            for one in classes
        ]
    kid = kid_words(numbers)
    distances = (kid if several else f"{kid} (95 % interval)", f"{kid} of real images")
    overlaps = ("Precision", "Recall", "Density", "Coverage")
    header = ("Class", "Validation groups", *distances, "FID (floor)", *overlaps)
    whole = f", mean over {_number_of(numbers)}" if several else ""
    caption = (
        f"Distance of synthetic images to real validation images{whole}. KID is the "
        "main measure; * marks FID from too few images, which is biased upwards. Pairs of images "
        f"of one {_GROUP} are left out; FID uses one image of each. Features: "
        f"{_features(numbers)}.{_dagger(numbers)}"
    )
    if any(IN_SOME in cell for row in rows for cell in row):
        caption += (
            f" {IN_SOME}: mean over some generators only; for the others there are too few real "
            "images of different groups (FID needs two groups, precision and the numbers after it "
            "five images of other groups beside each image)."
        )
    return Table(caption, header, tuple(rows), source="audit.csv")


def _copy_table(numbers: pd.DataFrame) -> Table:
    rows: list[tuple[str, ...]] = []
    for family, classes in summarise(numbers).items():
        rows.append((family,))
        rows += [
            (
                one.label,
                *(percent(one.means[name], 0) for name in ("visible_share", "visible_validation")),
                _counts(one),
                _share(one),
                percent(one.means["copy_expected"]),
            )
            for one in classes
        ]
    visible = ("Class recognised", "Recognised in real images")
    header = ("Class", *visible, _COPIED[0], _SHARE, _COPIED[1])
    means = " (means over generators)" if has_several(numbers) else ""
    pooled = f": the images of {_number_of(numbers)} counted together" if means else ""
    caption = (
        "Share of synthetic images that the classifier assigns to their class, compared with real "
        f"validation images{means}, and copies of training images{pooled}."
    )
    return Table(caption, header, tuple(rows), source="audit.csv")


def has_several(numbers: pd.DataFrame) -> bool:
    """Whether a class of a family was drawn by several generators."""
    return bool(numbers.duplicated(["family", "label"]).any())


def _number_of(numbers: pd.DataFrame) -> str:
    most = numbers.groupby(["family", "label"]).size().max()
    return f"{counted(int(most), 'generator')} (folds × seeds)"


def _groups(one: ClassSummary) -> str:
    return spanned(one.generators["validation_lesions"])


def _with_interval(one: ClassSummary, name: str) -> str:
    return interval(*(number(one.means[f"{name}{end}"]) for end in ("", "_low", "_high")))


def _counts(one: ClassSummary) -> str:
    return f"{one.copies:,} of {one.examined:,}" if one.examined else NONE


def _share(one: ClassSummary) -> str:
    if not one.examined:
        return NONE
    return interval(percent(one.copies / one.examined), percent(one.low), percent(one.high))


def _beside(one: ClassSummary, name: str, digits: int = 3) -> str:
    """A number, followed by that of real images in parentheses."""
    value, floor = (number(one.means[each], digits) for each in (name, f"{name}_floor"))
    missing = one.generators[name].isna()
    mark = IN_SOME if missing.any() and not missing.all() else ""
    return value if value == floor == NONE else f"{value} ({floor}){mark}"


def _marked(one: ClassSummary) -> str:
    return f"{one.label}{CHOSEN_BY}" if one.is_flattered else one.label


def _dagger(numbers: pd.DataFrame) -> str:
    """Meaning of the mark after a class; "" if no class has it."""
    told = (
        f" {CHOSEN_BY}: audited on the images that its snapshot was selected on, which makes it "
        "look better than it is."
    )
    return told if numbers["chosen_by_validation"].any() else ""


def kid_words(numbers: pd.DataFrame) -> str:
    """Name of the distance, which says if the features are random."""
    is_random = numbers["features"].str.contains("random").any()
    return "KID on random features" if is_random else "KID"


def _features(numbers: pd.DataFrame) -> str:
    names = sorted({str(name).rsplit(" ", 1)[0] for name in numbers["features"]})
    own = numbers["features"].str.contains("classifier").all()
    return "last layer of a classifier trained without synthetic images" if own else listed(names)
