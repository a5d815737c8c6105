"""Publish a run: its numbers, figures and generated images, but nothing from real patients.

The published folder contains no picture of a real lesion, no generated image that the audit counted
as a copy, and no path of the machine on which the study ran.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dermaug.aside import folder_written_aside
from dermaug.config.translation import generator_of_set
from dermaug.csv_files import write_csv
from dermaug.errors import DermaugError
from dermaug.experiment.run.artefacts import recorded_set
from dermaug.experiment.run.layout import PUBLISHED, JobFolder, RunFolder
from dermaug.experiment.run.records import GeneratorRecord
from dermaug.experiment.run.results import GeneratorResult, RunResults
from dermaug.files import read_sealed, write_json, write_text
from dermaug.inspection.audit_class import examined
from dermaug.inspection.audit_run import class_rows, read_audit
from dermaug.inspection.audit_summary import collect_audits
from dermaug.markdown import plain
from dermaug.output_places import require_new_folder, require_outside
from dermaug.report.blocks import Figure, Table
from dermaug.report.document import write_panels
from dermaug.report.formats import counted, markdown, number
from dermaug.report.sections.answer import unfinished
from dermaug.report.sections.audit_tables import audit_tables, generator_table, kid_words
from dermaug.report.sections.copies import unaudited
from dermaug.report.sections.curves import curves
from dermaug.report.sections.ladder import ladder_figure
from dermaug.report.sections.scores import class_scores, score_table
from dermaug.report.sections.verdicts import forest, overall_verdicts
from dermaug.scoring.scoring import Scoring
from dermaug.training.grids import save_contact_sheet

SHOWN = 6
"""Images of each class on a sheet of samples."""
SIDE = 80
"""Largest width of an image on a sheet, in pixels, so that a repository can hold the sheets."""
_START = r"(?:~(?:[A-Za-z_][\w.-]*)?|\.\.)?/"
_QUOTED = re.compile(rf"(?<=[\"']){_START}[^\"'\n]+(?=[\"'])")
_EXCLUDED = re.compile(r'data\.exclude\s*=\s*\[((\s*"(\\.|[^"\\])*"\s*,?)*\s*|.*)\]')
"""A list of names in a command: of JSON or, to the last bracket, in other quotes."""
_BARE = re.compile(rf"(?<![\w.:/~]){_START}[^\s\"',=;)\]}}]+")


def publish(results: RunResults, scoring: Scoring, output: Path) -> Path:
    """Write a folder that can go into a repository or beside a paper.

    Args:
        results: A run with at least one classifier trained.
        scoring: Its scores.
        output: Folder to create, with `scoring/` and the run's CSV files, `audit.csv`,
            `experiment.json` and `run.json`, `figures/` with plots and sheets of generated images,
            and `tables.md`.

    Returns:
        Path of `tables.md`.

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
        write_json(aside / files.experiment.name, _without_images(read_sealed(files.experiment)))
        write_json(aside / files.record.name, _without_names(read_sealed(files.record)))
        for path in sorted([*aside.rglob("*.csv"), *aside.rglob("*.json")]):
            write_text(path, without_folders(path.read_text(encoding="utf-8")))
        for figure in drawings(results.compared, scoring):
            write_panels(aside / "figures", figure.panels)
        sheets = [
            _write_samples(aside, family, parts) for family, parts in _families(results).items()
        ]
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


def _without_names(record: dict[str, Any]) -> dict[str, Any]:
    """A `run.json` without what names photographs, whose names may be those of patients."""
    data = record["data"] | {"notes": [], "external_notes": [], "skipped": {}}
    return record | {"data": data, "command": without_private(record["command"])}


def _without_images(experiment: dict[str, Any]) -> dict[str, Any]:
    """An `experiment.json` with the number of the images that it leaves out, not their names."""
    names = experiment["data"]["exclude"]
    told = [f"{counted(len(names), 'image')}, not named here"] if names else []
    return experiment | {"data": experiment["data"] | {"exclude": told}}


def without_folders(text: str) -> str:
    """Shorten paths that start at the root, in a home folder or with `..` to their last part.

    Example:
        >>> without_folders("--data /home/me/HAM10000 --set a.weights=/tmp/w.pth, 3/4")
        '--data PATH/TO/HAM10000 --set a.weights=PATH/TO/w.pth, 3/4'
    """
    return _BARE.sub(_last_part, _QUOTED.sub(_last_part, text))


def without_private(command: str) -> str:
    """A command without folders, and without the names of the photographs that it leaves out.

    Example:
        >>> without_private("dermaug run x --set 'data.exclude=[1, 2]' -o /a/b")
        "dermaug run x --set 'data.exclude=[...]' -o PATH/TO/b"
    """
    return without_folders(_EXCLUDED.sub("data.exclude=[...]", command))


def _last_part(path: re.Match[str]) -> str:
    parts = [part for part in path[0].split("/") if part not in ("", "..")]
    is_home = len(parts) == 2 and parts[0] in ("home", "Users")
    return f"PATH/TO/{'HOME' if is_home else parts[-1]}" if parts else path[0]


def family_table(audit: pd.DataFrame, generators: list[GeneratorRecord]) -> Table:
    """One row per set of a generator family: means over its classes, folds and seeds."""
    rows = []
    for family, part in audit.groupby("family", sort=False):
        own = [one for one in generators if one.family == generator_of_set(str(family))]
        # Training health is measured on images from noise.
        healthy = [one.vitals for one in own if one.vitals and one.family == family]
        vitals = [one.collapsed_pairs for one in healthy]
        rows.append(
            (
                str(family),
                f"{len(own)}",
                f"{sum(one.images for one in own):,}",
                f"{sum(one.seconds for one in own) / 60.0:.0f}",
                f"{number(part['kid'].mean(), 2)} ({number(part['kid_floor'].mean(), 2)})",
                number(part["precision"].mean(), 2),
                number(part["recall"].mean(), 2),
                f"{part['copies'].sum():,.0f} of {part['copy_examined'].sum():,.0f}",
                " ".join(
                    (
                        number(part["visible_share"].mean(), 2),
                        f"({number(part['visible_validation'].mean(), 2)})",
                    )
                ),
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


def _families(results: RunResults) -> dict[str, list[GeneratorResult]]:
    """The generators of the first fold and seed, by family."""
    first: dict[tuple[str, str], GeneratorResult] = {}
    for one in results.generators:
        first.setdefault((one.family, one.label), one)
    return {
        family: [one for (name, _), one in first.items() if name == family]
        for family in dict.fromkeys(name for name, _ in first)
    }


def _write_samples(
    output: Path, family: str, parts: list[GeneratorResult]
) -> tuple[str, str] | None:
    """Write a sheet of images that are not copies, one class per row; return name and caption."""
    rows: dict[str, np.ndarray] = {}
    for folder in dict.fromkeys(one.folder for one in parts):
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
