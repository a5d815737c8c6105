"""Wide tables cut into bands of columns, so that no reader has to scroll sideways on a laptop."""

from collections.abc import Sequence
from dataclasses import dataclass

PAGE = 985
"""Width of a page's content, in CSS pixels; printed, the text shrinks with it."""
_LETTER, _PADDING, _LEAST, _WRAPPED = 7.4, 20.0, 64.0, 190.0

Row = tuple[str, ...]


@dataclass(frozen=True)
class Band:
    """Some columns of a table: those that hold text, and as many of the others as fit."""

    header: Row
    rows: tuple[Row, ...]


def bands(header: Row, rows: Sequence[Row], texts: int) -> list[Band]:
    """Cut a table into bands that fit the page.

    Args:
        header: One name per column.
        rows: Cells; a row of one cell is a heading, which every band repeats.
        texts: Leading columns that hold text, which every band repeats.

    Example:
        >>> wide = bands(("Arm", *"abcdefghij"), [("real", *["0.512 ± 0.013"] * 10)], 1)
        >>> [len(band.header) for band in wide]
        [6, 6]
    """
    cells = [row for row in rows if len(row) > 1]
    widths = [
        _width([header[place], *(row[place] for row in cells)], is_text=place < texts)
        for place in range(len(header))
    ]
    numbers = range(texts, len(header))
    room = PAGE - sum(widths[:texts])
    fewest = len(_cut(numbers, widths, room))
    even = sum(widths[texts:]) / fewest
    while len(groups := _cut(numbers, widths, even)) > fewest:
        even += 10
    return [_band(header, rows, [*range(texts), *group]) for group in groups]


def _cut(places: Sequence[int], widths: Sequence[float], room: float) -> list[list[int]]:
    """Columns one after the other into bands of a width; one that is wider has its own."""
    groups: list[list[int]] = [[]]
    for place in places:
        if groups[-1] and sum(widths[each] for each in [*groups[-1], place]) > room:
            groups.append([])
        groups[-1].append(place)
    return groups


def _band(header: Row, rows: Sequence[Row], places: Sequence[int]) -> Band:
    def chosen(row: Row) -> Row:
        return row if len(row) == 1 else tuple(row[place] for place in places)

    return Band(chosen(header), tuple(map(chosen, rows)))


def _width(texts: Sequence[str], *, is_text: bool) -> float:
    """Width of a column: text wraps between words, a number only before its interval."""
    name, *cells = texts
    pieces = [word for cell in [name, *(cells if is_text else ())] for word in cell.split()]
    if not is_text:
        pieces += [part for cell in cells for part in cell.replace(" (", "\n(").split("\n")]
    least = max((len(piece) for piece in pieces), default=0) * _LETTER + _PADDING
    whole = max(map(len, texts)) * _LETTER + _PADDING
    return max(least, min(whole, _WRAPPED)) if is_text else max(least, _LEAST)
