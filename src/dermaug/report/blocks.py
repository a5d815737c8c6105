"""Building blocks of a page, rendered as one HTML file that needs no network access."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

import pandas as pd
from markupsafe import Markup

from dermaug.csv_files import csv_text
from dermaug.report.bands import Band, bands
from dermaug.report.inline import inline_svg


@dataclass(frozen=True)
class Table:
    """A table for display.

    Args:
        caption: Its contents and sample size.
        header: One name per column.
        rows: Text of the cells; a row of one cell is a heading between groups of rows.
        texts: Leading columns that hold text; the others are numbers, aligned right.
        source: The file that holds the numbers; "" for none.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 1
    source: str = ""
    kind: ClassVar[str] = "table"

    @property
    def bands(self) -> list[Band]:
        """The table in parts that fit the page, one below the other."""
        return bands(self.header, self.rows, self.texts)

    @property
    def file(self) -> str:
        """Name of its CSV file when it is downloaded."""
        words = re.sub(r"[^a-z0-9]+", "-", re.split(r"[.:;(]", self.caption.lower())[0])
        return f"{words[:48].strip('-') or 'table'}.csv"

    @property
    def uri(self) -> str:
        """What it shows, as a data URI of a CSV file; headings of groups become a column."""
        has_groups, heading, lines = any(len(row) == 1 for row in self.rows), "", []
        for row in self.rows:
            if len(row) == 1:
                (heading,) = row
            else:
                lines.append((heading, *row) if has_groups else row)
        names = ("", *self.header) if has_groups else self.header
        return _data_uri("text/csv", csv_text(pd.DataFrame(lines, columns=list(names))).encode())


@dataclass(frozen=True, eq=False)
class Panel:
    """One drawing of a figure.

    Args:
        name: Its file's name under `figures/`.
        alt: Text alternative for readers who cannot see it.
        data: The file's content, SVG or PNG.
        title: Heading above it on the page; "" when the drawing has its own.
        group: Group of panels, usually a classifier; "" when the figure has no groups.
    """

    name: str
    alt: str
    data: bytes
    title: str = ""
    group: str = ""

    @property
    def uri(self) -> str:
        """The drawing as a data URI."""
        return _data_uri("image/svg+xml" if self.is_svg else "image/png", self.data)

    @property
    def is_svg(self) -> bool:
        """Whether it is a drawing, not pixels."""
        return self.name.endswith(".svg")

    @property
    def markup(self) -> Markup:
        """The drawing as SVG within the page."""
        return Markup(inline_svg(self.data, self.name, self.alt))


@dataclass(frozen=True, eq=False)
class Figure:
    """Panels with one caption, and the numbers that were drawn.

    Args:
        name: Stem of the CSV file with the numbers.
        caption: What it shows, and the sample size.
        panels: Drawings, in reading order.
        numbers: The values drawn, long form.
        legend: (text, colour, marker) of each series, drawn once above all panels.
        width: Least width of a panel on the page, in CSS pixels.
    """

    name: str
    caption: str
    panels: tuple[Panel, ...]
    numbers: pd.DataFrame
    legend: tuple[tuple[str, str, str], ...] = field(default=())
    width: int = 300

    kind: ClassVar[str] = "figure"

    @property
    def groups(self) -> list[tuple[str, list[Panel]]]:
        """Panels by group, in reading order."""
        names = dict.fromkeys(panel.group for panel in self.panels)
        return [(name, [one for one in self.panels if one.group == name]) for name in names]

    @property
    def uri(self) -> str:
        """The numbers as a data URI of a CSV file."""
        return _data_uri("text/csv", csv_text(self.numbers).encode())


@dataclass(frozen=True)
class Heading:
    """A heading within a section, with an optional link."""

    text: str
    link: str = ""
    kind: ClassVar[str] = "heading"


@dataclass(frozen=True)
class Bullets:
    """A list; each item may be marked as a check that holds or fails."""

    items: tuple[str, ...]
    holds: tuple[bool, ...] = ()
    kind: ClassVar[str] = "bullets"


@dataclass(frozen=True)
class Code:
    """The text of a file, printed verbatim."""

    text: str
    kind: ClassVar[str] = "code"


@dataclass(frozen=True, eq=False)
class Group:
    """Blocks in a box of the style sheet's class `look`."""

    look: str
    content: Sequence["Block"]
    kind: ClassVar[str] = "group"


@dataclass(frozen=True, eq=False)
class Details:
    """Blocks that are collapsed below a summary line."""

    summary: str
    content: Sequence["Block"]
    kind: ClassVar[str] = "details"


Block: TypeAlias = "str | Table | Figure | Heading | Bullets | Code | Group | Details"


@dataclass(frozen=True, eq=False)
class Section:
    """A part of a page with a heading of its own.

    Args:
        key: Its anchor.
        title: Its heading.
        content: Blocks, in reading order.
        link: Its name in the page's contents; "" leaves it out.
        about: What a folded section holds, beside its heading; "" for a section that is open.
        printed: Whether a folded section is printed.
    """

    key: str
    title: str
    content: Sequence[Block]
    link: str = ""
    about: str = ""
    printed: bool = False

    @property
    def figures(self) -> list[Figure]:
        """Every figure in it."""
        return list(_figures(self.content))


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _figures(blocks: Sequence[Block]) -> Sequence[Figure]:
    found: list[Figure] = []
    for block in blocks:
        if isinstance(block, Figure):
            found.append(block)
        elif isinstance(block, Group | Details):
            found += _figures(block.content)
    return found
