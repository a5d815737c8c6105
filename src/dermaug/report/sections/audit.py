"""The audit of synthetic images: their distance to real images, and copies."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from dermaug.csv_files import write_csv
from dermaug.data.halves import LEAST_GROUPS
from dermaug.experiment.run.results import RunResults
from dermaug.files import require_writable
from dermaug.inspection.audit_fidelity import OVERLAPS
from dermaug.inspection.audit_folder import FolderAudit
from dermaug.inspection.audit_summary import ClassSummary, summarise
from dermaug.report.blocks import Block, Figure, Page, Section, Table
from dermaug.report.formats import NONE, interval, number, percent
from dermaug.report.sections.audit_pictures import embedding_figure, pair_figure, pair_panel

FLOOR = (
    "Each value stands beside its floor (a dash where there are too few lesions for one): the "
    "value for real training images in place of the synthetic ones, measured against the same "
    "validation images with the same network. No generator can be expected to do better."
)
COPIES = (
    "An image counts as a copy if a training image is closer to it, in pixels (any of eight flips "
    "and quarter turns) and in features, than training images are to unrelated validation lesions. "
    "The last column bounds the share that unrelated real images would reach by chance."
)
HALVES = (
    "Snapshots selected on validation images were selected on one half of the lesions of each "
    "class; the audit uses the other half. The test split is used for neither."
)
FOOTER = (
    "Images shown may be patients': they are under the licence of their data set. Research use "
    "only; not for diagnosis."
)
_COPIED = ("Copies", "Largest share by chance")
CHOSEN_BY = "†"
SMALL = "Classes with few validation lesions allow no conclusion: check their number first."


def audit_section(results: RunResults, numbers: pd.DataFrame, pairs: pd.DataFrame) -> Section:
    """The section of a run's report, from the results of `audit_run` and `embed_run` on disk.

    Args:
        results: The run.
        numbers: Returned by `collect_audits`.
        pairs: Also returned by `collect_audits`.
    """
    if numbers.empty:
        return Section("audit", "Audit of the synthetic images", [])
    largest = numbers[numbers["lesions"] == results.lesions]
    drawn = (size_table(numbers), pair_figure(results, pairs), embedding_figure(results))
    told = [*audit_sentences(largest), HALVES] if len(largest) else []
    content: list[Block] = [*told, *audit_tables(largest), *(each for each in drawn if each)]
    return Section("audit", "Audit of the synthetic images", content, "Audit")


def write_audit_page(
    folder: Path, found: FolderAudit, synthetic: str, data: str, features: str
) -> Path:
    """Write `audit.html`, `audit.csv`, and `figures/` with the pairs as PNG and CSV.

    Args:
        folder: Folder to write to.
        found: The audit.
        synthetic: Name of the synthetic set on the page.
        data: Name of the real images on the page.
        features: Name of the feature network on the page.

    Returns:
        Path of the page.

    Raises:
        DermaugError: The folder cannot be written to.
    """
    require_writable(folder)
    numbers = found.audit.numbers
    panels = tuple(
        pair_panel(drawn, real, label, index)
        for index, (label, (drawn, real)) in enumerate(found.pictures.items())
        if len(drawn)
    )
    caption = "Above: synthetic images nearest to a real one; below: that real image."
    pairs = Figure("nearest_pairs", caption, panels, found.audit.pairs, width=420)
    write_csv(folder / "audit.csv", numbers)
    write_csv(folder / "figures" / "nearest_pairs.csv", found.audit.pairs)
    told: list[Block] = [
        *audit_sentences(numbers),
        *audit_tables(numbers),
        *([pairs] if panels else []),
    ]
    return Page(
        kicker="dermaug audit",
        title=synthetic,
        question=f"Are these images like {data}, and are they copies?",
        facts=f"Features: {features}",
        sections=[Section("findings", "Findings", told)],
        footer=FOOTER,
        notices=found.notes,
    ).write(folder / "audit.html")


def size_table(numbers: pd.DataFrame) -> Table | None:
    """Distance and copies by number of training lesions; None unless there are several sizes.

    Args:
        numbers: Returned by `collect_audits`.
    """
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
        "images, and does it copy more? Mean over generators; each is judged by the classifier of "
        f"its own size.{_dagger(numbers)}"
    )
    return Table(caption, header, tuple(rows))


def audit_tables(numbers: pd.DataFrame) -> tuple[Table, ...]:
    """Two tables: distances to real images, then recognised classes and copies.

    Args:
        numbers: One row per generator and class, as returned by `audit_run`.
    """
    return () if numbers.empty else (_fidelity_table(numbers), _copy_table(numbers))


def audit_sentences(numbers: pd.DataFrame) -> list[str]:
    """Findings of the audit, naming every class that stands out, then how to read the tables."""
    if numbers.empty:
        return []
    sentences = []
    for family, classes in summarise(numbers).items():
        copied = [one.label for one in classes if one.holds_copies]
        hidden = [one.label for one in classes if one.is_hidden]
        far = [one.label for one in classes if one.is_far]
        if copied:
            sentences.append(
                f"{family}: more images of {_listed(copied)} are copies of training images than "
                "expected by chance. They add nothing new for the classifier and may disclose "
                "patients."
            )
        else:
            sentences.append(
                f"{family}: in no class that can be judged are more copies shown than expected by "
                "chance; the intervals say how many are not excluded."
            )
        if unjudged := [one.label for one in classes if not one.can_judge]:
            sentences.append(
                f"{family}: copies of {_listed(unjudged)} cannot be judged, because there are "
                "fewer than nine validation lesions; check the pairs."
            )
        if flattered := [one.label for one in classes if one.is_flattered]:
            sentences.append(
                f"{family}: images of {_listed(flattered)} are audited on the same real images "
                "that a snapshot was, or may have been, selected on (two halves need "
                f"{2 * LEAST_GROUPS} validation lesions): their distances look better than they "
                "are."
            )
        if hidden:
            sentences.append(
                f"{family}: the classifier recognises the class in its images of {_listed(hidden)} "
                "less than half as often as in real ones."
            )
        if far:
            sentences.append(
                f"{family}: its images of {_listed(far)} differ from real ones: the "
                "interval of their KID, mean over generators, lies above the floor."
            )
    return [*sentences, FLOOR, COPIES, SMALL]


def _fidelity_table(numbers: pd.DataFrame) -> Table:
    rows: list[tuple[str, ...]] = []
    for family, classes in summarise(numbers).items():
        rows.append((family,))
        rows += [
            (
                _marked(one),
                f"{one.means['validation_lesions']:,.0f}",
                interval(*(number(one.means[name]) for name in ("kid", "kid_low", "kid_high"))),
                number(one.means["kid_floor"]),
                _beside(one, "fid", 1) + ("*" if one.is_biased else ""),
                *(_beside(one, name, 2) for name in OVERLAPS),
            )
            for one in classes
        ]
    kid = kid_words(numbers)
    distances = (f"{kid} (95 % interval)", f"{kid} of real images", "FID (floor)")
    overlaps = ("Precision", "Recall", "Density", "Coverage")
    header = ("Class", "Validation lesions", *distances, *overlaps)
    caption = (
        "Distance of synthetic images to real validation images, mean over generators. KID is the "
        "main measure; * marks FID from too few images, which is biased upwards. Pairs of images "
        "of one lesion are left out; FID uses one image per lesion. Features: "
        f"{_features(numbers)}.{_dagger(numbers)}"
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
                f"{one.copies:,} of {one.examined:,}" if one.examined else NONE,
                _share(one),
                percent(one.means["copy_expected"]),
            )
            for one in classes
        ]
    visible = ("Class recognised", "Recognised in real images")
    header = ("Class", *visible, "Copies", "Share (95 % interval)", _COPIED[1])
    caption = (
        "Share of synthetic images that the classifier assigns to their class, compared with real "
        "validation images, and copies of training images. All generators are counted together."
    )
    return Table(caption, header, tuple(rows), source="audit.csv")


def _share(one: ClassSummary) -> str:
    """Share of copies with its interval."""
    if not one.examined:
        return NONE
    return interval(percent(one.copies / one.examined), percent(one.low), percent(one.high))


def _beside(one: ClassSummary, name: str, digits: int = 3) -> str:
    """A number, followed by that of real images in parentheses."""
    value, floor = (number(one.means[each], digits) for each in (name, f"{name}_floor"))
    return value if value == floor == NONE else f"{value} ({floor})"


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
    return "last layer of a classifier trained without synthetic images" if own else _listed(names)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
