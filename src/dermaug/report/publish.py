"""Publish a run: its numbers, figures and generated images, but nothing from real patients.

The published folder contains no picture of a real lesion, no generated image that the audit counted
as a copy, and no path of the machine on which the study ran.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from dermaug.aside import folder_written_aside
from dermaug.config.translation import generator_of_set
from dermaug.csv_files import write_csv
from dermaug.errors import DermaugError
from dermaug.experiment.run.artefacts import recorded_set
from dermaug.experiment.run.layout import PUBLISHED, JobFolder, RunFolder
from dermaug.experiment.run.records import GeneratorRecord
from dermaug.experiment.run.results import RunResults
from dermaug.files import read_sealed, write_json, write_text
from dermaug.inspection.audit_class import examined
from dermaug.inspection.audit_run import class_rows, read_audit
from dermaug.inspection.audit_summary import collect_audits
from dermaug.markdown import plain
from dermaug.output_places import require_new_folder, require_outside
from dermaug.report.blocks import Figure, Table
from dermaug.report.document import write_panels
from dermaug.report.formats import markdown, number
from dermaug.report.sections.answer import unfinished
from dermaug.report.sections.audit_tables import audit_tables, generator_table, kid_words
from dermaug.report.sections.copies import unaudited
from dermaug.report.sections.curves import curves
from dermaug.report.sections.forest import forest
from dermaug.report.sections.images import first_generators
from dermaug.report.sections.ladder import ladder_figure
from dermaug.report.sections.scores import class_scores, score_table
from dermaug.report.sections.verdict_tables import overall_verdicts
from dermaug.report.untold import (
    without_exclusions,
    without_folders,
    without_names,
    without_private,
)
from dermaug.scoring.scoring import Scoring
from dermaug.training.grids import save_contact_sheet

SHOWN = 6
"""Images of each class on a sheet of samples."""
SIDE = 80
"""Largest width of an image on a sheet, in pixels, so that a repository can hold the sheets."""
_MEANS = ("kid", "kid_floor", "precision", "recall", "visible_share", "visible_validation")


def publish(results: RunResults, scoring: Scoring, output: Path) -> Path:
    """Write a folder that can go into a repository or beside a paper, and return its `tables.md`.

    It has `scoring/` and the run's CSV files, `audit.csv`, `experiment.json` and `run.json`,
    `figures/` with plots and sheets of generated images, and `tables.md`.

    Raises:
        DermaugError: No classifier is trained yet, or `output` is not empty or lies within the run
            or its data.
    """
    if not results.trials:
        raise DermaugError(
            f"{results.folder}: expected a run with results, found no trained classifier; resume "
            "it with `dermaug run`"
        )
    require_new_folder(output)
    require_outside(output, results.catalog.root)
    if output.resolve().is_relative_to(results.folder.resolve()):
        raise DermaugError(
            f"{output} is inside the run folder {results.folder}; choose another folder"
        )
    audit = collect_audits(results)[0]
    with folder_written_aside(output) as aside:
        scoring.write(aside)
        if len(audit):
            write_csv(aside / "audit.csv", audit)
        files = RunFolder(results.folder)
        write_json(aside / files.experiment.name, without_exclusions(read_sealed(files.experiment)))
        write_json(aside / files.record.name, without_names(read_sealed(files.record)))
        for path in sorted([*aside.rglob("*.csv"), *aside.rglob("*.json")]):
            write_text(path, without_folders(path.read_text(encoding="utf-8")))
        for figure in drawings(results.compared, scoring):
            write_panels(aside / "figures", figure.panels)
        folders: dict[str, dict[Path, None]] = {}
        for one in first_generators(results):
            folders.setdefault(one.family, {})[one.folder] = None
        sheets = [_write_samples(aside, family, own) for family, own in folders.items()]
        page = _page(results, scoring, audit, [sheet for sheet in sheets if sheet])
        write_text(aside / PUBLISHED, page)
    return output / PUBLISHED


def drawings(results: RunResults, scoring: Scoring) -> list[Figure]:
    """Figures that show numbers only and no images."""
    arms = results.arms
    drawn = [class_scores(scoring.class_scores, arms, results.catalog.classes)]
    if len(scoring.verdicts):
        drawn.append(forest(scoring.verdicts, results.experiment.verdict.primary))
    if len(scoring.ladder):
        drawn.append(ladder_figure(scoring.ladder))
    return drawn + curves(results, scoring)


def family_table(audit: pd.DataFrame, generators: list[GeneratorRecord]) -> Table:
    """One row per set of a generator family: means over its classes, folds and seeds."""
    rows = []
    for family, part in audit.groupby("family", sort=False):
        own = [one for one in generators if one.family == generator_of_set(str(family))]
        # Training health is measured on images from noise.
        healthy = [one.vitals for one in own if one.vitals and one.family == family]
        vitals = [one.collapsed_pairs for one in healthy]
        mean = {name: number(part[name].mean(), 2) for name in _MEANS}
        rows.append(
            (
                str(family),
                f"{len(own)}",
                f"{sum(one.images for one in own):,}",
                f"{sum(one.seconds for one in own) / 60.0:.0f}",
                f"{mean['kid']} ({mean['kid_floor']})",
                mean["precision"],
                mean["recall"],
                f"{part['copies'].sum():,.0f} of {part['copy_examined'].sum():,.0f}",
                f"{mean['visible_share']} ({mean['visible_validation']})",
                number(max(vitals, default=np.nan), 2),
            )
        )
    header = (
        *("Generator", "Networks", "Real images shown", "Minutes"),
        f"{kid_words(audit)} (real images)",
        *("Precision", "Recall", "Copies", "Class recognised (real images)", "Collapsed pairs"),
    )
    caption = (
        "Means over classes, folds and seeds, against validation lesions; in parentheses the "
        "values for real training or validation images. Copies: images closer to a training image "
        "than unrelated lesions are. Collapsed pairs: share in the worst class, 0.01 is ideal."
    )
    return Table(caption, header, tuple(rows))


def _page(
    results: RunResults, scoring: Scoring, audit: pd.DataFrame, sheets: list[tuple[str, str]]
) -> str:
    told, experiment = results.record, results.experiment
    arms = results.arms
    facts = [
        f"- **Command**: `{without_private(told.command)}`",
        f"- **Time**: {told.started} to {told.finished or 'now'}",
        f"- **Machine**: {told.machine.cpu}, {told.machine.cores} cores, "
        f"GPU: {told.machine.gpu or 'none'}; torch {told.versions['torch']}",
    ]
    parts = [
        f"# {plain(experiment.question or experiment.name)}",
        "Written by `dermaug publish`; the CSV files beside it hold all numbers.",
        *(f"**{sentence}**" for sentence in (*unfinished(results), *unaudited(results))),
        "\n".join(facts),
        "## Scores",
        markdown(score_table(scoring.scores, arms)),
    ]
    if len(scoring.verdicts):
        parts += ["## Verdicts", markdown(overall_verdicts(scoring.verdicts))]
    if len(audit):
        whole = audit[audit["lesions"] == results.lesions]
        own = [one.record for one in results.networks]
        parts += ["## Generators", markdown(family_table(whole, own))]
        tables = (*audit_tables(whole), generator_table(whole))
        parts += [markdown(table) for table in tables if table]
    for name, caption in sheets:
        parts += [plain(caption), f"![{name}](figures/{name})"]
    return "\n\n".join(parts) + "\n"


def _write_samples(output: Path, family: str, folders: Iterable[Path]) -> tuple[str, str] | None:
    """Write a sheet of images that are not copies, one class per row; return name and caption."""
    rows: dict[str, np.ndarray] = {}
    for folder in folders:
        rows |= _cleared(folder)
    if not rows:
        return None
    name = f"samples-{family}.png"
    images = np.concatenate([rows[label] for label in sorted(rows)])
    save_contact_sheet(output / "figures" / name, images, columns=SHOWN, side=SIDE)
    caption = f"{family}: the first {SHOWN} images that the audit cleared, one class per row"
    return name, f"{caption} ({', '.join(sorted(rows))})."


def _cleared(folder: Path) -> dict[str, np.ndarray]:
    """The first images of each class that the audit examined and did not count as copies."""
    synthetic, audit = recorded_set(JobFolder(folder).synthetic), read_audit(folder)
    if audit is None:
        return {}
    cleared = {}
    for found in audit.numbers.to_dict("records"):
        own = class_rows(synthetic, found["label"])
        pairs = audit.pairs[audit.pairs["label"] == found["label"]]
        copies = pairs.loc[pairs["score"] < 1.0, "synthetic"].astype(int)
        if found["copies"] == len(copies):
            looked_at = examined(str(found["label"]), len(own), int(found["seed"]))
            kept = np.setdiff1d(looked_at, copies)[:SHOWN]
            if len(kept) == SHOWN:
                cleared[str(found["label"])] = np.asarray(synthetic.images[own[kept]])
    return cleared
