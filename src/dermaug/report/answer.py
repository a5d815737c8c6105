"""The short answer in plain words: no more certain than the numbers are."""

from collections.abc import Sequence

import pandas as pd

from dermaug.experiment.comparisons import contrasts, control_arm
from dermaug.experiment.results import RunResults
from dermaug.report.tables import number
from dermaug.stats.tally import ALL
from dermaug.stats.trainings import LESIONS_ONLY
from dermaug.stats.verdicts import EXPLORATORY, HELPS, HURTS

CHANCE_MARGIN = 0.02


def primary_contrasts(results: RunResults) -> list[tuple[str, str]]:
    """Contrasts (arm, reference) that the question is about.

    A synthetic arm is judged against its own control, where there is one, and against its replay:
    the first says whether the dose helps, the second whether it is the images that do. A study
    without synthetic arms is judged by all of its contrasts.
    """
    arms = results.experiment.arms
    replays = {arm.replay_of: arm.name for arm in arms if arm.replay_of}
    judged = [
        (arm.name, reference)
        for arm in arms
        if arm.is_synthetic
        for reference in (control_arm(results, arm.name) or arms[0].name, replays.get(arm.name))
        if reference is not None and reference != arm.name
    ]
    return judged or contrasts(results)


def short_answer(
    results: RunResults,
    scores: pd.DataFrame,
    comparisons: pd.DataFrame,
    verdicts: pd.DataFrame,
) -> list[str]:
    """Sentences: one verdict a contrast and classifier, then how far it can be trusted.

    Other arms that help or hurt against the first one follow: a reader who may choose must know.

    Args:
        results: The run.
        scores: What `score_cells` gives for it.
        comparisons: What `compare_arms` gives for it.
        verdicts: What `verdict_table` gives for it: the answer says what stands there, no more.
    """
    if not results.cells:
        return ["No classifier has been trained yet, so there is no answer."]
    keys = ["model", "arm", "reference"]
    asked = set(primary_contrasts(results))
    judged = verdicts[(verdicts["scope"] == ALL) & (verdicts["verdict"] != EXPLORATORY)]
    pairs = zip(judged["arm"], judged["reference"], strict=True)
    first = results.experiment.arms[0].name
    found = judged["verdict"].isin([HELPS, HURTS]) & (judged["reference"] == first)
    is_asked = pd.Series([pair in asked for pair in pairs], index=judged.index, dtype=bool)
    others = judged[found & ~is_asked]
    judged = judged[is_asked]
    if judged.empty:
        return ["No two arms have been trained on the same fold and seed yet: nothing to compare."]
    table = comparisons[comparisons["metric"] == "balanced_accuracy"]
    compared = table.merge(judged[keys], on=keys)
    untrained = at_chance(scores, results.catalog.num_classes)
    return [*judged["sentence"], *others["sentence"], *untrained, caution(compared)]


def caution(judged: pd.DataFrame) -> str:
    """What the intervals cover: the choice of test lesions, and training where it was repeated."""
    pairs = int(judged["pairs"].min())
    if pairs == 1:
        return (
            "Each network was trained once (one fold, one seed): nothing can be said about how "
            "much training itself varies, and another seed may turn the answer."
        )
    spreads = sorted({number(float(value)) for value in judged["sd_difference"]})
    spread = spreads[0] if len(spreads) == 1 else f"{spreads[0]} to {spreads[-1]}"
    levels = sorted(set(judged["levels"]))
    only = " only" if levels == [LESIONS_ONLY] else ""
    return (
        f"The interval covers the choice of {' or '.join(levels)}{only}; from one training to the "
        f"next ({pairs} pairs of the same fold and seed) the difference varied with SD {spread}."
    )


def at_chance(scores: pd.DataFrame, num_classes: int) -> list[str]:
    """A sentence for each classifier that guesses in every arm: its comparisons say nothing."""
    best = scores.groupby(["model", "arm"], sort=False)["balanced_accuracy"].mean()
    return [
        f"With {model}, no arm does better than chance (mean sensitivity {number(value)} with "
        f"{num_classes} classes), so its comparison says nothing yet: train it longer."
        for model, value in best.groupby("model", sort=False).max().items()
        if value < 1 / num_classes + CHANCE_MARGIN
    ]


def unfinished(results: RunResults) -> Sequence[str]:
    """A sentence when cells or generators are missing; empty for a finished run."""
    generators, cells = results.num_jobs
    # One generator may give images of several classes, each with a result of its own.
    trained = len({generator.folder for generator in results.generators})
    if len(results.cells) >= cells and trained >= generators:
        return ()
    return (
        f"The run is not finished: {len(results.cells)} of {cells} cells and "
        f"{trained} of {generators} generators are done, "
        "so the answer is provisional.",
    )
