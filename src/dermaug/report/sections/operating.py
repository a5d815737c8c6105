"""What a threshold for use in practice would give."""

from collections.abc import Sequence

import pandas as pd

from dermaug.data.diagnoses import meaning
from dermaug.evaluation.malignancy import MALIGNANT, unknown_classes
from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Block, Section, Table
from dermaug.report.formats import AVERAGED, arm_rows, listed, mean_and_spread, number
from dermaug.report.sections.decision_curves import decision_figure
from dermaug.report.sections.intervals import area_table, rule_blocks
from dermaug.scoring.operating_scores import ADJUSTED_CLASS, CHOSEN, TOP_CLASS
from dermaug.scoring.scoring import Scoring

THRESHOLDS = (
    "Results at fixed thresholds. The threshold is chosen on the validation split; one chosen on "
    "the test split would give results that are too good. The score of several classes is the sum "
    "of their probabilities at the uniform prior; sums at another prior rank images differently, "
    "and differences between arms may then be larger or smaller."
)


def operating_sections(results: RunResults, scoring: Scoring) -> list[Section]:
    """AUC by class, and operating points; none before a trial has finished."""
    arms = results.arms
    table = scoring.decisions
    points: list[Block] = []
    for target, part in scoring.operating_points.groupby("target", sort=False):
        assumed = float(getattr(results.experiment.verdict.prevalence, str(target)))
        words = target_words(str(target), results.catalog.classes)
        points += [_operating(part, words, arms), *rule_blocks(table, str(target), assumed)]
    if len(scoring.decision_curves):
        points.append(decision_figure(scoring.decision_curves, arms))
    several = scoring.operating_points["target"].nunique() > 1
    title = f"Malignant or pre-malignant lesions{', and melanoma' * several}"
    return [
        Section("areas", "AUC by class", [area_table(table)] if len(table) else []),
        Section("operating", title, [THRESHOLDS, *points] if points else absent(results)),
    ]


def absent(results: RunResults) -> list[Block]:
    """Why there is nothing on malignant lesions, and how to get it; nothing before any trial."""
    if not results.trials:
        return []
    unknown = unknown_classes(results.catalog.classes)
    if not unknown:
        return ["Not shown: the classes are all malignant or pre-malignant, or none of them is."]
    return [
        f"Not shown, because dermaug does not know whether {listed(unknown)} "
        f"{'is' if len(unknown) == 1 else 'are'} malignant. Give these classes names that it "
        "knows, in another study: data.labels renames a class (benign and malignant are such "
        "names, too), data.groups merges classes, data.leave_out leaves one out."
    ]


def target_words(target: str, classes: Sequence[str]) -> str:
    """Which classes are positive.

    Example:
        >>> target_words("malignant", ("bcc", "mel", "nv")), target_words("mel", ("mel", "nv"))
        ('Malignant or pre-malignant (bcc, mel) against the others', 'Melanoma')
    """
    if target == "mel":
        return "Melanoma"
    if {meaning(label) for label in classes} == {"benign", "malignant"}:
        return "Malignant against benign"
    positive = ", ".join(label for label in classes if meaning(label) in MALIGNANT)
    return f"Malignant or pre-malignant ({positive}) against the others"


def _operating(points: pd.DataFrame, words: str, arms: Sequence[str]) -> Table:
    wanted = sorted(points.loc[points["rule"] == CHOSEN, "wanted_specificity"].unique())

    def cells(ours: pd.DataFrame) -> tuple[str, ...]:
        top, fair = (_both(ours[ours["rule"] == each]) for each in (TOP_CLASS, ADJUSTED_CLASS))
        chosen = (_both(ours[ours["wanted_specificity"] == value]) for value in wanted)
        ranks = ours[ours["rule"] == TOP_CLASS]
        areas = (mean_and_spread(ranks[name]) for name in ("auc", "partial_auc"))
        return *areas, top, fair, *chosen

    chosen_at = (f"{100 * value:.0f} % specificity" for value in wanted)
    header = ("Arm", "AUC", "Partial AUC", "argmax", "prior-adjusted", *chosen_at)
    first = points.drop_duplicates("fold")
    caption = (
        f"{words}: sensitivity / specificity on the test split, mean over folds and seeds "
        f"({first['positives'].sum():,} positive and {first['negatives'].sum():,} other test "
        "images). The last columns use the threshold on prior-adjusted probabilities that gave "
        "at least this specificity on validation; the specificity on test follows the slash. "
        "Partial AUC: the area above 80 % sensitivity, 0.2 at most. "
        f"{AVERAGED} Exploratory."
    )
    rows = arm_rows(points, arms, cells)
    return Table(caption, header, rows, source="scoring/operating_points.csv")


def _both(rows: pd.DataFrame) -> str:
    return " / ".join(number(rows[name].mean()) for name in ("sensitivity", "specificity"))
