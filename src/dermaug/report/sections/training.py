"""Training of the networks: curves, health of the generators, images rejected by curation."""

from collections.abc import Mapping, Sequence

import numpy as np

from dermaug.experiment.run.records import CurationEntry, ImageCounts
from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Block, Heading, Section, Table
from dermaug.report.formats import listed, spanned
from dermaug.report.sections.training_curves import classifier_curves, generator_curves
from dermaug.scoring.verdict_words import NONE

_SIGNS = ("kid", "collapsed_pairs", "nearest_training", "overfitting")
_RULES = {
    "copies": "Copies",
    "duplicates": "Duplicates",
    "unconfident": "Not confident",
    "outside": "Outside the band",
}
_SELECTED = (
    "Of {families}, the snapshot with the lowest KID is kept. Snapshots are thus selected on "
    "validation images (one half of the lesions of each class; the audit uses the other half), and "
    "the KID of the selected one is too optimistic. "
)
_COPIES = (
    "Copies: by the rule of the audit, but with distances in the features of the reference "
    "classifier, and thresholds from the half of the validation lesions on which snapshots were "
    "selected. The audit uses the other half and a classifier of its own choice, so that its "
    "counts differ."
)


def training_section(results: RunResults) -> Section:
    """Training of the classifiers and generators, training sets, health and curation."""
    arms = results.arms
    curves, losses = classifier_curves(results, arms), generator_curves(results)
    blocks: tuple[Block | None, ...] = (
        Heading("Classifiers") if curves else None,
        curves,
        training_table(results),
        Heading("Generators") if losses else None,
        losses,
        health_table(results),
        curation_table(results),
    )
    return Section("training", "Training", [each for each in blocks if each])


def training_table(results: RunResults) -> Table | None:
    """Real and added training images by class and arm, over all trials; None if unknown."""
    columns: dict[str, list[Mapping[str, ImageCounts]]] = {}
    for trial in results.trials:
        columns.setdefault(trial.arm, []).append(trial.record.train_counts)
    if not columns:
        return None

    def text(counts: Sequence[ImageCounts]) -> str:
        added = spanned(count.synthetic for count in counts)
        return spanned(count.real for count in counts) + (f" + {added}" if added != "0" else "")

    rows = (
        (label, *(text([counts[label] for counts in found]) for found in columns.values()))
        for label in results.catalog.classes
    )
    caption = (
        "Training images by class: real + added by the dose (synthetic or replayed); fewest–most "
        "over folds and seeds."
    )
    return Table(caption, ("Class", *columns), tuple(rows))


def health_table(results: RunResults) -> Table | None:
    """Health of each generator's kept snapshot; None if it was not measured."""
    if not any(one.record.vitals for one in results.networks):
        return None
    rows = [
        (
            f"{one.family}, {one.drawn_classes}",
            f"{one.fold}/{one.seed}",
            one.record.diagnosis or "completed",
            f"{one.record.kept_images:,} of {one.record.images:,}",
            *(_sign(getattr(one.record.vitals, name, np.nan)) for name in _SIGNS),
        )
        for one in results.networks
    ]
    header = (
        "Generator",
        "Fold/seed",
        "Outcome",
        "Snapshot kept",
        "KID on random features",
        "Collapsed pairs",
        "Distance to training images",
        "Overfitting",
    )
    best = sorted({one.family for one in results.networks if one.record.config.keep == "best"})
    kept = _SELECTED.format(families=listed(best)) if best else "The last snapshot is kept. "
    caption = (
        f"Health of the generators, against validation images, never test images. {kept}"
        "Collapsed pairs: share of pairs nearer "
        "than 99 % of real pairs, in the worst class (0.01 is ideal). Distance to training images: "
        "distance to the nearest one, divided by that of validation lesions (1 is ideal; well "
        "below 1, images may be copies). Overfitting: how far the discriminator rates validation "
        "lesions like generated ones (0: not at all, 1: completely)."
    )
    return Table(caption, header, tuple(rows), texts=3)


def curation_table(results: RunResults) -> Table | None:
    """Images rejected by curation, by arm and class, over all trials."""
    found, reference = results.curation, results.experiment.reference
    if not found or reference is None:
        return None
    rows = [
        (
            *place,
            spanned(entry.pool for entry in entries),
            *(
                spanned(n for each in entries if (n := getattr(each, rule)) is not None)
                for rule in _RULES
            ),
            spanned(entry.kept for entry in entries),
            _real(entries),
        )
        for place, entries in found.items()
    ]
    copies = any(entry.copies is not None for entries in found.values() for entry in entries)
    caption = (
        "Curation: images drawn, images that each rule would reject, images that pass all rules; "
        "fewest–most over folds and seeds. Last column: real validation images of the class (of "
        "the half of the lesions that curation uses) that the rule on confidence would reject as "
        "well, over all trials. The reference classifier is "
        f"that of arm {reference.name} with the next seed (after the last one, the first). {NONE}: "
        f"the rule was not used or could not be applied.{f' {_COPIES}' if copies else ''}"
    )
    header = ("Arm", "Class", "Drawn", *_RULES.values(), "Pass", "Real ones not confident")
    return Table(caption, header, tuple(rows), texts=2)


def _real(entries: Sequence[CurationEntry]) -> str:
    """How many real images the rule on confidence would reject, over all trials."""
    told = [entry for entry in entries if entry.real is not None]
    rejected = sum(entry.real_unconfident or 0 for entry in told)
    return f"{rejected:,} of {sum(entry.real or 0 for entry in told):,}" if told else NONE


def _sign(value: float) -> str:
    return f"{value:.3g}".replace("-", "−") if np.isfinite(value) else NONE
