"""Where the gain of a synthetic arm comes from: its difference to every reference.

Published gains mix three effects: the information in the images, a moved threshold, and a weak
reference. Each row is a reference, from the weakest to the strongest. Each column uses the same
read-out for both arms, except the last one: it compares the synthetic arm at argmax with the
prior-adjusted reference. This is what remains of a gain at argmax once the threshold of the
reference is moved as well, which costs nothing.
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
from dermaug.stats.metrics import ALL, Metric, readout_metrics

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
    """Compare each synthetic arm with every arm without generated images and with its replay.

    All rows are exploratory except those that `verdict_table` judges. Of a dose curve, only the
    chosen dose is compared.

    Returns:
        The columns of `COLUMNS`: one row per classifier, synthetic arm, reference and read-out.
        kind describes the reference; difference, low and high (95 %, not adjusted, clipped to -1
        and 1) are in mean sensitivity, or in macro AUC where readout is auc.
    """
    arms, classes = point.results.experiment.compared_arms, point.results.catalog.classes
    kinds = {
        Contrast(arm.name, other.name, AGAINST): kind
        for arm in arms
        if arm.is_synthetic
        for other, kind in _references(arms, arm)
    }
    alike, free = (
        effects_of(answers, readout_metrics(classes), tuple(kinds), point.resamples)
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
    """The arms with which a synthetic arm is compared, and a description of each."""
    own = control_arm(arms, arm.name)
    plain = [each for each in arms if not (each.synthetic or each.half or each.discriminator)]
    replays = [(each, "replay of the same number of images") for each in arms]
    return [
        *((each, each.treatment + " (the baseline)" * (each.name == own)) for each in plain),
        *(pair for pair in replays if pair[0].replay_of == arm.name),
        *((each, "half of the lesions") for each in arms if each.half),
    ]


def _adjusting(answers: Answers, arms: Sequence[Arm]) -> Answers:
    """Replace argmax by prior-adjusted decisions for the arms without generated images."""
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
    """Replace the argmax rows by the prior-adjusted ones."""
    values, influence = answer.values.copy(), answer.influence.copy()
    values[:2], influence[:, :2] = values[2:4], influence[:, 2:4]
    return Answer(values, influence)
