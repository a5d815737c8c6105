"""Tables of the generators: were their trainings healthy, and what did curation leave out?"""

import math

from dermaug.experiment.run.records import CurationEntry
from dermaug.experiment.run.results import RunResults
from dermaug.report.tables import NONE, Table

_SIGNS = ("kid", "collapsed_pairs", "nearest_training", "overfitting")
_RULES = {
    "copies": "copies",
    "duplicates": "duplicates",
    "unconfident": "not confident",
    "outside": "outside the band",
}


def health_table(results: RunResults) -> Table | None:
    """Vital signs of each generator's kept snapshot; None where none were read."""
    records = {one.folder: one.record for one in results.generators}
    if not any(one.vitals for one in records.values()):
        return None
    rows = [
        (
            f"{one.family} {one.label}",
            f"{one.fold}/{one.seed}",
            one.diagnosis or "went on to its end",
            f"{one.kept_images:,} of {one.images:,}",
            *(_sign(getattr(one.vitals, name, math.nan)) for name in _SIGNS),
        )
        for one in records.values()
    ]
    header = (
        "Generator",
        "Fold/seed",
        "How it went",
        "Snapshot kept",
        "KID",
        "Collapsed pairs",
        "To nearest training image",
        "Overfitting",
    )
    caption = (
        "Health of the generators, against validation images, never test images. The snapshot with "
        "the smallest KID (on random features) is kept, unless the last was asked for: snapshots "
        "are thus chosen on validation images (one half of the lesions of each class; the audit "
        "reads the other), and the KID of the one that is kept flatters. Collapsed pairs: share of "
        "pairs nearer than 99 % of real pairs, in the worst class (0.01 is ideal). To nearest "
        "training image: over the distance of held-out lesions (1 is ideal, well below it images "
        "are copies). Overfitting: how far the critic rates held-out lesions like generated ones "
        "(0 not at all, 1 wholly)."
    )
    return Table(caption, header, tuple(rows), texts=3)


def curation_table(results: RunResults) -> Table | None:
    """Images that curation left out, by arm and class, in the first finished trial of each arm."""
    found: dict[str, dict[str, CurationEntry]] = {}
    for trial in results.trials:
        if trial.record.curation:
            found.setdefault(trial.arm, trial.record.curation)
    if not found:
        return None
    rows = [
        (
            arm,
            label,
            f"{entry.pool:,}",
            *(_removed(getattr(entry, rule)) for rule in _RULES),
            f"{entry.kept:,}",
        )
        for arm, classes in found.items()
        for label, entry in classes.items()
    ]
    caption = (
        "Curation, in the first finished trial of each arm: images drawn, images that each rule "
        f"would leave out, images that pass all. {NONE}: the rule was not asked for, or could not "
        "be judged."
    )
    return Table(caption, ("Arm", "Class", "drawn", *_RULES.values(), "pass"), tuple(rows), texts=2)


def _sign(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else NONE


def _removed(value: int | None) -> str:
    return NONE if value is None else f"{value:,}"
