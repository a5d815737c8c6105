"""Formats of numbers and tables, for every page and printed text."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dermaug.markdown import plain
from dermaug.report.blocks import Table
from dermaug.scoring.verdict_words import NONE, signed

AVERAGED = (
    "Every trial counts equally; numbers with intervals weight the folds by the images behind them "
    "instead (of the class, for sensitivities and AUCs), so that digits may differ."
)
WEIGHTED = (
    "Folds are weighted by the images behind each number (of the class, for sensitivities and "
    "AUCs), so that digits may differ from means over trials."
)
"""How the results of several trials are combined, said where the numbers stand."""


def number(value: float, digits: int = 3) -> str:
    """Format a number with a typographic minus, or a dash if it is not defined.

    Example:
        >>> number(-0.0004), number(-1.26, 1), number(float("nan"))
        ('0.000', '−1.3', '–')
    """
    if np.isnan(value):
        return NONE
    text = f"{value:,.{digits}f}".replace("-", "−")
    return text.lstrip("−") if round(value, digits) == 0 else text


def percent(value: float, digits: int = 1) -> str:
    """Format a fraction in per cent, or a dash if it is not defined.

    Example:
        >>> percent(0.0312), percent(0.5, 0)
        ('3.1 %', '50 %')
    """
    return NONE if np.isnan(value) else f"{100 * value:.{digits}f} %"


def interval(middle: str, low: str, high: str) -> str:
    """Join a value and its interval; the value alone if there is no interval.

    Example:
        >>> interval("+0.1", "0.0", "+0.2"), interval("+0.1", NONE, NONE)
        ('+0.1 (0.0 to +0.2)', '+0.1')
    """
    return middle if low == NONE else f"{middle} ({low} to {high})"


def with_interval(
    row: Mapping[Any, Any], value: str = "difference", written: Callable[[float], str] = signed
) -> str:
    """A number of a row and its interval, if it has one; with a sign unless `written` otherwise."""
    return interval(*(written(float(row[name])) for name in (value, "low", "high")))


def counted(count: int, singular: str, plural: str = "") -> str:
    """Format a count with its noun in the singular or plural.

    Example:
        >>> counted(1, "fold"), counted(2_000, "fold")
        ('1 fold', '2,000 folds')
    """
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def spanned(counts: Iterable[float]) -> str:
    """Format the smallest and the largest of some counts; one number if they are equal.

    Example:
        >>> spanned([1_651, 1_702]), spanned([7, 7]), spanned([])
        ('1,651–1,702', '7', '–')
    """
    found = sorted(counts)
    ends = dict.fromkeys(f"{each:,.0f}" for each in (*found[:1], *found[-1:]))
    return NONE.join(ends) or NONE


def listed(names: Sequence[str]) -> str:
    """Join names with commas and `and`.

    Example:
        >>> listed(["df"]), listed(["df", "mel", "nv"])
        ('df', 'df, mel and nv')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def small(p_value: float) -> str:
    """Format a p-value with three decimals; it is never printed as zero."""
    return "< 0.001" if p_value < 0.001 else number(p_value)


def mean_and_spread(values: pd.Series) -> str:
    """Format mean ± SD with three decimals; of a single value, only the mean."""
    defined = values.dropna()
    if len(defined) < 2:
        return number(defined.mean())
    return f"{defined.mean():.3f} ± {defined.std(ddof=1):.3f}"


def arm_rows(
    table: pd.DataFrame, arms: Sequence[str], cells: Callable[[pd.DataFrame], Iterable[str]]
) -> tuple[tuple[str, ...], ...]:
    """Rows of a table: the classifiers as headings, and a row for each of their arms.

    Args:
        table: One row per trial, or several, with the columns model and arm.
        arms: Names in the order of the rows; arms without a trial are left out.
        cells: Texts of an arm's row, given the part of the table that belongs to it.
    """
    rows: list[tuple[str, ...]] = []
    for model, part in table.groupby("model", sort=False):
        rows.append((str(model),))
        parts = ((arm, part[part["arm"] == arm]) for arm in arms)
        rows += [(arm, *cells(own)) for arm, own in parts if len(own)]
    return tuple(rows)


def plain_rows(frame: pd.DataFrame, digits: int = 3) -> tuple[tuple[str, ...], ...]:
    """Any data frame as text: integers with separators, other numbers with some decimals."""
    rows = frame.itertuples(index=False)
    return tuple(tuple(_text(value, digits) for value in row) for row in rows)


def plain_header(frame: pd.DataFrame) -> tuple[str, ...]:
    """Names of the columns of a data frame, in words."""
    return tuple(str(name).replace("_", " ") for name in frame.columns)


def markdown(table: Table) -> str:
    """Convert a table to Markdown; headings between groups of rows become rows in bold."""

    def line(cells: tuple[str, ...]) -> str:
        return f"| {' | '.join(map(plain, cells))} |"

    alignment = ("---",) * table.texts + ("---:",) * (len(table.header) - table.texts)
    blank = ("",) * (len(table.header) - 1)
    rows = [(f"**{row[0]}**", *blank) if len(row) == 1 else row for row in table.rows]
    return "\n".join([*map(line, (table.header, alignment, *rows)), "", plain(table.caption)])


def _text(value: object, digits: int) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    return number(float(value), digits) if isinstance(value, float | np.floating) else str(value)
