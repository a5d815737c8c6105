"""Does an arm help, as a whole and class by class: a verdict, its p-value and its limits."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from dermaug.experiment.comparisons import contrasts
from dermaug.experiment.curves import exploratory_doses
from dermaug.experiment.effects import RESAMPLES, Effect, effects_of, place_of
from dermaug.experiment.results import RunResults
from dermaug.stats.bootstrap import percentile_interval, two_sided_p
from dermaug.stats.multiplicity import holm
from dermaug.stats.paired import mcnemar_exact
from dermaug.stats.tally import ALL
from dermaug.stats.trainings import LESIONS_ONLY
from dermaug.stats.verdicts import EXPLORATORY, HELPS, HURTS, smallest_detectable, verdict

COLUMNS = (
    "arm",
    "reference",
    "model",
    "scope",
    "metric",
    "difference",
    "low",
    "high",
    "p",
    "p_holm",
    "mcnemar_p",
    "verdict",
    "smallest_detectable",
    "num_lesions",
    "num_cells",
    "levels",
    "sentence",
)
OVERALL_METRIC, CLASS_METRIC = "balanced_accuracy", "sensitivity"


def verdict_table(results: RunResults, resamples: int = RESAMPLES) -> pd.DataFrame:
    """One row a contrast, classifier and scope: balanced accuracy of all, sensitivity of a class.

    Holm's rule adjusts within two families over the whole run, all arms and classifiers: the
    verdicts on balanced accuracy, and the verdicts on single classes. Doses that validation does
    not pick, and their replays, are exploratory: they get an interval, no verdict, and don't count
    in the families.

    Args:
        results: The run.
        resamples: Number of draws of the bootstrap.

    Returns:
        The columns of `COLUMNS`. difference, low, high (95 %, not adjusted) and
        smallest_detectable are differences of the metric; p belongs to the interval; mcnemar_p
        (not adjusted) is of the lesions got right more or less often, given the networks, which
        for the scope `all` is a test of accuracy; num_lesions have an image of the scope;
        num_cells are pairs of networks; levels are what the interval covers.
    """
    effects = effects_of(results, tuple(contrasts(results)), resamples)
    rows = [
        _row(effect, scope, results)
        for effect in effects
        for scope in (ALL, *results.catalog.classes)
    ]
    table = pd.DataFrame(rows, columns=["draws", "standard_error", *COLUMNS])
    unasked = exploratory_doses(results)
    places = zip(table["model"], table["arm"], table["reference"], strict=True)
    judged = [not {(model, arm), (model, other)} & unasked for model, arm, other in places]
    for _, family in table[judged].groupby(table["scope"] == ALL):
        p_values = family["p"].to_numpy(dtype=float)
        table.loc[family.index, "p_holm"] = holm(p_values)
        made = int((~np.isnan(p_values)).sum())
        for index, row in family.iterrows():
            least = smallest_detectable(row["draws"], row["standard_error"], made)
            table.loc[[index], "smallest_detectable"] = least
    table["verdict"] = [
        verdict(row["difference"], row["p_holm"]) if known else EXPLORATORY
        for known, row in zip(judged, table.to_dict("records"), strict=True)
    ]
    table["sentence"] = [sentence(row) for row in table.to_dict("records")]
    return table[list(COLUMNS)]


def sentence(row: Mapping[Any, Any]) -> str:
    """A row of the verdict table in plain words, no more certain than its numbers.

    Args:
        row: The columns of `COLUMNS`, but for the sentence.
    """
    names = {name: row[name] for name in ("arm", "reference", "model", "verdict")}
    numbers = {name: float(row[name]) for name in ("difference", "low", "high", "p_holm")}
    metric = "mean sensitivity" if row["scope"] == ALL else f"the sensitivity for {row['scope']}"
    if np.isnan(numbers["low"]):
        return f"With {names['model']}, {metric} of {names['arm']} could not be compared."
    middle, low, high = (_signed(numbers[name]) for name in ("difference", "low", "high"))
    interval = f"{middle}, 95 % interval {low} to {high}"
    if names["verdict"] == EXPLORATORY:
        return (
            f"Exploratory, not judged: with {names['model']}, {metric} of {names['arm']} against "
            f"{names['reference']} ({interval}); validation picks another dose."
        )
    words = {HELPS: "raises", HURTS: "lowers"}.get(str(names["verdict"]))
    found = (
        f"{names['arm']} {words} {metric} against {names['reference']}"
        if words
        else f"no evidence that {names['arm']} changes {metric} against {names['reference']}"
    )
    facts = f"{interval}, p = {_p(numbers['p_holm'])} after Holm, {row['num_lesions']:,} lesions"
    limits = ""
    if not words:
        limits = _limits(float(row["smallest_detectable"]))
    if row["levels"] == LESIONS_ONLY:
        limits += " One seed: this holds for these networks; another training may turn it."
    return f"With {names['model']}, {found} ({facts}).{limits}"


def _limits(least: float) -> str:
    """What a null result is worth: the difference that four of five such studies would find."""
    if np.isnan(least):
        return " Nothing varied, so that what this design could have found cannot be told."
    if least >= 1.0:  # no difference of two shares is larger
        return " A design like this would seldom find any difference, however large."
    return f" Four in five studies like this would find a difference of {least:.3f} or more."


def _row(effect: Effect, scope: str, results: RunResults) -> dict[str, object]:
    metric = OVERALL_METRIC if scope == ALL else CLASS_METRIC
    place = place_of(results, scope, metric)
    draws = effect.estimate.draws[:, place]
    low, high = percentile_interval(draws)
    if scope == ALL:
        gains, num_lesions = effect.gains.sum(axis=1), len(effect.gains)
    else:
        index = results.catalog.classes.index(scope)
        gains, num_lesions = effect.gains[:, index], int(effect.num_lesions[index])
    return {
        "draws": draws,
        "standard_error": float(effect.estimate.standard_error[place]),
        "arm": effect.arm,
        "reference": effect.reference,
        "model": effect.model,
        "scope": scope,
        "metric": metric,
        "difference": float(effect.estimate.value[place]),
        "low": low,
        "high": high,
        "p": two_sided_p(draws),
        "mcnemar_p": mcnemar_exact(gains).p,
        "num_lesions": num_lesions,
        "num_cells": effect.num_pairs,
        "levels": effect.estimate.levels,
    }


def _signed(value: float) -> str:
    """Three decimals with a sign; a true minus."""
    return f"{value:+.3f}".replace("-", "−")


def _p(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else "below 0.001"
