"""The report of a run: one self-contained HTML page, with its figures and numbers as CSV."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dermaug.config import ClassifierConfig
from dermaug.csv_files import write_csv
from dermaug.errors import DermaugError
from dermaug.experiment.run.layout import RunFolder
from dermaug.experiment.run.results import RunResults
from dermaug.inspection.audit_summary import collect_audits, of_largest
from dermaug.output_places import (
    require_output_file,
    require_output_folder,
    require_outside,
    require_places,
)
from dermaug.report.blocks import Section
from dermaug.report.document import Page
from dermaug.report.formats import counted
from dermaug.report.sections.answer import threat_section, unfinished
from dermaug.report.sections.arms import arm_section, arm_terms
from dermaug.report.sections.audit import audit_section
from dermaug.report.sections.calibration import calibration_section
from dermaug.report.sections.copies import copy_alarms, unaudited
from dermaug.report.sections.cost import cost_section
from dermaug.report.sections.curves import curve_sections, curves
from dermaug.report.sections.data import data_section
from dermaug.report.sections.explore import explore_section
from dermaug.report.sections.external import external_section
from dermaug.report.sections.failures import failure_section
from dermaug.report.sections.flow import flow_section
from dermaug.report.sections.forest import forest
from dermaug.report.sections.images import image_section
from dermaug.report.sections.ladder import ladder_section
from dermaug.report.sections.lead import answer_section
from dermaug.report.sections.leakage import split_section
from dermaug.report.sections.operating import operating_sections
from dermaug.report.sections.readers import reader_section
from dermaug.report.sections.run import run_sections
from dermaug.report.sections.scores import class_section, score_sections
from dermaug.report.sections.subgroups import subgroup_section
from dermaug.report.sections.training import training_section
from dermaug.report.sections.verdict_tables import verdict_section
from dermaug.report.terms import TERMS
from dermaug.scoring.scoring import Scoring

FOOTER = (
    "The images shown are under the licence of the data set. Research use only; not for diagnosis."
)


MARK = "dermaug report"
"""How the title of every report ends."""
BESIDE = ("scoring", "figures", "audit.csv")
"""What is written beside the page."""
FOLDED = {
    "verdicts": "every comparison that is judged, overall with its p-values, and by class",
    "asked": "what each arm was trained on, and what each control is for",
    "threats": "weaknesses found in this run",
    "doses": "results for each number of images added",
    "sizes": "results for fewer real lesions, and what a dose is worth in real ones",
    "external": "the same classifiers on data from elsewhere",
    "operating": "sensitivity at a specificity, predictive values, decision curves",
    "calibration": "whether probabilities can be believed; slopes and intercepts",
    "flow": "flow diagram of images, lesions and patients, and table 1",
    "split": "checks against leakage, sizes of the splits",
    "scores": "all means by arm, with their variation",
    "confusion": "which classes are taken for which",
    "failures": "test images that were called wrongly, by class; real images",
    "roc": "sensitivity at every specificity, by class",
    "areas": "with intervals, for arms and differences",
    "subgroups": "by age, sex, body site and whatever else the data name",
    "audit": "distance to real images, copies, nearest pairs",
    "explored": "interpolation and duplicates, one page per generator",
    "readers": "people who told real images from synthetic ones",
    "training": "curves, health of the generators, curation",
    "cost": "minutes and images shown",
    "data": "what was read, and what was left out",
    "machine": "hardware, versions and the command",
    "configuration": "the experiment file with all defaults",
}
"""Key of each section below the classes, in the order of the page -> what it holds."""
PRINTED = 10
"""How many of them are printed."""


def render_report(results: RunResults, scoring: Scoring, output: Path | None = None) -> Path:
    """Write the page, and beside it `scoring/` and `figures/` with its numbers.

    Args:
        results: The run, finished or not.
        scoring: Its scores.
        output: Path of the page; None writes `report.html` into the run's folder.

    Raises:
        DermaugError: The folder cannot be written to or lies in the data, or
            `require_report_place` refuses it.
    """
    page = _place(results, output)
    whole, results = results, results.compared
    (audits, pairs), drawn = collect_audits(results), curves(results, scoring)
    primary, table = results.experiment.verdict.primary, scoring.verdicts
    alarms = copy_alarms(of_largest(results, audits))
    differences = [forest(table, primary)] if len(table) else []
    scoring.write(page.parent, RunFolder(results.folder))
    if len(audits):
        write_csv(page.parent / BESIDE[-1], audits)
    opened = [
        answer_section(whole, scoring, [*differences, *drawn[:1]], alarms),
        ladder_section(scoring),
        image_section(results, audits),
        class_section(results, scoring),
    ]
    others = [
        verdict_section(results, scoring),
        arm_section(results, scoring),
        threat_section(scoring, alarms),
        *score_sections(results, scoring),
        failure_section(results),
        *curve_sections(results, scoring, drawn[1:]),
        external_section(results, scoring),
        *operating_sections(results, scoring),
        calibration_section(results, scoring),
        subgroup_section(results, scoring),
        reader_section(results),
        audit_section(results, audits, pairs),
        explore_section(results, page),
        training_section(results),
        cost_section(whole),
        data_section(results),
        flow_section(results),
        split_section(results),
        *run_sections(results),
    ]
    return run_page(MARK, whole, [*opened, *folded(others)]).write(page)


def run_page(mark: str, results: RunResults, sections: Sequence[Section]) -> Page:
    """A page of a run with every trial; `mark` is the command that writes it."""
    compared, experiment = results.compared, results.experiment
    return Page(
        kicker=f"{mark}: {experiment.name}",
        title=experiment.question or experiment.name,
        question="",
        facts=facts(compared),
        sections=sections,
        footer=FOOTER,
        notices=[*unfinished(results), *unaudited(results)],
        terms=TERMS | arm_terms(compared),
    )


def _place(results: RunResults, output: Path | None) -> Path:
    """Where the page will be, refused if it cannot."""
    require_report_place(results.folder, output)
    if output is None:
        return RunFolder(results.folder).report
    require_outside(output.parent, results.catalog.root)
    return output


def require_report_place(run: Path, output: Path | None = None) -> None:
    """Refuse a page that would replace another file, or beside which others would be replaced.

    Without a path (`output`), the page is `report.html` in the run's folder.

    Raises:
        DermaugError: The page is no earlier report, or its folder is another run or holds other
            files of the names that are written beside a page.
    """
    if output is not None:
        require_output_file(output, ".html", MARK)
    folder = run if output is None else output.parent
    if output is None or folder.resolve() == run.resolve():
        files = RunFolder(run)
        require_places(folder, (*BESIDE, files.embedding.parent.name, files.report.name))
        return
    if RunFolder(folder).experiment.exists():
        raise DermaugError(
            f"{output}: expected a folder of its own, found that of another run, whose scores "
            "would be replaced; choose another --output"
        )
    require_output_folder(folder, BESIDE, output.name, MARK)


def folded(sections: Sequence[Section]) -> list[Section]:
    """Sections in the order of `FOLDED`, folded away under their headings."""
    found = {section.key: section for section in sections}
    return [
        replace(found[key], about=about, printed=place < PRINTED)
        for place, (key, about) in enumerate(FOLDED.items())
        if key in found
    ]


def facts(results: RunResults) -> str:
    """Data, training split, folds, seeds and classifiers in one line."""
    catalog, experiment = results.catalog, results.experiment
    patients = catalog.table["patient_id"]
    by_patient = not catalog.grouped and catalog.unit == "patient" and bool((patients != "").all())
    names = patients if by_patient else catalog.table["lesion_id"]
    unit, several = ("patient", "") if by_patient else ("lesion", "")
    if not (by_patient or catalog.grouped):
        unit, several = "image counted as a lesion", "images counted as lesions"
    trained = [catalog.rows(fold.train) for fold in results.folds]
    images = sum(map(len, trained)) / len(trained)
    parts = sum(names.iloc[rows].nunique() for rows in trained) / len(trained)
    known = set(patients) - {""}
    of = (
        f" of {counted(len(known), 'patient')}"
        if catalog.unit == "patient" and not by_patient
        else ""
    )
    learnt = f"{parts:,.0f} {'patients' if by_patient else 'lesions'}"
    limit = f" (at most {results.lesions:,} per class)" if results.lesions else ""
    average = " (mean over folds)" if len(trained) > 1 else ""
    side = results.images.shape[1]
    return " · ".join(
        (
            f"{catalog.name}: {len(catalog):,} images of "
            f"{counted(names.nunique(), unit, several)}{of}, {catalog.num_classes} classes, "
            f"{side} × {side} px",
            f"trained on {images:,.0f} images of {learnt}{limit}{average}",
            f"{counted(len(results.folds), 'fold')}, {counted(len(experiment.seeds), 'seed')}",
            ", ".join(classifier_words(each) for each in experiment.classifiers),
        )
    )


def classifier_words(classifier: ClassifierConfig) -> str:
    """Name of a classifier and the origin of its initial weights."""
    if classifier.pretrained:
        return f"{classifier.key} (pre-trained)"
    return f"{classifier.key} ({'from a weight file' if classifier.weights else 'from scratch'})"
