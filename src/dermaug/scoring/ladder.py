"""Where the gain of a synthetic arm comes from: its difference to every reference, read alike.

Published gains mix three things: what images teach, a moved threshold, and a weak reference. Each
row is a reference, from none to strong; each column reads both arms alike. The last column reads
the synthetic arm at argmax and the reference prior-adjusted: what is left of a gain at argmax once
the reference may move its threshold too, which costs nothing.
"""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from dermaug.config import Arm
from dermaug.evaluation.readouts import ADJUSTED, ARGMAX, AUC
from dermaug.experiment.plan.comparisons import AGAINST, Contrast, control_arm
from dermaug.scoring.effects import Answers, effects_of, place_of
from dermaug.scoring.points import Point
from dermaug.stats.answers import Key
from dermaug.stats.influence import Answer
from dermaug.stats.metrics import ALL, Metric

FREE = "argmax minus prior-adjusted"
"""Read-out of the last column."""
COLUMNS = ("model", "arm", "reference", "kind", "readout", "metric", "difference", "low", "high")
_READ = {
    ARGMAX: Metric(ARGMAX, ALL, "balanced_accuracy"),
    ADJUSTED: Metric(ADJUSTED, ALL, "balanced_accuracy"),
    AUC: Metric(AUC, ALL, "macro_auc"),
    FREE: Metric(ARGMAX, ALL, "balanced_accuracy"),
}


def ladder(point: Point) -> pd.DataFrame:
    """Each synthetic arm against every arm without generated images, and against its replay.

    All rows are exploratory but those that `verdict_table` judges.

    Args:
        point: The run at one size of the training part; of a dose curve, only the chosen dose.

    Returns:
        The columns of `COLUMNS`: one row per classifier, synthetic arm, reference and read-out.
        kind is what the reference is, in words; difference, low and high (95 %, not adjusted,
        clipped to -1 and 1) are in mean sensitivity, or in macro AUC where readout is auc.
    """
    arms, classes = point.results.experiment.compared_arms, point.results.catalog.classes
    kinds = {
        Contrast(arm.name, other.name, AGAINST): kind
        for arm in arms
        if arm.is_synthetic
        for other, kind in _references(arms, arm)
    }
    alike, free = (
        effects_of(answers, classes, tuple(kinds), point.resamples)
        for answers in (point.answers, _adjusting(point.answers, arms))
    )
    rows = []
    for plain, moved in zip(alike, free, strict=True):
        contrast = plain.contrast
        if (plain.model, contrast.arm) in point.exploratory:
            continue
        for readout, metric in _READ.items():
            effect = moved if readout == FREE else plain
            found = effect.interval_at(place_of(classes, metric))
            own = (plain.model, contrast.arm, contrast.reference, kinds[contrast])
            rows.append((*own, readout, metric.metric, *found))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _references(arms: Sequence[Arm], arm: Arm) -> list[tuple[Arm, str]]:
    """Arms to compare a synthetic one with, and what each is."""
    own = control_arm(arms, arm.name)
    plain = [each for each in arms if not (each.synthetic or each.half or each.discriminator)]
    replays = [(each, "replay of the same number of images") for each in arms]
    return [
        *((each, _kind(each, own)) for each in plain),
        *(pair for pair in replays if pair[0].replay_of == arm.name),
        *((each, "half of the lesions") for each in arms if each.half),
    ]


def _kind(arm: Arm, own: str | None) -> str:
    """What an arm of real images alone is, in words."""
    is_bare = arm.policy == "none" and not arm.variants
    parts = ["no augmentation" if is_bare else "classic augmentation"]
    if arm.sampling == "balanced":
        parts.append("class-balanced sampling")
    if arm.loss != "plain":
        parts.append(f"{arm.loss} loss")
    return ", ".join(parts) + (" (the baseline)" if arm.name == own else "")


def _adjusting(answers: Answers, arms: Sequence[Arm]) -> Answers:
    """Answers in which arms without generated images decide prior-adjusted where argmax is read."""
    plain = {arm.name for arm in arms if not arm.is_synthetic}

    def read(key: Key, answer: Answer) -> Answer:
        return _moved(answer) if key[0] in plain else answer

    return {
        model: {
            fold: replace(
                found, answers={key: read(key, own) for key, own in found.answers.items()}
            )
            for fold, found in folds.items()
        }
        for model, folds in answers.items()
    }


def _moved(answer: Answer) -> Answer:
    """Rows of argmax replaced by those prior-adjusted."""
    values, influence = answer.values.copy(), answer.influence.copy()
    values[:2], influence[:, :2] = values[2:4], influence[:, 2:4]
    return Answer(values, influence)
