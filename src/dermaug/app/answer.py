"""The tab with the answer: the report's own blocks, from the stored scoring."""

from dataclasses import replace

import pandas as pd

from dermaug.app.opened import Opened
from dermaug.inspection.audit_summary import collect_audits, of_largest
from dermaug.report.blocks import Block, Section
from dermaug.report.page import run_page
from dermaug.report.sections.copies import copy_alarms
from dermaug.report.sections.curves import curves
from dermaug.report.sections.forest import forest
from dermaug.report.sections.ladder import ladder_section
from dermaug.report.sections.lead import answer_section
from dermaug.report.sections.verdict_tables import class_advice, class_verdicts, overall_verdicts

FILTERED = (
    "Rows that the choice above leaves out are hidden here and below. The answer, and every "
    "adjustment of p-values, are still those of the whole study."
)
NOTHING = "No comparison is left by this choice of network and arm."


def answer_page(opened: Opened, model: str = "", arm: str = "", label: str = "") -> str:
    """The answer, verdicts, ladder and curves as one page of HTML.

    Comparisons with one classifier, or of one arm, may be chosen, and verdicts on one class besides
    those overall; "" is all.
    """
    whole, results, scoring = opened.results, opened.results.compared, opened.scoring
    verdicts = _chosen(scoring.verdicts, model, arm)
    hidden = replace(
        scoring,
        ladder=_chosen(scoring.ladder, model, arm),
        doses=_chosen(scoring.doses, model, ""),
        sizes=_chosen(scoring.sizes, model, ""),
    )
    primary = results.experiment.verdict.primary
    differences = [forest(scoring.verdicts, primary)] if len(scoring.verdicts) else []
    alarms = copy_alarms(of_largest(results, collect_audits(results)[0]))
    told: list[Block] = [FILTERED] if model or arm or label else []
    if len(verdicts):
        classes = [label] if label else list(results.catalog.classes)
        told += [overall_verdicts(verdicts), class_verdicts(verdicts, classes)]
        advice = _chosen(scoring.advice, model, arm)
        told += class_advice(advice[advice["label"].isin(classes)])
    elif len(scoring.verdicts):
        told.append(NOTHING)
    sections = [
        answer_section(whole, scoring, differences, alarms),
        Section("verdicts", "Verdicts", told, "Verdicts"),
        ladder_section(hidden),
        Section("curves", "Curves", curves(results, hidden), "Curves"),
    ]
    return run_page("dermaug app", whole, sections).render()


def _chosen(table: pd.DataFrame, model: str, arm: str) -> pd.DataFrame:
    """Rows of a network, and of an arm on either side."""
    rows = pd.Series(True, index=table.index)
    if model:
        rows &= table["model"] == model
    if arm:
        rows &= (table["arm"] == arm) | (table["reference"] == arm)
    return table[rows]
