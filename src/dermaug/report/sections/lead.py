"""The answer in two plain sentences: the verdict with its number, and how far it reaches."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Details, Figure, Group, Section
from dermaug.report.formats import listed, number
from dermaug.report.sections.answer import (
    asked_first,
    at_chance,
    caution,
    has_single_generators,
    short_answer,
    uncovered,
    unfinished,
)
from dermaug.report.sections.copies import unaudited
from dermaug.scoring.convergence import FALLEN, NOT_REACHED, OPEN, REACHED, convergence_words
from dermaug.scoring.scoring import Scoring
from dermaug.scoring.verdict_words import interval_words, metric_words, signed
from dermaug.stats.outcomes import ALPHA, EQUIVALENT, HELPS, HURTS, INCONCLUSIVE
from dermaug.stats.trainings import GROUPS_ONLY

Row = Mapping[Any, Any]
_REACH = {
    NOT_REACHED: ", so this holds at that length of training only",
    OPEN: ", so longer training may change this",
    REACHED: " (other arms were not checked)",
    FALLEN: ", so a shorter training may give a stronger baseline (other arms were not checked)",
}
"""What the convergence of a baseline means for the answer."""
_TALLY = {HELPS: "better", HURTS: "worse", EQUIVALENT: "equivalent", INCONCLUSIVE: "inconclusive"}


def answer_section(
    results: RunResults, scoring: Scoring, drawn: Sequence[Figure], alarms: Sequence[str]
) -> Section:
    """The first screen: the answer in plain sentences, in full below them, and the differences.

    Args:
        results: The run with every trial.
        scoring: Its scores.
        drawn: Figures of the differences between arms and of the study's first curve.
        alarms: What the audits found of copies.
    """
    told, plain = short_answer(results, scoring), plain_answer(results, scoring)
    if plain:
        which = which_classifier(results, asked_first(results, scoring))
        limits = [*told, *([which] if which else [])]
        more = Details("The comparisons behind this, and the limits of the answer", limits)
        answer = Group("answer", [*plain, *alarms, more])
    else:
        answer = Group("answer", [*told, *alarms])
    return Section("answer", "The answer", [Group("first", [answer, *drawn])], "Answer")


def plain_answer(results: RunResults, scoring: Scoring) -> list[str]:
    """The verdict on what the study asks first, and its reach; empty without one.

    A third sentence counts the verdicts where several arms or networks got generated images, or
    where none did, and one follows for each network that is no better than chance.
    """
    if not results.trials:
        return []
    asked = asked_first(results, scoring)
    if asked.empty or asked["difference"].isna().iloc[0]:
        return []
    first = asked.iloc[0].to_dict()
    dosed = results.dosed
    ours = asked[asked["arm"].isin(dosed)] if dosed else asked
    reach = _reach(first, asked, scoring.convergence, single=has_single_generators(results))
    return [
        plain_verdict(first, generated=first["arm"] in dosed) + _settled(first, scoring.verdicts),
        reach,
        *(_tally(ours, generated=bool(dosed)) if len(ours) > 1 else []),
        *at_chance(scoring.scores, results.catalog.num_classes),
    ]


def told_answer(results: RunResults, scoring: Scoring) -> list[str]:
    """The answer for a console: `plain_answer`, or in full why there is none."""
    plain = plain_answer(results, scoring) or short_answer(results, scoring)
    return [*unfinished(results), *unaudited(results), *plain]


def plain_verdict(row: Row, *, generated: bool) -> str:
    """A row of the verdict table in one sentence without p-values; its own where nothing is judged.

    `generated` tells whether the arm holds generated images.
    """
    arm = f"{row['arm']} (with generated images)" if generated else str(row["arm"])
    pair, metric = f"{row['reference']} with the network {row['model']}", metric_words(row)
    size, covered = number(abs(row["difference"])) + _points(row), interval_words(row)
    if row["verdict"] in (HELPS, HURTS):
        better, more = ("better", "higher") if row["verdict"] == HELPS else ("worse", "lower")
        small = row["p_equivalence"] <= ALPHA
        less = f", less than the margin of {row['margin']:g}" if small else ""
        return f"{arm} does {better} than {pair}: {metric} is {more} by {size}{less} ({covered})."
    told = f"{signed(row['difference'])}{_points(row, with_sign=True)}"
    difference = f"the difference in {metric} is {told} ({covered})"
    if row["verdict"] == EQUIVALENT:
        return f"{arm} does as well as {pair}, within a margin of {row['margin']:g}: {difference}."
    if row["verdict"] == INCONCLUSIVE:
        never = ", and after adjustment for all comparisons no possible gain would be significant"
        out = "" if row["attainable"] else never
        chance = ", as chance alone may give" if row["low"] <= 0 <= row["high"] else ""
        could = row["detectable"]
        seen = f" This study had 80 % power to find a difference of {could:.3f}."
        asked = seen if np.isfinite(could) else ""
        return (
            f"Not settled: {arm} may do better or worse than {pair}; {difference}{chance}{out}."
            + asked
        )
    return str(row["sentence"])


def _settled(row: Row, verdicts: pd.DataFrame) -> str:
    """What the other judged metrics settle where the first one settles nothing."""
    if row["verdict"] != INCONCLUSIVE:
        return ""
    place = ["arm", "reference", "model", "scope"]
    same = (verdicts[place] == pd.Series({name: row[name] for name in place})).all(axis=1)
    judged = same & verdicts["verdict"].isin([HELPS, HURTS, EQUIVALENT])
    told = ""
    for other in verdicts[judged & (verdicts["family"] != "")].to_dict("records"):
        is_equal = other["verdict"] == EQUIVALENT
        equal = f"the two are equivalent within {other['margin']:g}"
        words = equal if is_equal else f"it {other['verdict']}"
        told += f" In {metric_words(other)}, {words} ({interval_words(other)})."
    return told


def _reach(row: Row, asked: pd.DataFrame, convergence: pd.DataFrame, *, single: bool) -> str:
    """What the answer does not cover: longer trainings, and other draws of what was drawn once."""
    if (asked["levels"] == GROUPS_ONLY).all():
        return caution(asked)
    name, others = row["reference"], uncovered(asked, single_generators=single)
    length = f"Whether longer training of {name} would change this was not measured"
    same = (convergence["model"] == row["model"]) & (convergence["arm"] == name)
    if same.any():
        words, state = convergence_words(name, convergence[same])
        length = words + _REACH[state]
    return f"{length}, and the interval does not cover {others}."


def _tally(rows: pd.DataFrame, *, generated: bool) -> list[str]:
    verdicts, metric = rows["verdict"], metric_words(rows.iloc[0].to_dict())
    counts = verdicts.value_counts()
    told = [(counts[each], words) for each, words in _TALLY.items() if each in counts]
    rest = len(verdicts) - sum(counts.get(each, 0) for each in _TALLY)
    told += [(rest, "not judged")] if rest else []
    came = listed([f"{number} {'is' if number == 1 else 'are'} {words}" for number, words in told])
    of_what = " of arms with generated images" if generated else ""
    better = rows.loc[verdicts == HELPS, "arm"]
    apart = better.nunique() > 1 and not rows["reference"].isin(better).any()
    more = " The arms that are better were not compared with each other." if apart else ""
    return [
        f"Of the {len(verdicts)} planned comparisons{of_what} in {metric}, of which this is one, "
        f"{came}.{more}"
    ]


def _points(row: Row, *, with_sign: bool = False) -> str:
    """A difference of shares in percentage points, too; "" for other metrics."""
    if row["metric"] != "balanced_accuracy":
        return ""
    sign = ("−" if row["difference"] < 0 else "+") if with_sign else ""
    return f", or {sign}{number(abs(100 * row['difference']), 1)} percentage points"


def which_classifier(results: RunResults, asked: pd.DataFrame) -> str:
    """Which network of the run to try on photographs, and why not the one with the best scores."""
    first = asked.iloc[0].to_dict()
    arm = first["arm"] if first["verdict"] == HELPS else first["reference"]
    trials = results.trials_of(first["model"], arm)
    if not trials:
        return ""
    trial = min(trials, key=lambda each: (each.fold, each.seed))
    return (
        "To try a classifier on images of your own, taken as those of the study, take "
        f"{trial.folder.relative_to(results.folder).as_posix()} of this run, the first of its arm "
        f"({arm}): all folds and seeds of an arm are trained alike. Do not choose the one with the "
        "best scores, since these would be too good for other images. Research use only."
    )
