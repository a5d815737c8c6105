"""A page as HTML, and the files of its figures beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dermaug.aside import written_aside
from dermaug.csv_files import write_csv
from dermaug.errors import DermaugError
from dermaug.files import Record, write_text
from dermaug.report.blocks import Figure, Panel, Section
from dermaug.report.terms import anchor, linked
from dermaug.templates import templates

LIST = "files.json"


class FigureList(Record):
    """`figures/files.json`: what a page wrote there."""

    files: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Page:
    """A whole page.

    Args:
        kicker: The command that wrote it.
        title: Its heading.
        question: The question that it answers.
        facts: Data and design, in small print.
        sections: Its sections; those without content are left out.
        footer: Licence and use.
        notices: Warnings above everything.
        terms: Words that are explained at its end, and linked to from boxes: word -> meaning.
    """

    kicker: str
    title: str
    question: str
    facts: str
    sections: Sequence[Section]
    footer: str
    notices: Sequence[str] = field(default=())
    terms: Mapping[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> Path:
        """Write the page, and beside it `figures/` with every drawing and its numbers.

        Figures of an earlier page that this one does not have are removed.
        """
        figures = [figure for section in self.shown for figure in section.figures]
        write_figures(path.parent / "figures", figures)
        write_text(path, self.render())
        return path

    def render(self) -> str:
        """The page as HTML."""
        environment = templates("dermaug.report")
        environment.filters |= {"anchor": anchor, "linked": linked}
        template = environment.get_template("page.html.j2")
        return template.render(page=self, sections=self.shown)

    @property
    def shown(self) -> list[Section]:
        """The sections that have content."""
        return [section for section in self.sections if section.content]


def write_figures(folder: Path, figures: Sequence[Figure]) -> None:
    """Write every drawing and its numbers, and remove what an earlier page wrote there beyond it.

    Files that no page wrote stay.
    """
    written = set[str]()
    for figure in figures:
        write_csv(folder / f"{figure.name}.csv", figure.numbers)
        write_panels(folder, figure.panels)
        written |= {f"{figure.name}.csv", *(panel.name for panel in figure.panels)}
    for name in set(_listed(folder / LIST)) - written:
        (folder / name).unlink(missing_ok=True)
    if folder.exists():
        FigureList(files=tuple(sorted(written))).write(folder / LIST)


def write_panels(folder: Path, panels: Sequence[Panel]) -> None:
    """Write each panel as SVG or PNG, whole or not at all."""
    for panel in panels:
        with written_aside(folder / panel.name) as aside:
            aside.write_bytes(panel.data)


def _listed(path: Path) -> tuple[str, ...]:
    """The figures that an earlier page wrote; none if nobody knows."""
    try:
        return FigureList.read(path).files
    except DermaugError:
        return ()
