"""The short answer in plain words: no more certain than the numbers are."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dermaug.config import Experiment
from dermaug.evaluation.readouts import ADJUSTED, ARGMAX, AUC
from dermaug.experiment.run.results import RunResults
from dermaug.report.tables import number
from dermaug.scoring.scores import primary_words
from dermaug.scoring.scoring import Scoring
from dermaug.scoring.verdict_words import signed
from dermaug.stats.metrics import ALL
from dermaug.stats.outcomes import EQUIVALENT, EXPLORATORY, HELPS, HURTS
from dermaug.stats.trainings import GROUPS_ONLY, TRAINING_SETS

CHANCE_MARGIN = 0.02


def short_answer(results: RunResults, scoring: Scoring) -> list[str]:
    """Sentences: one per judged contrast and classifier, then how far they can be trusted.

    Args:
        results: The run.
        scoring: Its scores: the answer says what stands in the verdicts, no more.
    """
    if not results.trials:
        return ["No classifier has been trained yet, so there is no answer."]
    verdicts, words = scoring.verdicts, primary_words(results.experiment)
    asked = verdicts[verdicts["family"] == words]
    if asked.empty:
        return ["No two arms have been trained on the same fold and seed yet: nothing to compare."]
    return [
        *asked["sentence"],
        *thresholds(verdicts),
        *converged(scoring.convergence, results.experiment),
        *at_chance(scoring.scores, results.catalog.num_classes),
        caution(asked),
    ]


def thresholds(verdicts: pd.DataFrame) -> list[str]:
    """A sentence for each arm that differs at argmax and not otherwise: its threshold has moved."""
    overall = verdicts[(verdicts["scope"] == ALL) & (verdicts["levels"] != GROUPS_ONLY)]
    sentences = []
    for (model, arm, reference), part in overall.groupby(["model", "arm", "reference"], sort=False):
        rows = {(row["readout"], row["metric"]): row for row in part.to_dict("records")}
        decided = rows[ARGMAX, "balanced_accuracy"]
        fair, ranked = rows[ADJUSTED, "balanced_accuracy"], rows[AUC, "macro_auc"]
        if decided["low"] <= 0 <= decided["high"] or EXPLORATORY in (
            fair["verdict"],
            ranked["verdict"],
        ):
            continue
        # What ranking or prior-adjusted decisions show as well is more than a threshold.
        same = HELPS if decided["difference"] > 0 else HURTS
        if same in (fair["verdict"], ranked["verdict"]):
            continue
        is_moved = fair["verdict"] == ranked["verdict"] == EQUIVALENT
        sentences.append(
            f"With {model}, {arm} minus {reference} at argmax is {signed(decided['difference'])} "
            f"in mean sensitivity (exploratory, 95 % interval {signed(decided['low'])} to "
            f"{signed(decided['high'])}): this {'is' if is_moved else 'may be'} a moved threshold."
        )
    return sentences


def converged(table: pd.DataFrame, experiment: Experiment) -> list[str]:
    """Whether the baseline has stopped rising, for each classifier; or that nobody measured it."""
    if table.empty:
        return ["Whether the baseline has converged was not measured (check_convergence)."]
    wanted = table[table["metric"] == experiment.verdict.primary]
    sentences = []
    for row in wanted.to_dict("records"):
        what = f"{primary_words(experiment)} from {row['half']:,} to {row['images']:,} images shown"
        gain = f"{signed(row['difference'])}, 95 % interval {signed(row['low'])} to " + signed(
            row["high"]
        )
        name = f"{row['arm']} with {row['model']}"
        sentences.append(
            f"The baseline {name} has converged: it gains no more than the margin of "
            f"{row['margin']:g} in {what} ({gain})."
            if row["converged"]
            else f"The baseline {name} has not converged: it gains {signed(row['difference'])} in "
            f"{what} (95 % interval {signed(row['low'])} to {signed(row['high'])}), more than the "
            f"margin of {row['margin']:g}; longer training may change the answer."
        )
    return sentences


def caution(asked: pd.DataFrame) -> str:
    """What the intervals cover."""
    if (asked["levels"] == GROUPS_ONLY).all():
        return (
            "Each network was trained once in fewer than three folds: how much training itself "
            "varies cannot be seen, so nothing is judged."
        )
    levels = " or ".join(dict.fromkeys(asked["levels"]))
    more = "" if TRAINING_SETS in levels else "other training lesions or of "
    return f"The intervals cover the choice of {levels}; they say nothing of {more}other data sets."


def at_chance(scores: pd.DataFrame, num_classes: int) -> list[str]:
    """A sentence for each classifier that guesses in every arm: its comparisons say nothing."""
    best = scores.groupby(["model", "arm"], sort=False)["balanced_accuracy_adjusted"].mean()
    return [
        f"With {model}, no arm does better than chance (mean sensitivity {number(value)} with "
        f"{num_classes} classes), so its comparison says nothing yet: train it longer."
        for model, value in best.groupby("model", sort=False).max().items()
        if value < 1 / num_classes + CHANCE_MARGIN and not np.isnan(value)
    ]


def unfinished(results: RunResults) -> Sequence[str]:
    """A sentence when trials or generators are missing; empty for a finished run."""
    generators, trials = results.num_jobs
    # One generator may give images of several classes, each with a result of its own.
    trained = len({generator.folder for generator in results.generators})
    if len(results.trials) >= trials and trained >= generators:
        return ()
    return (
        f"The run is not finished: {len(results.trials)} of {trials} trials and "
        f"{trained} of {generators} generators are done, "
        "so the answer is provisional.",
    )
