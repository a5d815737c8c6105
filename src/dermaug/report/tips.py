"""Numbers that appear when a reader points at a mark of a drawing: SVG titles, without scripts."""

from collections.abc import Iterable, Iterator
from html import escape

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure as Canvas

_REACH = 6
"""Radius of the disc that reacts, in points."""


class _Tips(Artist):
    """Tips of some axes; nothing is drawn."""

    def __init__(self, tips: Iterable[tuple[float, float, str]]) -> None:
        super().__init__()
        self.tips = tuple(tips)
        self.set_in_layout(False)

    def draw(self, renderer: RendererBase) -> None:
        """Draw nothing: the titles are written into the finished file."""


def add_tips(axes: Axes, x: Iterable[float], y: Iterable[float], words: Iterable[str]) -> None:
    """Tell something of each point when a reader points at it; not where x or y is NaN."""
    axes.add_artist(_Tips(zip(x, y, words, strict=True)))


def with_tips(drawn: str, canvas: Canvas) -> str:
    """Add the tips of a figure to its SVG, as discs without colour that have a title."""
    discs = "".join(_discs(canvas))
    body, end = drawn.rsplit("</svg>", 1)
    return f'{body}<g fill="transparent">{discs}</g></svg>{end}' if discs else drawn


def _discs(canvas: Canvas) -> Iterator[str]:
    scale, height = 72 / canvas.dpi, canvas.get_figheight() * 72
    for found in canvas.findobj(_Tips):
        assert isinstance(found, _Tips)
        assert found.axes is not None
        for x, y, text in found.tips:
            right, up = scale * found.axes.transData.transform((x, y))
            if right == right and up == up:  # not NaN
                place = f'cx="{right:.1f}" cy="{height - up:.1f}" r="{_REACH}"'
                yield f"<circle {place}><title>{escape(text)}</title></circle>"
