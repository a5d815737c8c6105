"""Copies of training images, in sentences: first where there are more than chance gives."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dermaug.data.class_names import class_words
from dermaug.evaluation.memorisation import chance_of_rate
from dermaug.experiment.run.results import RunResults
from dermaug.inspection.audit_summary import ClassSummary, summarise, without_audit
from dermaug.report.formats import counted, interval, percent

_NONE = (
    "no class that can be judged has clearly more copies than chance gives at most on average; the "
    "intervals say how many are not excluded."
)
_WHY = (
    "Copies add nothing new for the classifier and may disclose patients: look at the pairs before "
    "you pass images on."
)

NAMED = 5
"""Generators that a sentence names."""


def copy_alarms(numbers: pd.DataFrame) -> list[str]:
    """One sentence or more for each class with more copies than chance gives on average.

    A class has an alarm where the interval of its rate, over all generators or of one of them, lies
    above the bound of the rate by chance. An alarm is told of classes that cannot be judged, too,
    with the probability that chance gives such a rate. The numbers are those of the audits of one
    number of lesions; they may be empty.
    """
    if numbers.empty:
        return []
    found = [
        f"{family}: {_alarm(one)}"
        for family, classes in summarise(numbers).items()
        for one in classes
        if one.holds_copies or len(one.alarms)
    ]
    return [*found, _WHY] if found else []


def unaudited(results: RunResults) -> list[str]:
    """One sentence on the generators of a finished run that have no audit, if there are any."""
    if not (lost := without_audit(results)):
        return []
    more = f" and {len(lost) - NAMED} more" if len(lost) > NAMED else ""
    return [
        f"Not audited: the images of {'; '.join(lost[:NAMED])}{more}. Nothing is known of copies "
        "among them, and they are missing from the audit's tables; the command of the run audits "
        "them."
    ]


def no_copies(classes: list[ClassSummary]) -> list[str]:
    """That no class has more copies than chance gives, of those that can be judged, if any can."""
    judged = [one for one in classes if one.can_judge]
    return [_NONE] if judged and not any(one.holds_copies for one in judged) else []


def _alarm(one: ClassSummary) -> str:
    """Numbers of a class over all generators, or of the one with most copies, and the doubt."""
    if one.holds_copies:
        pooled = {
            "copies": one.copies,
            "copy_examined": one.examined,
            "copy_low": one.low,
            "copy_high": one.high,
            "copy_expected": one.means["copy_expected"],
        }
        return _facts(one, pooled) + _doubt(one)
    worst, *others = one.alarms.to_dict("records")
    also = f", and likewise in {counted(len(others), 'other generator')}" if others else ""
    where = f"in fold {worst['fold']}, seed {worst['seed']}, "
    over = (
        f" Of all {len(one.generators)} generators together it is {one.copies:,} of "
        f"{one.examined:,} ({percent(one.copies / one.examined)})."
    )
    return where + _facts(one, worst, also) + over + _doubt(one)


def _facts(one: ClassSummary, found: Mapping[Any, Any], also: str = "") -> str:
    copies, examined = int(found["copies"]), int(found["copy_examined"])
    ends = (percent(found[f"copy_{end}"]) for end in ("low", "high"))
    return (
        f"{copies:,} of {examined:,} images of {class_words(one.label)} count as copies of "
        f"training images, {interval(percent(copies / examined), *ends)}; chance gives at most "
        f"{percent(found['copy_expected'])} on average{also}."
    )


def _doubt(one: ClassSummary) -> str:
    """What chance alone may do where few validation groups give the thresholds."""
    if one.can_judge:
        return ""
    worst = one.generators.sort_values("copy_low", ascending=False).to_dict("records")[0]
    lesions = round(1 / worst["copy_expected"]) - 1
    chance = percent(chance_of_rate(worst["copy_low"], lesions), 0)
    one_of = "a generator" if len(one.generators) > 1 else "the generator"
    return (
        f" Whether they are copies cannot be told from {counted(lesions, 'validation lesion')}: by "
        f"chance alone, in up to {chance} of audits so few count {percent(worst['copy_low'], 0)} "
        f"(the lower end of the interval of {one_of}) or more as copies. Look at the pairs."
    )
