"""The minimum detectable differences of an experiment, before it is run."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dermaug.config import Experiment
from dermaug.data.catalog import Catalog
from dermaug.data.splits import Fold
from dermaug.experiment.plan.comparisons import JUDGED, contrasts
from dermaug.stats.outcomes import FEWEST_GROUPS, detectable
from dermaug.stats.power import Design, expect, planned_metrics

BALANCED = "balanced"
LARGE = 0.10
"""A difference in mean sensitivity that few interventions reach; a design that cannot detect
smaller ones is of little use."""


@dataclass(frozen=True)
class Detectable:
    """Minimum detectable differences of a design, with 80 % power.

    Args:
        trainings: Number of trainings per arm and fold.
        comparisons: Number of judged comparisons, over all arms and classifiers.
        is_judged: Whether the design gives verdicts at all.
        balanced_accuracy: Smallest difference in mean sensitivity, prior-adjusted.
        macro_auc: Smallest difference in macro AUC.
        sensitivity: Label -> smallest difference in the class's sensitivity, prior-adjusted; None
            for a class with fewer test groups than a verdict needs.
    """

    folds: int
    trainings: int
    comparisons: int
    is_judged: bool
    balanced_accuracy: float
    macro_auc: float
    sensitivity: dict[str, float | None]


def planned_power(experiment: Experiment, catalog: Catalog, folds: Sequence[Fold]) -> Detectable:
    """Estimate the minimum detectable differences with the whole training split.

    The seeds of the experiment and those of its generators are the trainings.
    """
    groups, comparisons = catalog.groups, judged_comparisons(experiment)
    parts = [(catalog.rows(fold.train), catalog.rows(fold.test)) for fold in folds]
    tested = np.array(
        [
            [len(set(groups[test][catalog.labels[test] == k])) for k in range(catalog.num_classes)]
            for _, test in parts
        ],
        dtype=float,
    )
    overlap = [len(set(groups[test])) / len(set(groups[train])) for train, test in parts]
    drawn = [len(config.seeds) for config in experiment.generators]
    # If there are several generators, they are the trainings, however many classifiers use each.
    trainings = min(drawn) if drawn and min(drawn) > 1 else len(experiment.seeds)
    design = Design(tested, float(np.mean(overlap)), trainings)
    estimate, metrics = expect(design, catalog.classes), planned_metrics(catalog.classes)
    # The classes form a separate family, with one member per class and comparison.
    means = detectable(estimate, comparisons)[:2]
    each = detectable(estimate, comparisons * catalog.num_classes)[2:]
    few = tested.sum(axis=0) < FEWEST_GROUPS
    return Detectable(
        folds=len(folds),
        trainings=trainings,
        comparisons=comparisons,
        is_judged=estimate.is_judged,
        balanced_accuracy=float(means[0]),
        macro_auc=float(means[1]),
        sensitivity={
            metric.scope: None if less else float(found)
            for metric, found, less in zip(metrics[2:], each, few, strict=True)
        },
    )


def judged_comparisons(experiment: Experiment) -> int:
    """Number of comparisons in the family of a mean metric, over all arms and classifiers.

    One dose of each dose curve is selected on validation. A replay with class-balanced sampling is
    expected to be a negative control, with which nothing is compared.
    """
    arms = {arm.name: arm for arm in experiment.arms}
    sampled = {
        name: {arm.sampling or config.sampling for config in experiment.classifiers}
        for name, arm in arms.items()
    }
    negative = [name for name, arm in arms.items() if arm.replay_of and sampled[name] == {BALANCED}]
    judged = {
        (arms[each.arm].curve or each.arm, arms[each.reference].curve or each.reference)
        for each in contrasts(experiment.arms, negative)
        if each.role in JUDGED
    }
    return len(judged) * len(experiment.classifiers)


def power_sentences(found: Detectable) -> list[str]:
    """Sentences on the power of the design, with a warning if it is too small."""
    design = (
        f"{found.folds} fold{'s' * (found.folds > 1)} with {found.trainings} "
        f"training{'s' * (found.trainings > 1)} per arm, {found.comparisons} judged "
        f"comparison{'s' * (found.comparisons != 1)}"
    )
    if not found.is_judged:
        return [
            f"warning: {design}: no verdict will be given; a verdict needs two seeds, or three "
            "folds"
        ]
    said = [
        f"80 % power to detect a difference of about {found.balanced_accuracy:.2f} in mean "
        f"sensitivity and {found.macro_auc:.3f} in macro AUC ({design}), if trainings vary as they "
        "did on HAM10000; on fewer lesions they vary more, and the report tells what the study had"
    ]
    known = {label: value for label, value in found.sensitivity.items() if value is not None}
    if known:
        each = ", ".join(f"{label} {value:.2f}" for label, value in known.items())
        said.append(f"in the sensitivity of a class: {each}")
    if few := [label for label in found.sensitivity if label not in known]:
        said.append(
            f"too few test lesions for a verdict (fewer than {FEWEST_GROUPS}): {', '.join(few)}"
        )
    if found.balanced_accuracy > LARGE:
        said.append(
            "warning: only very large differences can be found; add folds or seeds, or compare "
            "fewer arms"
        )
    return said
