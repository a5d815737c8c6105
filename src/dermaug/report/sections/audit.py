"""The audit of synthetic images: their distance to real images, and copies."""

import pandas as pd

from dermaug.data.halves import LEAST_GROUPS
from dermaug.experiment.run.results import RunResults
from dermaug.inspection.audit_summary import ClassSummary, summarise
from dermaug.report.blocks import Block, Details, Section
from dermaug.report.formats import listed
from dermaug.report.sections.audit_pictures import embedding_figure, pair_figure
from dermaug.report.sections.audit_tables import (
    audit_tables,
    generator_table,
    has_several,
    on_average,
    size_table,
)

FLOOR = (
    "Each value stands beside its floor (a dash where there are too few lesions for one): the "
    "value for real training images in place of the synthetic ones, measured against the same "
    "validation images with the same network. A classifier of the study was trained on these "
    "training images, which sets them apart from validation images: with its features a generator "
    "may lie below the floor without being better than real images."
)
COPIES = (
    "An image counts as a copy if a training image is closer to it, in pixels (any of eight flips "
    "and quarter turns) and in features, than training images are to unrelated validation lesions. "
    "The last column bounds the share that unrelated real images would reach by chance on average."
)
CURATED = (
    "Copies are counted here among the images as drawn, before any curation. Curation (see "
    "Training) applies this rule to the images drawn for an arm, with the reference classifier "
    "and its own half of the validation lesions, so its counts differ."
)
HALVES = (
    "Snapshots selected on validation images were selected on one half of the lesions of each "
    "class; the audit uses the other half. The test split is used for neither."
)
SMALL = "Classes with few validation groups allow no conclusion: check their number first."


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
    doses = (arm.synthetic for arm in results.experiment.arms if arm.synthetic)
    curated = any(each.curation.drop_copies for each in doses if each.curation)
    told = [*audit_sentences(largest), *([CURATED] if curated else []), HALVES]
    each = generator_table(largest)
    content: list[Block] = [
        *(told if len(largest) else []),
        *audit_tables(largest),
        *([Details("Each generator", [each])] if each else []),
        *(block for block in drawn if block),
    ]
    return Section("audit", "Audit of the synthetic images", content)


def audit_sentences(numbers: pd.DataFrame) -> list[str]:
    """Findings of the audit, naming every class that stands out, then how to read the tables."""
    if numbers.empty:
        return []
    sentences = []
    some_fold = " in some fold" if has_several(numbers) else ""
    for family, classes in summarise(numbers).items():
        copied = [one.label for one in classes if one.holds_copies]
        hidden = [one.label for one in classes if one.is_hidden]
        far = [_label_of_far(one) for one in classes if one.num_far]
        if copied:
            sentences.append(
                f"{family}: more images of {listed(copied)} are copies of training images than "
                "chance could give. They add nothing new for the classifier and may disclose "
                "patients."
            )
        else:
            sentences.append(
                f"{family}: no class that can be judged has clearly more copies than chance gives "
                "at most on average; the intervals say how many are not excluded."
            )
        if unjudged := [one.label for one in classes if not one.can_judge]:
            sentences.append(
                f"{family}: copies of {listed(unjudged)} cannot be judged, because there are "
                f"fewer than nine validation groups{some_fold}; check the pairs."
            )
        if flattered := [one.label for one in classes if one.is_flattered]:
            sentences.append(
                f"{family}: images of {listed(flattered)} are audited on the same real images "
                "that a snapshot was, or may have been, selected on (two halves need "
                f"{2 * LEAST_GROUPS} validation groups): their distances look better than they "
                "are."
            )
        if hidden:
            sentences.append(
                f"{family}: the classifier recognises the class in its images of {listed(hidden)} "
                f"less than half as often as in real ones{on_average(numbers)}."
            )
        if far:
            sentences.append(
                f"{family}: its images of {listed(far)} differ from real ones: the interval of "
                "their KID lies above the interval of the floor. For other classes that is not "
                "shown, which does not mean that they are alike."
            )
    return [*sentences, FLOOR, COPIES, SMALL]


def _label_of_far(one: ClassSummary) -> str:
    """A class, and in how many of its generators it differs from real images."""
    of = len(one.generators)
    return one.label if of == 1 else f"{one.label} ({one.num_far} of {of} generators)"
