"""The verdict table: every contrast and metric with its interval, and a verdict where judged."""

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
import pandas as pd

from dermaug.config import Experiment
from dermaug.evaluation.readouts import ADJUSTED, AUC
from dermaug.scoring.effects import Effect
from dermaug.scoring.points import Point
from dermaug.scoring.verdict_words import sentence
from dermaug.stats.estimate import Estimate
from dermaug.stats.metrics import Metric, metrics_of
from dermaug.stats.multiplicity import holm
from dermaug.stats.outcomes import (
    ALPHA,
    EXPLORATORY,
    FEWEST_GROUPS,
    INCONCLUSIVE,
    NOT_JUDGED,
    detectable,
    needed,
    outcome,
    why_not_judged,
)

COLUMNS = (
    *("arm", "reference", "role", "model", "readout", "scope", "metric", "family"),
    *("difference", "low", "high", "p", "p_holm", "margin", "p_equivalence", "verdict"),
    *("detectable", "attainable", "can_be_equivalent", "reference_level"),
    *("num_groups", "num_pairs", "num_generators", "levels", "sentence"),
)
FAMILIES = {
    "mean sensitivity": (ADJUSTED, "balanced_accuracy"),
    "macro AUC": (AUC, "macro_auc"),
    "class sensitivity": (ADJUSTED, "sensitivity"),
}
"""The metrics that are judged; every other readout and metric is exploratory."""


def verdict_table(point: Point) -> pd.DataFrame:
    """One row per contrast, classifier, readout and metric.

    Holm's adjustment is applied within families over all arms and classifiers of the run: mean
    sensitivity, macro AUC, and the sensitivities of single classes, each for the difference and,
    where there is a margin, for equivalence. The families consist of arms against their baselines
    and synthetic arms against their replays. Replays against baselines, doses that were not
    selected on validation, and every other metric are exploratory.

    Returns:
        The columns of `COLUMNS`. family is "" for exploratory rows; difference, low and high (95 %,
        not adjusted, clipped to -1 and 1; NaN with fewer than ten groups of the scope) refer to the
        metric; p, p_holm and p_equivalence are defined in docs/statistics.md; detectable is the
        minimum detectable difference, infinite if it exceeds the largest possible difference;
        attainable states whether any possible gain could have been significant, and
        can_be_equivalent whether a difference of zero would have been equivalent, at the strictest
        step of Holm's rule; reference_level is the metric of the reference; num_groups is the
        number of test groups with an image of the scope; num_pairs is the number of pairs of
        networks; levels lists the sources of variation that the interval covers.
    """
    results, effects = point.results, point.effects
    metrics = metrics_of(results.catalog.classes)
    rows = [
        row
        for effect in effects
        for row in _rows(effect, metrics, results.experiment, is_asked=point.asks(effect))
    ]
    table = pd.DataFrame(rows, columns=[name for name in COLUMNS if name != "sentence"])
    for family in FAMILIES:
        judge(table, table["family"] == family)
    _power(table, effects, metrics)
    table["sentence"] = [sentence(row) for row in table.to_dict("records")]
    return table[list(COLUMNS)]


def _rows(
    effect: Effect, metrics: tuple[Metric, ...], experiment: Experiment, *, is_asked: bool
) -> Iterator[dict[str, object]]:
    """Rows of one contrast, before verdicts are given."""
    estimate = effect.estimate
    low, high = estimate.interval().clip(-1.0, 1.0)
    p_values = estimate.p_value() if estimate.is_judged else np.full(len(metrics), np.nan)
    margins = _margins(metrics, experiment)
    equivalence = {
        margin: estimate.equivalence_p(margin) for margin in set(margins) if estimate.is_judged
    }
    for place, metric in enumerate(metrics):
        difference, num_groups = float(estimate.value[place]), int(estimate.groups[place])
        few = num_groups < FEWEST_GROUPS
        judged = not why_not_judged(difference, low[place], num_groups, estimate.levels)
        family = _family(metric) if is_asked else ""
        margin = margins[place]
        yield {
            **asdict(effect.contrast),
            "model": effect.model,
            **metric._asdict(),
            "family": family,
            "difference": difference,
            "low": np.nan if few else float(low[place]),
            "high": np.nan if few else float(high[place]),
            "p": float(p_values[place]) if judged else np.nan,
            "p_holm": np.nan,
            "margin": margin,
            "p_equivalence": float(equivalence[margin][place])
            if judged and family and not np.isnan(margin)
            else np.nan,
            "verdict": (INCONCLUSIVE if judged else NOT_JUDGED) if family else EXPLORATORY,
            "detectable": np.nan,
            "attainable": True,
            "can_be_equivalent": True,
            "reference_level": float(estimate.level[place]),
            "num_groups": num_groups,
            "num_pairs": effect.num_pairs,
            "num_generators": effect.num_generators,
            "levels": estimate.levels,
        }


def _family(metric: Metric) -> str:
    judged = {place: name for name, place in FAMILIES.items()}
    return judged.get((metric.readout, metric.metric), "")


def _margins(metrics: tuple[Metric, ...], experiment: Experiment) -> list[float]:
    """Margin of each metric that is judged; NaN without one."""
    given = experiment.verdict.margin
    margins = [getattr(given, m.metric) if _family(m) else None for m in metrics]
    return [np.nan if margin is None else margin for margin in margins]


def judge(table: pd.DataFrame, members: pd.Series) -> None:
    """Adjust the p-values of one family by Holm's rule, in place, and give its verdicts.

    `members` tells which contrasts belong to it; those that cannot be judged are left out.
    """
    rows = table.index[members & (table["verdict"] != NOT_JUDGED)]
    table.loc[rows, "p_holm"] = holm(table.loc[rows, "p"].to_numpy(dtype=float))
    table.loc[rows, "p_equivalence"] = holm(table.loc[rows, "p_equivalence"].to_numpy(dtype=float))
    table.loc[rows, "verdict"] = [
        outcome(row["difference"], row["p_holm"], row["p_equivalence"])
        for row in table.loc[rows].to_dict("records")
    ]


def _power(table: pd.DataFrame, effects: tuple[Effect, ...], metrics: tuple[Metric, ...]) -> None:
    """Fill in the minimum detectable differences, in place."""
    sizes = table.loc[table["verdict"] != NOT_JUDGED, "family"].value_counts().to_dict()
    for number, effect in enumerate(effects):
        own = table.iloc[number * len(metrics) : (number + 1) * len(metrics)]
        for family, rows in own[(own["family"] != "") & (own["verdict"] != NOT_JUDGED)].groupby(
            "family"
        ):
            places = rows.index.to_numpy() - number * len(metrics)
            count = int(sizes[str(family)])
            room = 1.0 - rows["reference_level"].to_numpy(dtype=float)
            estimate = effect.estimate.at(*places)
            least = detectable(estimate, count)
            table.loc[rows.index, "detectable"] = np.where(least > room, np.inf, least)
            table.loc[rows.index, "attainable"] = needed(estimate, count) <= room
            table.loc[rows.index, "can_be_equivalent"] = _within(estimate, rows["margin"], count)


def _within(estimate: Estimate, margins: pd.Series, count: int) -> list[bool]:
    """Whether each difference, had it been zero, would be equivalent; True without margin."""
    none = estimate.moved(-estimate.value)
    return [
        np.isnan(margin) or bool(none.equivalence_p(margin)[place] <= ALPHA / count)
        for place, margin in enumerate(margins.to_numpy(dtype=float))
    ]
