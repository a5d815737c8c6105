"""The report of a run: one self-contained HTML page, its figures and its numbers as CSV."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dermaug.csv_files import write_csv
from dermaug.errors import DermaugError
from dermaug.experiment.run.layout import RunFolder
from dermaug.experiment.run.results import RunResults
from dermaug.files import require_writable, write_text
from dermaug.report.answer_section import short_answer, unfinished
from dermaug.report.audit_page import AuditSection, audit_section
from dermaug.report.curve_sections import CurveSections, curve_sections
from dermaug.report.data_figures import described
from dermaug.report.explore_page import explored_generators
from dermaug.report.figures import Figure, write_panels
from dermaug.report.generator_tables import curation_table, health_table
from dermaug.report.metric_sections import MetricSections, metric_sections
from dermaug.report.rendering import rendered
from dermaug.report.sample_figures import sample_grids
from dermaug.report.score_figures import class_scores, confusion_matrices, forest, roc_curves
from dermaug.report.statements import split_statements
from dermaug.report.study_tables import (
    arm_table,
    arm_words,
    classifier_words,
    cost_table,
    machine_table,
    split_table,
    training_table,
)
from dermaug.report.tables import Table, class_table, comparison_table, score_table
from dermaug.report.training_figures import classifier_curves, generator_curves
from dermaug.report.verdict_tables import class_verdicts, overall_verdicts
from dermaug.scoring.scoring import Scoring

DOSE_FIGURES = ("dose_response", "data_size")
"""The first that a study has stands on the first screen; the other stays in its section."""
Section = MetricSections | AuditSection | CurveSections | dict[str, str]


def render_report(results: RunResults, scoring: Scoring, output: Path | None = None) -> Path:
    """Write the page, and beside it the numbers that it shows and `figures/`.

    Args:
        results: The run, finished or not.
        scoring: Its scores.
        output: The page to write; None writes `report.html` into the run's folder.

    Returns:
        Where the page is.

    Raises:
        DermaugError: The folder cannot be written to.
    """
    page = RunFolder(results.folder).report if output is None else output
    if page.is_dir():
        raise DermaugError(f"expected a file to write the report to, found the folder {page}")
    require_writable(page.parent)
    whole, results = results, results.compared
    figures = draw_figures(results, scoring)
    data, data_tables = described(results)
    metrics = metric_sections(results, scoring)
    audit = audit_section(results)
    curves = curve_sections(results, scoring)
    figures |= {data.name: data} | metrics.figures | audit.figures | curves.figures
    scoring.write(page.parent)
    if len(audit.numbers):
        write_csv(page.parent / "audit.csv", audit.numbers)
    write_figures(page.parent / "figures", figures)
    sections: dict[str, Section] = {"metrics": metrics, "audit": audit, "curves": curves}
    sections["explored"] = explored_generators(results, page)
    told = {
        "answer": short_answer(whole, scoring),
        "unfinished": unfinished(whole),
        "cost": cost_table(whole),
    }
    write_text(page, render(results, scoring, sections, figures, data_tables, told))
    return page


def draw_figures(results: RunResults, scoring: Scoring) -> dict[str, Figure]:
    """Every figure for which the run has numbers, by name."""
    arms = [arm.name for arm in results.experiment.compared_arms]
    drawn: list[Figure | None] = [sample_grids(results), generator_curves(results)]
    if len(scoring.verdicts):
        drawn.append(forest(scoring.verdicts, results.experiment.verdict.primary))
    if results.trials:
        drawn += [
            class_scores(scoring.class_scores, arms, results.catalog.classes),
            confusion_matrices(scoring.confusion, results.catalog.classes),
            roc_curves(scoring.roc, arms),
            classifier_curves(results, arms),
        ]
    return {figure.name: figure for figure in drawn if figure is not None}


def write_figures(folder: Path, figures: dict[str, Figure]) -> None:
    """Write each panel as SVG or PNG, and each figure's numbers as CSV."""
    for figure in figures.values():
        write_csv(folder / f"{figure.name}.csv", figure.numbers)
        write_panels(folder, figure.panels)


def render(
    results: RunResults,
    scoring: Scoring,
    sections: Mapping[str, Section],
    figures: dict[str, Figure],
    data_tables: Sequence[Table],
    told: Mapping[str, Any],
) -> str:
    """The page's HTML; everything that comes from the run is escaped."""
    return rendered(
        "report.html.j2",
        **_study(results),
        **_scores(results, scoring),
        **sections,
        figures=figures,
        data_tables=data_tables,
        **told,
        dose_figure=next((figures[name] for name in DOSE_FIGURES if name in figures), None),
        threats=list(scoring.threats["sentence"]),
    )


def _study(results: RunResults) -> dict[str, Any]:
    """What the page says of the study, without its scores."""
    experiment, catalog = results.experiment, results.catalog
    classifiers = [classifier_words(classifier) for classifier in experiment.classifiers]
    return {
        "experiment": experiment,
        "catalog": catalog,
        "side": results.images.shape[1],
        "num_lesions": catalog.table["lesion_id"].nunique(),
        "classifiers": classifiers,
        "arms": arm_table(results),
        "arm_words": arm_words(results),
        "training": training_table(results),
        "split": split_table(results),
        "statements": split_statements(results),
        "health": health_table(results),
        "curation": curation_table(results),
        "machine": machine_table(results),
        "configuration": json.dumps(
            experiment.model_dump(mode="json"), indent=2, ensure_ascii=False
        ),
        "num_folds": len(results.folds),
        "skipped": results.record.data.skipped,
    }


def _scores(results: RunResults, tables: Scoring) -> dict[str, Any]:
    """Tables of the scores; None where no trial has finished."""
    arms = [arm.name for arm in results.experiment.compared_arms]
    models = list(dict.fromkeys(tables.scores["model"]))
    verdicts, compared = tables.verdicts, len(tables.verdicts) > 0
    return {
        "scores": score_table(tables.scores, arms) if models else None,
        "verdicts": overall_verdicts(verdicts) if compared else None,
        "class_verdicts": class_verdicts(verdicts, results.catalog.classes) if compared else None,
        "comparisons": comparison_table(verdicts) if compared else None,
        "classes": [class_table(tables.class_scores, results, model) for model in models],
    }
