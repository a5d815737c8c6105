"""The console, and progress bars with rate and remaining time."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class PlainConsole(Console):
    """A console that shows control characters, of a path or a cell, and does not obey them."""

    def print(self, *objects: Any, **options: Any) -> None:  # noqa: ANN401
        """Print as rich does."""
        shown = (printable(each) if isinstance(each, str) else each for each in objects)
        super().print(*shown, **options)


def printable(text: str) -> str:
    r"""A text with its control characters written out, but for line breaks and tabs.

    Example:
        >>> printable("a\x1b[31mb")
        'a\\x1b[31mb'
    """
    return "".join(
        each if each.isprintable() or each in "\n\t" else repr(each)[1:-1] for each in text
    )


# Without markup and emoji, because a path or a label may contain square brackets or colons.
console = PlainConsole(stderr=True, highlight=False, markup=False, emoji=False)


def is_utf8(name: str) -> bool:
    r"""Whether the name of a file is text; other bytes arrive as lone surrogates.

    Example:
        >>> is_utf8("Naevus ä"), is_utf8("Naevus \udce4")
        (True, False)
    """
    return name.encode(errors="replace").decode() == name


def tell(text: str) -> None:
    """Print a text that only a terminal breaks into lines: a path or a command can be copied."""
    console.print(text, soft_wrap=True)


Advance = Callable[..., None]
Listener = Callable[[int, int], Advance]
"""Given the total number of units of some work and those completed before, counts the others."""
MEASURED_AFTER = 0.1
"""Duration in seconds below which no rate is shown."""


_listeners: list[Listener] = []


@contextmanager
def overheard(listener: Listener) -> Iterator[None]:
    """Report progress to a listener inside the block and show no bars.

    Args:
        listener: Called for each bar; it may raise from `advance`, which ends the work.
    """
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


class _RateColumn(ProgressColumn):
    """Units per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        unit = task.fields["unit"]
        return Text(f"{speed:,.0f} {unit}/s" if speed else f"- {unit}/s", style="cyan")


@contextmanager
def progress_bar(
    title: str, total: int, unit: str = "img", done: int = 0, start: float | None = None
) -> Iterator[Advance]:
    """A bar on a terminal, a line every tenth elsewhere (logs, pipes); nothing when overheard.

    Args:
        title: Title of the work.
        total: Total number of units.
        unit: Name of the unit, for the rate.
        done: Units completed before a resume.
        start: Start of the work by `time.monotonic`; None is now.

    Yields:
        `advance(units, note="")`: units done since the last call, and a short text behind the bar.
    """
    if _listeners:
        yield _listeners[-1](total, done)
        return
    if not console.is_terminal:
        yield _plain_lines(title, total, unit, done, start or time.monotonic())
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        _RateColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", style="dim", markup=False),
    )
    with Progress(*columns, console=console, refresh_per_second=5, speed_estimate_period=20) as bar:
        task = bar.add_task(title, total=total, completed=done, unit=unit, note="")

        def advance(units: int, note: str | None = None) -> None:
            fields: dict[str, Any] = {} if note is None else {"note": note}
            bar.update(task, advance=units, **fields)

        yield advance


@contextmanager
def counting_bar(title: str, unit: str = "img") -> Iterator[Callable[[int, int], None]]:
    """A bar for work that reports (done, total); it appears with the first report.

    Work that begins again, with another total, gets another bar.
    """
    with ExitStack() as stack:
        advance: Advance | None = None
        told, whole, start = 0, 0, time.monotonic()

        def progress(done: int, total: int) -> None:
            nonlocal advance, told, whole, start
            if advance is None or total != whole or done < told:
                stack.close()
                told, whole = 0, total
                start = start if advance is None else time.monotonic()
                advance = stack.enter_context(progress_bar(title, total, unit, start=start))
            advance(done - told)
            told = done

        yield progress


def _plain_lines(title: str, total: int, unit: str, done: int, start: float) -> Advance:
    count, told, text = done, done * 10 // max(total, 1), ""

    def advance(units: int, note: str | None = None) -> None:
        nonlocal count, told, text
        count += units
        text = text if note is None else note
        tenth = count * 10 // max(total, 1)
        if tenth <= told:
            return
        told = tenth
        line = f"{title}: {count:,}/{total:,} {unit}"
        parts = (line, _rate(count - done, total - count, time.monotonic() - start, unit), text)
        tell(", ".join(filter(None, parts)))

    return advance


def _rate(done: int, left: int, seconds: float, unit: str) -> str:
    """Units per second and the remaining time, once they are measured."""
    if not done or seconds < MEASURED_AFTER:
        return ""
    rate = done / seconds
    return f"{rate:,.0f} {unit}/s, {left / rate:,.0f} s left"


@contextmanager
def hushed() -> Iterator[None]:
    """Print nothing inside the block."""
    console.quiet = True
    try:
        yield
    finally:
        console.quiet = False
