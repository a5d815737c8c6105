"""The page of `dermaug explore`, and the section that a run's report has of such pages."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from einops import rearrange
from jaxtyping import UInt8

from dermaug.csv_files import write_csv
from dermaug.experiment.run.results import RunResults
from dermaug.files import require_writable, write_json, write_text
from dermaug.inspection.exploration import Exploration
from dermaug.report.explore_tables import explore_sentences, explore_tables
from dermaug.report.figures import Figure, Panel, file_name, png, write_panels
from dermaug.report.rendering import rendered
from dermaug.training.grids import contact_sheet

FOLDER = "explore"
PAGE, RECORD = "explore.html", "explore.json"
CAPTIONS = {
    "walks": "Each row is one interpolation, from left to right in even steps through the latents; "
    "the next row begins where the last one ended. Images change gradually if the generator has "
    "learnt what lesions are, and jump if it has memorised some.",
    "arithmetic": "Rows from top to bottom: the direction of large lesions subtracted, new images "
    "that were not used to find it, the direction added, a control direction of the same length "
    "added.",
    "duplicates": "Pairs of training images of different lesions, the most similar first, the "
    "upper one rotated to fit. Real images of patients: do not pass this picture on.",
}
_LEAST_SIDE = 64  # smaller images are enlarged by a whole factor


def write_explore_page(folder: Path, found: Exploration, generator: str) -> Path:
    """Write `explore.html`, `explore.json`, and `figures/` with sheets as PNG and numbers as CSV.

    Args:
        folder: Where they appear.
        found: The exploration.
        generator: What the reader calls the generator.

    Returns:
        Where the page is.

    Raises:
        DermaugError: The folder cannot be written to.
    """
    require_writable(folder)
    figures, tables = exploration_figures(found), found.tables
    for name, table in tables.items():
        write_csv(folder / "figures" / f"{name}.csv", table)
    for figure in figures.values():
        write_panels(folder / "figures", figure.panels)
    sentences = explore_sentences(tables)
    write_json(folder / RECORD, found.record | {"sentences": sentences})
    page = rendered(
        "explore.html.j2",
        generator=generator,
        spec=found.spec,
        classes=found.walks,
        notes=found.notes,
        sentences=sentences,
        tables=explore_tables(tables),
        figures=figures,
    )
    write_text(folder / PAGE, page)
    return folder / PAGE


def exploration_figures(found: Exploration) -> dict[str, Figure]:
    """Sheets of walks, arithmetic and, where there are any, near-duplicates, by name."""
    sheets = {
        "walks": found.walks,
        "arithmetic": {label: one.images for label, one in found.arithmetic.items()},
        "duplicates": {"": found.pairs} if found.pairs.size else {},
    }
    return {
        name: Figure(name, CAPTIONS[name], _panels(name, images), found.tables[name], width=480)
        for name, images in sheets.items()
        if images
    }


def _panels(name: str, sheets: Mapping[str, UInt8[np.ndarray, "r c s s 3"]]) -> tuple[Panel, ...]:
    """One sheet per class; images are enlarged to at least 64 pixels."""
    panels = []
    for index, (label, images) in enumerate(sheets.items()):
        factor = max(1, -(-_LEAST_SIDE // images.shape[2]))
        large = rearrange(images, "r c h w k -> (r c) h w k").repeat(factor, 1).repeat(factor, 2)
        file = file_name(name, index, label, ending="png") if label else f"{name}.png"
        alt = f"{label}: {CAPTIONS[name].partition('.')[0]}".removeprefix(": ")
        panels.append(Panel(file, alt, png(contact_sheet(large, images.shape[1])), label))
    return tuple(panels)


def explored_generators(results: RunResults, page: Path) -> dict[str, str]:
    """Key of each generator of a run that was explored -> link to what was found.

    Args:
        results: The run.
        page: Where the report will lie, from which the links lead.
    """
    pages = {generator.folder / FOLDER / PAGE: generator.folder for generator in results.generators}
    return {
        folder.relative_to(results.folder).as_posix(): Path(
            os.path.relpath(found, page.parent)
        ).as_posix()
        for found, folder in pages.items()
        if found.is_file()
    }
