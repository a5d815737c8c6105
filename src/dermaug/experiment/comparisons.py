"""Comparisons of arms: which pairs are worth it, and their differences with an interval."""

import pandas as pd

from dermaug.config import ArmConfig
from dermaug.evaluation.discrimination import FROM_COUNTS
from dermaug.experiment.effects import RESAMPLES, Effect, effects_of, place_of
from dermaug.experiment.results import RunResults
from dermaug.experiment.scores import paired_differences, score_cells
from dermaug.stats.bootstrap import percentile_interval
from dermaug.stats.tally import ALL

INTERVAL = ("pooled_difference", "low", "high", "lesions", "images", "levels")
_OF_THE_DOSE = {"name", "synthetic", "replay", "replay_of", "curve"}


def contrasts(results: RunResults) -> list[tuple[str, str]]:
    """Pairs (arm, reference) worth comparing, in the experiment's order.

    Every arm is compared with the first. An arm with a dose is also compared with the arm that has
    all but the dose, and a synthetic arm with its replay, the same dose of real training images:
    only these differences are owed to the images. A replay is compared with its control alone.
    """
    arms = results.experiment.arms
    replays = {arm.replay_of: arm.name for arm in arms if arm.replay_of}
    pairs: dict[tuple[str, str], None] = {}
    for arm in arms:
        control = control_arm(results, arm.name)
        first = control if arm.replay_of and control else arms[0].name
        for reference in (first, control, replays.get(arm.name)):
            if reference is not None and reference != arm.name:
                pairs[arm.name, reference] = None
    return list(pairs)


def control_arm(results: RunResults, name: str) -> str | None:
    """The arm that differs from one with a dose in the dose only; None without one."""
    arms = {arm.name: arm for arm in results.experiment.arms}
    if arms[name].synthetic is None:
        return None
    alike = (
        arm.name
        for arm in arms.values()
        if arm.synthetic is None and _without_dose(arm) == _without_dose(arms[name])
    )
    return next(alike, None)


def compare_arms(results: RunResults, resamples: int = RESAMPLES) -> pd.DataFrame:
    """Every contrast, model and metric, with an interval where one can be given.

    Returns:
        The columns of `paired_differences`, then what `pooled_differences` gives, NaN for metrics
        that are not computed from counts (AUC, kappa).
    """
    scores = score_cells(results)
    pairs = contrasts(results)
    tables = []
    for effect in effects_of(results, tuple(pairs), resamples):
        table = paired_differences(scores[scores["model"] == effect.model], effect.reference)
        rows = table[table["arm"] == effect.arm]
        tables.append(rows.merge(_interval_table(effect, results), on="metric", how="left"))
    if not tables:
        empty = paired_differences(scores.head(0), results.experiment.arms[0].name)
        return empty.reindex(columns=[*empty.columns, *INTERVAL])
    order = {pair: place for place, pair in enumerate(pairs)}
    tables.sort(key=lambda rows: order[rows["arm"].iloc[0], rows["reference"].iloc[0]])
    return pd.concat(tables, ignore_index=True)


def pooled_differences(
    results: RunResults, model: str, arm: str, reference: str, resamples: int = RESAMPLES
) -> pd.DataFrame:
    """Difference arm - reference of the pooled test predictions, by metric of `FROM_COUNTS`.

    The right answers are averaged over seeds, the test parts of all folds are pooled, and the
    metric is taken on the pool. The interval is that of `stats.hierarchy`.

    Returns:
        One row a metric: metric, pooled_difference, low, high (95 %), lesions and images of the
        pool, and levels: what the interval covers. Empty without a pair of cells.
    """
    effects = effects_of(results, ((arm, reference),), resamples)
    tables = [_interval_table(each, results) for each in effects if each.model == model]
    return tables[0] if tables else pd.DataFrame(columns=["metric", *INTERVAL])


def _interval_table(effect: Effect, results: RunResults) -> pd.DataFrame:
    places = {metric: place_of(results, ALL, metric) for metric in FROM_COUNTS}
    rows = [
        (
            metric,
            float(effect.estimate.value[place]),
            *percentile_interval(effect.estimate.draws[:, place]),
        )
        for metric, place in places.items()
    ]
    table = pd.DataFrame(rows, columns=["metric", *INTERVAL[:3]])
    return table.assign(
        lesions=len(effect.gains), images=effect.num_images, levels=effect.estimate.levels
    )


def _without_dose(arm: ArmConfig) -> dict[str, object]:
    return arm.model_dump(exclude=_OF_THE_DOSE)
