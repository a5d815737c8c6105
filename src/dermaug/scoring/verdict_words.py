"""Sentences for the rows of the verdict table, no stronger than their numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dermaug.evaluation.readouts import AUC
from dermaug.stats.influence import SCORED
from dermaug.stats.metrics import ALL
from dermaug.stats.outcomes import (
    ALPHA,
    EQUIVALENT,
    EXPLORATORY,
    HELPS,
    HURTS,
    NOT_JUDGED,
    why_not_judged,
)
from dermaug.stats.trainings import GROUPS_ONLY

Row = Mapping[Any, Any]
NONE = "–"
"""In place of a number that is not defined."""
_WORDS = {
    "balanced_accuracy": "mean sensitivity",
    "mean_specificity": "mean specificity",
    "accuracy": "accuracy",
}


def sentence(row: Row) -> str:
    """Put one row of the verdict table into a sentence."""
    with_model = f"With {row['model']}, "
    if np.isnan(row["difference"]):
        return f"{with_model}{metric_words(row)} of {row['arm']} could not be compared."
    facts = signed(row["difference"]) + ("" if np.isnan(row["low"]) else f", {interval_words(row)}")
    if row["verdict"] == NOT_JUDGED:
        return f"{with_model}{_not_judged(row, facts)}"
    if row["verdict"] == EXPLORATORY:
        return (
            f"Exploratory: {with_model[0].lower()}{with_model[1:]}{row['arm']} minus "
            f"{row['reference']} in {metric_words(row)} is {facts}."
        )
    single = ", for this generator" if row["num_generators"] == 1 else ""
    of = f"{row['num_groups']:,} {GROUPS_ONLY}{single}"
    return f"{with_model}{_judged(row, facts, of)}"


def metric_words(row: Row) -> str:
    """Name of a row's metric, with the readout unless the metric implies it."""
    if row["readout"] in SCORED:
        name = "AUC" if row["readout"] == AUC else row["readout"].replace("_", " ")
        return f"macro {name}" if row["scope"] == ALL else f"the {name} of {row['scope']}"
    words = _WORDS.get(row["metric"]) or f"{row['metric']} of {row['scope']}"
    return f"{words} ({row['readout']})"


def _judged(row: Row, facts: str, of: str) -> str:
    arm, reference, metric = row["arm"], row["reference"], metric_words(row)
    after = f"{p_words(row['p_holm'])} after Holm, {of}"
    if row["verdict"] in (HELPS, HURTS):
        verb = "raises" if row["verdict"] == HELPS else "lowers"
        small = row["p_equivalence"] <= ALPHA
        less = f", by less than the margin of {row['margin']:g}" if small else ""
        return f"{arm} {verb} {metric} against {reference}{less} ({facts}, {after})."
    if row["verdict"] == EQUIVALENT:
        tests = f"two one-sided tests: {p_words(row['p_equivalence'])} after Holm"
        return (
            f"{arm} and {reference} are equivalent in {metric}, within a margin of "
            f"{row['margin']:g} ({facts}, {tests}, {of})."
        )
    found = (
        f"whether {arm} changes {metric} against {reference} is inconclusive ({facts}, {after})."
    )
    return f"{found} {_power(row)}"


def _power(row: Row) -> str:
    """State what the design of an inconclusive comparison could have detected."""
    if not row["attainable"]:
        return "A gain is not attainable by this design: no possible one would be significant."
    if np.isinf(row["detectable"]):
        return "No possible gain has 80 % power to be detected by this design."
    margin = f"; margin {row['margin']:g}" if np.isfinite(row["margin"]) else ""
    out_of_reach = (
        "" if row["can_be_equivalent"] else "; it is too small to show that there is none"
    )
    return (
        f"A study like this one would find a difference of {row['detectable']:.3f} or more in four "
        f"of five cases (80 % power, with the variation that the interval assumes{margin})"
        f"{out_of_reach}."
    )


def _not_judged(row: Row, facts: str) -> str:
    what = f"{row['arm']} minus {row['reference']} in {metric_words(row)} is {facts}"
    covered = "" if np.isnan(row["low"]) else f" over the choice of {GROUPS_ONLY} alone"
    places = (row[name] for name in ("difference", "low", "num_groups", "levels"))
    return f"{what}{covered}: {why_not_judged(*places)}."


def interval_words(row: Row) -> str:
    """The interval of a row's difference."""
    return f"95 % interval {signed(row['low'])} to {signed(row['high'])}"


def signed(value: float) -> str:
    """Format a number with three decimals, a sign and a typographic minus; a dash for none.

    Example:
        >>> signed(-0.0251), signed(-0.0001), signed(float("nan"))
        ('−0.025', '0.000', '–')
    """
    if np.isnan(value):
        return NONE
    if round(value, 3) == 0:
        return "0.000"
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")


def p_words(value: float) -> str:
    """Format a p-value with three decimals, or as smaller than 0.001."""
    return f"p = {value:.3f}" if value >= 0.001 else "p < 0.001"
