"""The style of all drawings of the report: matplotlib settings, colours, file names."""

import io
import re
import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.text import Text
from PIL import Image

from dermaug.data.class_names import class_words
from dermaug.report.blocks import Panel
from dermaug.report.tips import with_tips
from dermaug.training.grids import contact_sheet

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
INK, GRID = "#1f2933", "#d9dee3"
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "dermaug",
    "text.parse_math": False,  # a class may be named $x
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": "#8a949e",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "lines.linewidth": 1.8,
    "lines.markersize": 6,
}
LEAST_SIDE = 64
_FINE = re.compile(r"(?<=[ \"(-])(\d+\.\d\d)\d{3,}(?=[ \"),\n])")
"""A coordinate with more decimals than can be seen."""
_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


@contextmanager
def drawing(width: float = 3.6, height: float = 2.9) -> Iterator[Axes]:
    """Axes of one panel in the report's style."""
    with mpl.rc_context(STYLE):
        canvas = Canvas(figsize=(width, height), layout="constrained")
        yield canvas.add_subplot()


def panels(
    table: pd.DataFrame,
    by: Sequence[str],
    stem: str,
    size: tuple[float, float] | Callable[[pd.DataFrame], tuple[float, float]],
    draw: Callable[..., str],
    place: Callable[..., Mapping[str, str]] = lambda *_: {},
    **given: object,
) -> tuple[Panel, ...]:
    """One drawing for each part of a table, in the table's order.

    Args:
        table: What is drawn.
        by: Columns whose values tell the parts apart and name the files.
        stem: What the files' names begin with.
        size: Width and height of a drawing in inches, or of a part's rows.
        draw: Draws a part, given axes, rows, their values of `by` and what is `given`; returns
            what is seen, in words.
        place: `title` and `group` of a panel on the page, given the values of `by`.
        given: The same for every part.
    """
    drawn = []
    for index, (values, rows) in enumerate(table.groupby(list(by), sort=False)):
        names = tuple(map(str, values))
        with drawing(*(size(rows) if callable(size) else size)) as axes:
            alt = draw(axes, rows, *names, **given)
            name = file_name(stem, index, *names)
            drawn.append(Panel(name, alt, svg(axes), **place(*names)))
    return tuple(drawn)


def in_group(group: str, *_: str) -> Mapping[str, str]:
    """The first of a panel's names, mostly a classifier, heads its group on the page."""
    return {"group": group}


def titled(group: str, title: str) -> Mapping[str, str]:
    """The second one is its heading on the page."""
    return {"group": group, "title": title}


def svg(drawn: Axes | Canvas) -> bytes:
    """Render a panel as SVG that keeps text as text in the reader's font."""
    canvas = drawn.get_figure(root=True)
    assert isinstance(canvas, Canvas)
    buffer = io.StringIO()
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        # The reader's font draws the text, so a glyph missing here does not matter.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        _fold_long_texts(canvas)
        canvas.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    lean = _FINE.sub(r"\1", buffer.getvalue())
    # DejaVu, the wide font of the layout, gives way to the fonts of the reader's system.
    readable = re.sub(r"'DejaVu Sans'[^;\"]*", _FONTS, lean)
    return with_tips(readable, canvas).encode()


def _fold_long_texts(canvas: Canvas) -> None:
    """Break titles and axis labels that would be cut off at the edge of the drawing into lines."""
    canvas.draw_without_rendering()
    width, height = canvas.bbox.size
    for text in canvas.findobj(Text):
        assert isinstance(text, Text)
        box, upright = text.get_window_extent(), text.get_rotation() == 90
        start, end, room = (box.y0, box.y1, height) if upright else (box.x0, box.x1, width)
        if (start >= 0 and end <= room) or " " not in text.get_text():
            continue
        # A title begins at the axes; labels are centred, so the nearer edge limits both halves.
        is_title = text.get_horizontalalignment() == "left"
        free = room - start if is_title else min(start + end, 2 * room - start - end)
        most = int(0.97 * len(text.get_text()) * free / (end - start))
        lines = textwrap.wrap(text.get_text(), max(most, 8), break_on_hyphens=False)
        text.set_text("\n".join(lines))


def png(pixels: UInt8[np.ndarray, "h w 3"]) -> bytes:
    """Pixels as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def sheet(images: UInt8[np.ndarray, "n h w 3"], columns: int) -> UInt8[np.ndarray, "y x 3"]:
    """Make a contact sheet, with images enlarged by a whole factor to at least 64 pixels."""
    factor = max(1, -(-LEAST_SIDE // images.shape[1]))
    return contact_sheet(images.repeat(factor, axis=1).repeat(factor, axis=2), columns)


def thumbnail(image: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "64 64 3"]:
    """One image at 64 pixels, enlarged without smoothing or averaged down."""
    way = Image.Resampling.NEAREST if len(image) <= LEAST_SIDE else Image.Resampling.BOX
    return np.asarray(Image.fromarray(image).resize((LEAST_SIDE, LEAST_SIDE), way))


def file_name(*parts: object, ending: str = "svg") -> str:
    """Make a valid file name: only letters, digits, `.`, `_`, `+` and `-` are kept."""
    safe = (re.sub(r"[^A-Za-z0-9._+-]+", "_", str(part)).strip(".") or "x" for part in parts)
    return f"{'-'.join(safe)[:120]}.{ending}"


def short(name: str, length: int = 16) -> str:
    """Shorten a name to fit an axis.

    Example:
        >>> short("seborrhoeic keratosis"), short("mel")
        ('seborrhoeic ker…', 'mel')
    """
    return name if len(name) <= length else f"{name[: length - 1]}…"


def class_lines(label: str) -> str:
    """A class's name in full and its code in lines of a width that fits beside an axis.

    Example:
        >>> class_lines("mel"), class_lines("bcc")
        ('melanoma (mel)', 'basal cell carcinoma (bcc)')
    """
    return textwrap.fill(class_words(label), 26)


def legend(names: Sequence[str], places: Sequence[int] = ()) -> tuple[tuple[str, str, str], ...]:
    """(name, colour, marker) of each series, whose number is its place unless it is given."""
    glyphs = dict(zip(MARKERS, "●■▲◆▼✚✖", strict=True))
    numbered = zip(names, places or range(len(names)), strict=True)
    return tuple((name, colour(index), glyphs[marker(index)]) for name, index in numbered)


def colour(index: int) -> str:
    """Colour of the series number `index`."""
    return PALETTE[index % len(PALETTE)]


def marker(index: int) -> str:
    """Marker of the series number `index`; from the eighth on, colours repeat with new markers."""
    return MARKERS[(index + index // len(PALETTE)) % len(MARKERS)]


def dashes(index: int) -> Any:  # noqa: ANN401
    """Line style of the series number `index`; from the eighth on, colours repeat with new ones."""
    return DASHES[(index + index // len(PALETTE)) % len(DASHES)]
