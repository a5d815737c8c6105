"""The answer in full, no stronger than the numbers, and the threats to its validity."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dermaug.config import Experiment
from dermaug.evaluation.readouts import ADJUSTED, ARGMAX, AUC
from dermaug.experiment.plan.comparisons import NEGATIVE
from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Block, Bullets, Section
from dermaug.report.formats import listed, number, with_interval
from dermaug.scoring.convergence import FALLEN, NOT_REACHED, REACHED, convergence_state
from dermaug.scoring.scores import primary_rows, primary_words
from dermaug.scoring.scoring import Scoring
from dermaug.scoring.verdict_words import interval_words, metric_words, signed
from dermaug.stats.metrics import ALL
from dermaug.stats.outcomes import EQUIVALENT, EXPLORATORY, HELPS, HURTS
from dermaug.stats.trainings import GROUPS_ONLY, TRAINING_SETS

CHANCE_MARGIN = 0.02
_THREATS = "Found by checks of this run; a study may have weaknesses that no check looks for."


def threat_section(scoring: Scoring, alarms: Sequence[str]) -> Section:
    """Weaknesses found in this run, first what its audits found of copies (`alarms`)."""
    told = (*alarms, *scoring.threats["sentence"])
    content: list[Block] = [_THREATS, Bullets(told)] if told else []
    return Section("threats", "Threats to validity", content)


def short_answer(results: RunResults, scoring: Scoring) -> list[str]:
    """One sentence per judged contrast and classifier, then the limits of the answer."""
    if not results.trials:
        return ["No classifier has been trained yet, so there is no answer."]
    asked = asked_first(results, scoring)
    if asked.empty:
        return ["No two arms have been trained on the same fold and seed yet: nothing to compare."]
    verdicts, words = scoring.verdicts, primary_words(results.experiment)
    dosed = results.dosed
    ranked = verdicts[(verdicts["family"] == "macro AUC") & verdicts["arm"].isin(dosed)]
    return [
        *asked["sentence"],
        *(ranked["sentence"] if words != "macro AUC" else []),
        *training_noise(verdicts, results.experiment),
        *added_images(results),
        *thresholds(verdicts),
        *converged(scoring.convergence),
        *at_chance(scoring.scores, results.catalog.num_classes),
        caution(asked, single_generators=has_single_generators(results)),
    ]


def added_images(results: RunResults) -> list[str]:
    """A sentence for each arm with generated images: how many, beside how many real ones."""
    sentences = []
    for arm in results.experiment.arms:
        trials = [trial.record for trial in results.trials if trial.arm == arm.name]
        if not arm.is_synthetic or not trials:
            continue
        counts = [list(trial.train_counts.values()) for trial in trials]
        real, added = (
            np.mean([sum(getattr(each, kind) for each in own) for own in counts])
            for kind in ("real", "synthetic")
        )
        wanted = [sum(entry.wanted for entry in trial.curation.values()) for trial in trials]
        of = f" of {np.mean(wanted):,.0f} that its dose asks for" if any(wanted) else ""
        given = {name for own in trials for name, n in own.train_counts.items() if n.synthetic}
        asked = {name for own in trials for name, entry in own.curation.items() if entry.wanted}
        without = [label for label in results.catalog.classes if label not in given]
        refused = [label for label in without if label in asked]
        rest = [label for label in without if label not in asked]
        none = f"; none of {listed(refused)} passed the curation" if refused else ""
        none += f"; none of {listed(rest)}, for which its dose asks for none" if rest else ""
        sentences.append(
            f"{arm.name} adds {added:,.0f} generated images{of} to {real:,.0f} real ones (mean "
            f"over trainings{none})."
        )
    return sentences


def training_noise(verdicts: pd.DataFrame, experiment: Experiment) -> list[str]:
    """A sentence for each negative control: how much arms differ that show every class alike."""
    controls = primary_rows(verdicts[verdicts["role"] == NEGATIVE], experiment)
    return [
        f"For comparison, with {row['model']} the negative control {row['arm']}, which shows every "
        f"class as often as {row['reference']}, differs from it by {with_interval(row)} in "
        f"{metric_words(row)}. By design no difference is expected, so that this shows what chance "
        f"does here{'' if row['low'] <= 0 <= row['high'] else ', but the interval excludes zero'}."
        for row in controls.to_dict("records")
    ]


def thresholds(verdicts: pd.DataFrame) -> list[str]:
    """A sentence for each arm that differs at argmax only, because its threshold has moved."""
    overall = verdicts[(verdicts["scope"] == ALL) & (verdicts["levels"] != GROUPS_ONLY)]
    sentences = []
    for (model, arm, reference), part in overall.groupby(["model", "arm", "reference"], sort=False):
        rows = {(row["readout"], row["metric"]): row for row in part.to_dict("records")}
        decided = rows[ARGMAX, "balanced_accuracy"]
        fair, ranked = rows[ADJUSTED, "balanced_accuracy"], rows[AUC, "macro_auc"]
        if decided["low"] <= 0 <= decided["high"] or any(
            each["verdict"] == EXPLORATORY or _excludes_zero(each, decided["difference"])
            for each in (fair, ranked)
            if each["verdict"] not in (HELPS, HURTS, EQUIVALENT)
        ):
            continue
        if fair["verdict"] == ranked["verdict"] == EQUIVALENT:
            sentences.append(
                f"With {model}, {arm} minus {reference} at argmax is "
                f"{signed(decided['difference'])} in mean sensitivity (exploratory, "
                f"{interval_words(decided)}): this is a moved threshold."
            )
        else:
            sentences += _partly_moved(decided, fair)
    return sentences


def _excludes_zero(row: Mapping[Any, Any], like: float) -> bool:
    """Whether the interval of a row lies on the same side of zero as another difference."""
    return bool(row["low"] > 0 if like > 0 else row["high"] < 0)


def _partly_moved(decided: Mapping[Any, Any], fair: Mapping[Any, Any]) -> list[str]:
    """A sentence for a difference at argmax that is smaller by more than the margin afterwards."""
    rest = decided["difference"] - fair["difference"]
    if np.sign(rest) != np.sign(decided["difference"]) or abs(rest) <= fair["margin"]:
        return []
    return [
        f"With {decided['model']}, {decided['arm']} minus {decided['reference']} in mean "
        f"sensitivity is {signed(decided['difference'])} at argmax and "
        f"{signed(fair['difference'])} prior-adjusted: the rest of the former, {signed(rest)}, may "
        "be a moved threshold (exploratory)."
    ]


def converged(table: pd.DataFrame) -> list[str]:
    """Whether each baseline of a table of convergence has converged, or that none was measured."""
    if table.empty:
        return ["Whether the baseline has converged was not measured (check_convergence)."]
    return [
        _converged(f"{arm} with {model}", rows.to_dict("records"), convergence_state(rows))
        for (model, arm), rows in table.groupby(["model", "arm"], sort=False)
    ]


def _converged(name: str, rows: Sequence[Mapping[Any, Any]], state: str) -> str:
    """One sentence on a baseline, no stronger than the intervals of its gains."""
    gains = listed(
        [
            f"{signed(row['difference'])} in {metric_words(row)} ({interval_words(row)}, margin "
            f"{row['margin']:g})"
            for row in rows
        ]
    )
    others = "The other arms were not checked."
    found = (
        f"From {rows[0]['half']:,} to {rows[0]['images']:,} images shown, in separate trainings, "
        f"the baseline {name} changes by {gains}"
    )
    if state == REACHED:
        return f"{found}: it has converged within the margins. {others}"
    if state == FALLEN:
        return (
            f"{found}: longer training did not improve it, and a shorter one may give a stronger "
            f"baseline. {others}"
        )
    above = [metric_words(row) for row in rows if row["low"] > row["margin"]]
    within = [metric_words(row) for row in rows if row["low"] <= row["margin"] < row["high"]]
    kept = "Every verdict holds at this length of training only; longer training may change it."
    if state == NOT_REACHED:
        return (
            f"{found}: it has not converged, since the gain in {listed(above)} exceeds the margin. "
            f"{kept} {others}"
        )
    return f"{found}: whether it has converged is open, since {_includes(within)}. {kept} {others}"


def _includes(metrics: Sequence[str]) -> str:
    """That the interval of a gain, or of two, includes the margin."""
    if len(metrics) == 1:
        return f"the interval of the gain in {metrics[0]} includes the margin"
    return f"the intervals of the gains in {listed(metrics)} include the margins"


def caution(asked: pd.DataFrame, *, single_generators: bool = False) -> str:
    """State which sources of variation the intervals cover."""
    if (asked["levels"] == GROUPS_ONLY).all():
        return (
            "Each network was trained once in fewer than three folds: the variation between "
            "trainings cannot be estimated, so nothing is judged."
        )
    levels = " or ".join(dict.fromkeys(asked["levels"]))
    others = uncovered(asked, single_generators=single_generators)
    return f"The intervals cover the choice of {levels}; they do not cover {others}."


def uncovered(asked: pd.DataFrame, *, single_generators: bool) -> str:
    """Name the sources of variation that the intervals do not cover; arguments of `caution`."""
    has_sets = asked["levels"].str.contains(TRAINING_SETS, regex=False).any()
    left = ["other trainings of the generators"] * single_generators
    left += ["other training lesions"] * (not has_sets)
    return f"{', '.join(left)} or other data sets" if left else "other data sets"


def has_single_generators(results: RunResults) -> bool:
    """Whether some generator of the study was trained once in each fold."""
    experiment = results.experiment
    dosed = any(arm.is_synthetic for arm in experiment.arms)
    return dosed and any(len(each.seeds) == 1 for each in experiment.generators)


def asked_first(results: RunResults, scoring: Scoring) -> pd.DataFrame:
    """Verdicts on the primary metric; first those that the study asks for: generated images."""
    verdicts = scoring.verdicts
    asked = verdicts[verdicts["family"] == primary_words(results.experiment)]
    dosed = results.dosed
    return asked.sort_values("arm", key=lambda arms: ~arms.isin(dosed), kind="stable")


def at_chance(scores: pd.DataFrame, num_classes: int) -> list[str]:
    """A sentence for each classifier that is no better than chance in every arm."""
    best = scores.groupby(["model", "arm"], sort=False)["balanced_accuracy_adjusted"].mean()
    return [
        f"With {model}, no arm does better than chance (mean sensitivity {number(value)} with "
        f"{num_classes} classes), so its comparison says nothing yet: train it longer."
        for model, value in best.groupby("model", sort=False).max().items()
        if value < 1 / num_classes + CHANCE_MARGIN and not np.isnan(value)
    ]


def unfinished(results: RunResults) -> Sequence[str]:
    """A sentence when trials or generators are missing; empty for a finished run."""
    if results.is_finished:
        return ()
    generators, trials = results.num_jobs
    return (
        f"The run is not finished: {len(results.trials)} of {trials} trials and "
        f"{len(results.networks)} of {generators} generators are done, "
        "so the answer is provisional.",
    )
