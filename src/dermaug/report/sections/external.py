"""Scores and comparisons on data from elsewhere."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from dermaug.config.experiment import PrevalenceConfig
from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Block, Details, Section, Table
from dermaug.report.sections.intervals import area_table, rule_blocks
from dermaug.report.sections.scores import score_table
from dermaug.report.sections.verdict_tables import comparison_table, overall_verdicts
from dermaug.scoring.scoring import Scoring
from dermaug.scoring.target_scores import RULES

EXTERNAL = (
    "Data sets on which no arm was trained, tuned or selected; each classifier predicted them once."
)


def external_section(results: RunResults, scoring: Scoring) -> Section:
    """Scores, comparisons and decisions on each external data set; empty without any."""
    tables = _tables(scoring.external, scoring.external_differences, results.arms)
    decided = _decisions(scoring.external_decisions, results.experiment.verdict.prevalence)
    return Section("external", "External test", [EXTERNAL, *tables, *decided] if tables else [])


def _decisions(table: pd.DataFrame, prevalence: PrevalenceConfig) -> list[Block]:
    """AUC by class, rates and predictive values on each external data set, folded away."""
    folded: list[Block] = []
    for path, own in table.groupby("data", sort=False):
        blocks: list[Block] = [area_table(own)]
        for target, assumed in prevalence:
            if (own["readout"].isin(list(RULES)) & (own["scope"] == target)).any():
                blocks += rule_blocks(own, target, assumed)
        summary = f"{path}: AUC by class, and rates at thresholds chosen on validation"
        folded.append(Details(summary, blocks))
    return folded


def _tables(outside: pd.DataFrame, apart: pd.DataFrame, arms: Sequence[str]) -> list[Table]:
    tables = []
    for path, part in outside.groupby("data", sort=False):
        found = [("external", score_table(part, arms))]
        if len(differences := apart[apart["data"] == path]):
            made = (overall_verdicts(differences), comparison_table(differences))
            found += [("external_differences", table) for table in made]
        for stem, table in found:
            caption, source = f"{path}. {table.caption}", f"scoring/{stem}.csv"
            tables.append(replace(table, caption=caption, source=source))
    return tables
