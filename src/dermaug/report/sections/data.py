"""The data: counts, patients and colours by class, and files that were left out."""

import matplotlib as mpl
from matplotlib.figure import Figure as Canvas

from dermaug.data.description import Description, describe
from dermaug.data.description_figures import STYLE, draw_colour, draw_overview, draw_patients
from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Block, Bullets, Details, Figure, Panel, Section, Table
from dermaug.report.drawing import svg
from dermaug.report.formats import counted, plain_header, plain_rows


def data_section(results: RunResults) -> Section:
    """The data set as a whole."""
    description = describe(results.catalog, results.images)
    frames = {f"{title}.": table.reset_index() for title, table in description.tables().items()}
    first, *others = (
        Table(caption, plain_header(frame), plain_rows(frame, 1))
        for caption, frame in frames.items()
    )
    folded = Details(f"Numbers behind the figures ({counted(len(others), 'table')})", others)
    content: list[Block] = [first, _draw(results, description), folded]
    if notes := (*results.catalog.notes, *results.record.data.external_notes):
        content.append(Bullets(notes))
    skipped = tuple(f"{path}: {reason}" for path, reason in results.record.data.skipped.items())
    were = "was" if len(skipped) == 1 else "were"
    summary = f"{counted(len(skipped), 'file')} could not be read and {were} left out"
    content.append(
        Details(summary, [Bullets(skipped)])
        if skipped
        else "Every image that was found could be read."
    )
    return Section("data", "The data", content)


def _draw(results: RunResults, description: Description) -> Figure:
    with mpl.rc_context(STYLE):
        drawn: tuple[tuple[str, str, Canvas], ...] = (
            (
                "overview",
                "Images of each class, and lesions or patients",
                draw_overview(description),
            ),
            (
                "patients",
                "Age, body site, sex and type of diagnostic confirmation",
                draw_patients(description),
            ),
            ("colour", "Mean colours by class", draw_colour(results.catalog, results.images)),
        )
        panels = tuple(
            Panel(f"data-{name}.svg", f"{title}; numbers in the tables", svg(canvas))
            for name, title, canvas in drawn
        )
    catalog = results.catalog
    caption = f"{catalog.name}, {len(catalog):,} images, all folds and splits together."
    numbers = description.classes.join(description.colour).reset_index()
    return Figure("data", caption, panels, numbers, width=700)
