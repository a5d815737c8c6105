"""Has the baseline converged? Compare its full training length with half of it.

With a cosine schedule, the last fifth of a training is flat by construction, so the journal of one
training cannot answer this; a second training of half the length can.
"""

import pandas as pd

from dermaug.evaluation.readouts import ADJUSTED, AUC
from dermaug.experiment.plan.comparisons import shortened
from dermaug.experiment.run.results import RunResults
from dermaug.scoring.effects import effects_of, place_of
from dermaug.scoring.samples import predictions_of
from dermaug.scoring.verdict_words import metric_words, signed
from dermaug.stats.answers import answers_of
from dermaug.stats.hierarchy import RESAMPLES
from dermaug.stats.metrics import ALL, Metric, readout_metrics

COLUMNS = (
    *("model", "arm", "readout", "scope", "metric", "images", "half"),
    *("difference", "low", "high", "margin"),
)

REACHED = "reached"
"""The intervals of all gains lie below their margins."""
OPEN = "open"
"""The interval of a gain includes its margin, and none lies above it."""
NOT_REACHED = "not reached"
"""The interval of a gain lies above its margin."""
FALLEN = "fallen"
"""As `REACHED`, but the second half of the training lost a margin, or an interval lies below 0."""


def convergence_state(rows: pd.DataFrame) -> str:
    """What the gains of one baseline together show: one of the four constants above."""
    if (rows["low"] > rows["margin"]).any():
        return NOT_REACHED
    if (rows["high"] > rows["margin"]).any():
        return OPEN
    return FALLEN if _fallen(rows).any() else REACHED


def _fallen(rows: pd.DataFrame) -> pd.Series:
    return (rows["difference"] < -rows["margin"]) | (rows["high"] < 0)


def convergence_words(name: str, rows: pd.DataFrame) -> tuple[str, str]:
    """Whether a baseline has converged, as a clause that begins with its `name`, and its state."""
    state, shown = convergence_state(rows), f"after {rows['images'].iloc[0]:,} images shown"
    gaining = rows[rows["low"] > 0]
    if state == OPEN and len(gaining):
        return (
            f"{name} gained from the last doubling of its training ({_changes(gaining)}), and "
            f"whether it had converged {shown} is open"
        ), state
    if state == FALLEN:
        lost = _changes(rows[_fallen(rows)])
        return f"{name} did worse {shown} than after half of them ({lost})", state
    words = {
        NOT_REACHED: f"{name} had not converged {shown}",
        OPEN: f"Whether {name} had converged {shown} is open",
        REACHED: f"{name} had converged within the margins {shown}",
    }
    return words[state], state


def _changes(rows: pd.DataFrame) -> str:
    return " and ".join(
        f"{metric_words(row)} {signed(row['difference'])}" for row in rows.to_dict("records")
    )


def convergence(results: RunResults, resamples: int = RESAMPLES) -> pd.DataFrame:
    """One row per classifier and metric that is judged.

    Returns:
        model, arm, readout, scope, metric, images, half (images shown in the shorter training),
        difference, low, high (full length minus half, test split) and margin. Empty where it was
        not measured.
    """
    experiment, classes = results.experiment, results.catalog.classes
    pairs = shortened(experiment.arms)
    models = [each.key for each in experiment.classifiers]
    answers = {model: answers_of(predictions_of(results, model)) for model in models if pairs}
    rows = []
    for effect in effects_of(answers, readout_metrics(classes), pairs, resamples):
        for readout, metric in ((ADJUSTED, "balanced_accuracy"), (AUC, "macro_auc")):
            interval = effect.interval_at(place_of(classes, Metric(readout, ALL, metric)))
            margin, names = getattr(experiment.verdict.margin, metric), effect.contrast
            shown = (_shown(results, effect.model, arm) for arm in (names.arm, names.reference))
            place = (effect.model, names.arm, readout, ALL, metric)
            rows.append((*place, *shown, *interval, margin))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _shown(results: RunResults, model: str, arm: str) -> int:
    """Images shown in each training of an arm: whole batches, so slightly more than asked for."""
    trainings = (each.record.training for each in results.trials_of(model, arm))
    return max((each.images for each in trainings if each), default=0)
