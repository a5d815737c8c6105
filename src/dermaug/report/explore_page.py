"""The page of `dermaug explore`, and the section that a run's report has of such pages."""

import os
from dataclasses import dataclass
from pathlib import Path

from dermaug.errors import DermaugError
from dermaug.experiment.run.results import RunResults
from dermaug.files import read_record, require_writable, write_json, write_text
from dermaug.inspection.exploration import Exploration
from dermaug.report.csv_files import write_csv
from dermaug.report.explore_figures import exploration_figures
from dermaug.report.explore_tables import explore_sentences, explore_tables
from dermaug.report.figures import write_panels
from dermaug.report.rendering import rendered

FOLDER = "explore"
PAGE, RECORD = "explore.html", "explore.json"


@dataclass(frozen=True)
class ExploredGenerator:
    """One generator of a run that was explored.

    Args:
        name: Its key.
        link: Where its page is, as seen from the report.
        sentences: What stands out.
    """

    name: str
    link: str
    sentences: tuple[str, ...]


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
        family=found.spec.config.key,
        size=found.spec.size,
        classes=found.classes,
        num_training=len(found.spec.training_images),
        notes=found.notes,
        sentences=sentences,
        tables=explore_tables(tables),
        figures=figures,
    )
    write_text(folder / PAGE, page)
    return folder / PAGE


def explored_generators(results: RunResults, page: Path) -> list[ExploredGenerator]:
    """Generators of a run whose folder holds an exploration.

    Args:
        results: The run.
        page: Where the report will lie.

    Raises:
        DermaugError: A record is damaged.
    """
    found = []
    for folder in dict.fromkeys(generator.folder for generator in results.generators):
        if not (folder / FOLDER / PAGE).is_file():
            continue
        sentences = read_record(folder / FOLDER / RECORD).get("sentences")
        if not isinstance(sentences, list):
            raise DermaugError(
                f"{folder / FOLDER / RECORD}: expected what `dermaug explore` wrote, found another "
                "content; delete the folder and explore again"
            )
        link = os.path.relpath(folder / FOLDER / PAGE, page.parent)
        key = folder.relative_to(results.folder).as_posix()
        found.append(ExploredGenerator(key, Path(link).as_posix(), tuple(map(str, sentences))))
    return found
