"""The description of the data: its tables, and its pictures as SVG."""

import matplotlib as mpl
from matplotlib.figure import Figure as Canvas

from dermaug.data.description import Description, describe
from dermaug.data.description_figures import STYLE, draw_colour, draw_overview, draw_patients
from dermaug.experiment.run.results import RunResults
from dermaug.report.figures import Figure, Panel, svg
from dermaug.report.tables import Table, plain_table


def described(results: RunResults) -> tuple[Figure, tuple[Table, ...]]:
    """What the data set is made of: counts, patients and colours by class."""
    description = describe(results.catalog, results.images)
    titles = description.tables().items()
    tables = tuple(plain_table(f"{title}.", table.reset_index()) for title, table in titles)
    return _draw(results, description), tables


def _draw(results: RunResults, description: Description) -> Figure:
    with mpl.rc_context(STYLE):
        drawn: tuple[tuple[str, str, Canvas], ...] = (
            ("overview", "Images and lesions of each class", draw_overview(description)),
            ("patients", "Age, body site, sex and way of diagnosis", draw_patients(description)),
            ("colour", "Mean colours by class", draw_colour(results.catalog, results.images)),
        )
        panels = tuple(
            Panel(f"data-{name}.svg", f"{title}; numbers in the tables", svg(canvas))
            for name, title, canvas in drawn
        )
    catalog = results.catalog
    caption = f"{catalog.name}, {len(catalog):,} images, all folds and parts together."
    numbers = description.classes.join(description.colour).reset_index()
    return Figure("data", caption, panels, numbers, width=700)
