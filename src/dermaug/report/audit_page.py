"""The audit as a page: a section of a run's report, or a page of its own for one synthetic set."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dermaug.csv_files import write_csv
from dermaug.experiment.run.results import RunResults
from dermaug.files import require_writable, write_text
from dermaug.inspection.audit_folder import FolderAudit
from dermaug.report.audit_figures import embedding_figure, pair_figure, pair_panel
from dermaug.report.audit_tables import (
    HALVES,
    audit_sentences,
    audit_tables,
    collect_audits,
    size_table,
)
from dermaug.report.figures import Figure, write_panels
from dermaug.report.rendering import rendered
from dermaug.report.tables import Table


@dataclass(frozen=True, eq=False)
class AuditSection:
    """What the report says of the synthetic images; all empty where nothing was audited.

    Args:
        sentences: What stands out, then how to read it.
        tables: Distances; copies and visibility; both by data size where there are several.
        figures: By name.
        numbers: One row a generator and class, for `audit.csv`.
    """

    sentences: list[str]
    tables: tuple[Table, ...]
    figures: dict[str, Figure]
    numbers: pd.DataFrame


def audit_section(results: RunResults) -> AuditSection:
    """The section of a run's report, from what `audit_run` and `embed_run` left on disk."""
    numbers, pairs = collect_audits(results)
    drawn = (pair_figure(results, pairs), embedding_figure(results))
    figures = {figure.name: figure for figure in drawn if figure is not None}
    largest = numbers[numbers["lesions"] == results.lesions] if len(numbers) else numbers
    by_size = size_table(numbers)
    tables = (*audit_tables(largest), *([by_size] if by_size else []))
    sentences = [*audit_sentences(largest), HALVES] if len(largest) else []
    return AuditSection(sentences, tables, figures, numbers)


def write_audit_page(
    folder: Path, found: FolderAudit, synthetic: str, data: str, features: str
) -> Path:
    """Write `audit.html`, `audit.csv`, and `figures/` with the pairs as PNG and CSV.

    Args:
        folder: Where they appear.
        found: The audit.
        synthetic: What the reader calls the set.
        data: What the reader calls the real images.
        features: What the reader calls the judge.

    Returns:
        Where the page is.

    Raises:
        DermaugError: The folder cannot be written to.
    """
    require_writable(folder)
    numbers = found.audit.numbers
    panels = tuple(
        pair_panel(drawn, real, label, index)
        for index, (label, (drawn, real)) in enumerate(found.pictures.items())
        if len(drawn)
    )
    caption = "Above: synthetic images nearest to a real one; below: that real image."
    figure = Figure("nearest_pairs", caption, panels, found.audit.pairs, width=420)
    write_csv(folder / "audit.csv", numbers)
    write_csv(folder / "figures" / "nearest_pairs.csv", found.audit.pairs)
    write_panels(folder / "figures", panels)
    page = rendered(
        "audit.html.j2",
        synthetic=synthetic,
        data=data,
        features=features,
        notes=found.notes,
        sentences=audit_sentences(numbers),
        tables=audit_tables(numbers),
        pairs=figure if panels else None,
    )
    write_text(folder / "audit.html", page)
    return folder / "audit.html"
