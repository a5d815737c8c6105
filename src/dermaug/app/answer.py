"""The tab with the answer: the report's own blocks, from the stored scoring."""

from dataclasses import replace

import pandas as pd

from dermaug.app.opened import Opened
from dermaug.inspection.audit_summary import collect_audits, of_largest
from dermaug.report.blocks import Block, Section
from dermaug.report.document import Page
from dermaug.report.page import FOOTER, facts
from dermaug.report.sections.answer import unfinished
from dermaug.report.sections.arms import arm_terms
from dermaug.report.sections.copies import copy_alarms, unaudited
from dermaug.report.sections.curves import curves
from dermaug.report.sections.ladder import ladder_section
from dermaug.report.sections.lead import answer_section
from dermaug.report.sections.verdicts import class_advice, class_verdicts, forest, overall_verdicts
from dermaug.report.terms import TERMS

FILTERED = (
    "Rows that the choice above leaves out are hidden here and below. The answer, and every "
    "adjustment of p-values, are still those of the whole study."
)
NOTHING = "No comparison is left by this choice of network and arm."


def answer_page(opened: Opened, model: str = "", arm: str = "", label: str = "") -> str:
    """The answer, verdicts, ladder and curves as one page of HTML.

    Args:
        opened: The run.
        model: Only comparisons with this classifier; "" for all.
        arm: Only comparisons of this arm; "" for all.
        label: Only verdicts on this class, besides those overall; "" for all.
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
        told += class_advice(_of_class(_chosen(scoring.advice, model, arm), label))
    elif len(scoring.verdicts):
        told.append(NOTHING)
    return Page(
        kicker=f"dermaug app: {results.experiment.name}",
        title=results.experiment.question or results.experiment.name,
        question="",
        facts=facts(results),
        sections=[
            answer_section(whole, scoring, differences, alarms),
            Section("verdicts", "Verdicts", told, "Verdicts"),
            ladder_section(hidden),
            Section("curves", "Curves", curves(results, hidden), "Curves"),
        ],
        footer=FOOTER,
        notices=[*unfinished(whole), *unaudited(whole)],
        terms=TERMS | arm_terms(results),
    ).render()


def _chosen(table: pd.DataFrame, model: str, arm: str) -> pd.DataFrame:
    """Rows of a network, and of an arm on either side."""
    rows = pd.Series(True, index=table.index)
    if model:
        rows &= table["model"] == model
    if arm:
        rows &= (table["arm"] == arm) | (table["reference"] == arm)
    return table[rows]


def _of_class(advice: pd.DataFrame, label: str) -> pd.DataFrame:
    return advice[advice["label"] == label] if label else advice
