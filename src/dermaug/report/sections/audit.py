"""The audit of synthetic images: their distance to real images, and copies."""

from collections.abc import Callable

import pandas as pd

from dermaug.data.halves import LEAST_GROUPS
from dermaug.experiment.run.results import RunResults
from dermaug.inspection.audit_summary import ClassSummary, of_largest, summarise
from dermaug.report.blocks import Block, Details, Section
from dermaug.report.formats import listed
from dermaug.report.sections.about_drawn import recognised
from dermaug.report.sections.audit_pictures import embedding_figure, pair_figure
from dermaug.report.sections.audit_tables import (
    audit_tables,
    generator_table,
    has_several,
    size_table,
)
from dermaug.report.sections.copies import copy_alarms, no_copies
from dermaug.stats.outcomes import FEWEST_GROUPS

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
TRANSLATED = (
    "Sets whose name says “from” were drawn from training images, beginning at that time of the "
    "path from noise (0) to image (1). Their copies are searched among the training images of the "
    "class and those from which they start, and real images of the class are compared with the "
    "same images for the threshold."
)
SMALL = "Classes with few validation groups allow no conclusion: check their number first."


def _far(one: ClassSummary) -> str:
    """A class, and in how many of its generators it differs from real images; "" if in none."""
    of = len(one.generators)
    words = one.label if of == 1 else f"{one.label} ({one.num_far} of {of} generators)"
    return words if one.num_far else ""


_FINDINGS: tuple[tuple[Callable[[ClassSummary], str], str], ...] = (
    (
        lambda one: "" if one.can_judge else one.label,
        "copies of {} cannot be judged, because there are fewer than nine validation groups{fold}: "
        "few copies do not show that there are none. Check the pairs.",
    ),
    (
        lambda one: one.label if one.is_flattered else "",
        "images of {} are audited on the same real images that a snapshot was, or may have been, "
        f"selected on (two halves need {2 * LEAST_GROUPS} validation groups): their distances look "
        "better than they are.",
    ),
    (
        lambda one: one.label if one.is_hidden else "",
        "the classifier recognises the class in its images of {} less than half as often as in "
        "real ones{each}.",
    ),
    (
        lambda one: one.label if one.is_small else "",
        "whether images of {} are recognised less often than real ones is not judged by class, "
        "because "
        f"there are fewer than {FEWEST_GROUPS} validation groups{{fold}}.",
    ),
    (
        _far,
        "its images of {} differ from real ones: the interval of their KID lies above the interval "
        "of the floor. For other classes that is not shown, which does not mean that they are "
        "alike.",
    ),
)
"""What the audit finds, as a name of each class to which it applies, and the sentence."""


def audit_section(results: RunResults, numbers: pd.DataFrame, pairs: pd.DataFrame) -> Section:
    """The section of a run's report, from the results of `audit_run` and `embed_run` on disk."""
    if numbers.empty:
        return Section("audit", "Audit of the synthetic images", [])
    largest = of_largest(results, numbers)
    drawn = (size_table(numbers), pair_figure(results, pairs), embedding_figure(results))
    doses = (arm.synthetic for arm in results.experiment.arms if arm.synthetic)
    curated = any(each.curation.drop_copies for each in doses if each.curation)
    translated = any(one.record.translated for one in results.networks)
    told = [*audit_sentences(largest), *([CURATED] if curated else []), HALVES]
    told += [TRANSLATED] if translated else []
    each = generator_table(largest)
    content: list[Block] = [
        *(told if len(largest) else []),
        *audit_tables(largest),
        *([Details("Each generator", [each])] if each else []),
        *(block for block in drawn if block),
    ]
    return Section("audit", "Audit of the synthetic images", content)


def audit_sentences(numbers: pd.DataFrame) -> list[str]:
    """Findings of the audit, then how to read the tables; empty without any number."""
    return [*audit_findings(numbers), FLOOR, COPIES, SMALL] if len(numbers) else []


def audit_findings(numbers: pd.DataFrame) -> list[str]:
    """What the audit found, naming every class that stands out."""
    fold = " in some fold" if has_several(numbers) else ""
    sentences = copy_alarms(numbers)
    for family, classes in summarise(numbers).items():
        told = [recognised(numbers[numbers["family"] == family]), *no_copies(classes)]
        sentences += [f"{family}: {each}" for each in told if each]
        for name_of, text in _FINDINGS:
            if names := [name for name in map(name_of, classes) if name]:
                each = " (so for each of its generators)" if has_several(numbers) else ""
                words = text.format(listed(names), fold=fold, each=each)
                sentences.append(f"{family}: {words}")
    return sentences
