"""Where dermaug speaks to a person: one console and bars with rate and time left."""

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

# Without markup: a path or a label may hold square brackets, and must come out as it is.
console = Console(stderr=True, highlight=False, markup=False)

Advance = Callable[..., None]


class _RateColumn(ProgressColumn):
    """Units a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        unit = task.fields["unit"]
        return Text(f"{speed:,.0f} {unit}/s" if speed else f"- {unit}/s", style="cyan")


@contextmanager
def progress_bar(title: str, total: int, unit: str = "img", done: int = 0) -> Iterator[Advance]:
    """A bar on a terminal, a line every tenth elsewhere (logs, pipes, workers).

    Args:
        title: What is going on.
        total: Units in all.
        unit: What is counted, for the rate.
        done: Units that were done before, when work goes on.

    Yields:
        `advance(units, note="")`: units done since the last call, and a short text behind the bar.
    """
    if not console.is_terminal:
        yield _plain_lines(title, total, unit, done)
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
    """A bar for work that tells (done, total); it appears with the first of these calls."""
    with ExitStack() as stack:
        bars: list[Advance] = []
        told = 0

        def progress(done: int, total: int) -> None:
            nonlocal told
            if not bars:
                bars.append(stack.enter_context(progress_bar(title, total, unit)))
            bars[0](done - told)
            told = done

        yield progress


def _plain_lines(title: str, total: int, unit: str, done: int) -> Advance:
    count, told, text = done, done * 10 // max(total, 1), ""
    start = time.monotonic()

    def advance(units: int, note: str | None = None) -> None:
        nonlocal count, told, text
        count += units
        text = text if note is None else note
        tenth = count * 10 // max(total, 1)
        if tenth <= told:
            return
        told = tenth
        rate = (count - done) / max(time.monotonic() - start, 1e-9)
        left = (total - count) / max(rate, 1e-9)
        line = f"{title}: {count:,}/{total:,} {unit}, {rate:,.0f} {unit}/s, {left:,.0f} s left"
        console.print(", ".join(filter(None, (line, text))), soft_wrap=True, markup=False)

    return advance


@contextmanager
def hushed() -> Iterator[None]:
    """Say nothing inside the block."""
    console.quiet = True
    try:
        yield
    finally:
        console.quiet = False
