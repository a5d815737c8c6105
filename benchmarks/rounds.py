"""Several ways to do one thing, timed in turn in one run: what the benchmarks share.

A ratio of two rates is worth something when both were taken under the same load: every round times
each way once, ratios are taken within a round, and the median over rounds is printed.
"""

import os
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from joblib import cpu_count
from rich.console import Console
from rich.table import Table

from dermaug.config import PhantomConfig
from dermaug.console import console, hushed
from dermaug.data.catalog import Catalog
from dermaug.data.sources import open_catalog
from dermaug.data.sources.phantom import write_phantoms
from dermaug.errors import DermaugError
from dermaug.host import busy_cores

Data = Annotated[
    Path | None, typer.Option(help="Folder of image files, as of HAM10000; phantoms if left out.")
]
Images = Annotated[int, typer.Option(min=16, help="Images a round.")]
Rounds = Annotated[int, typer.Option(min=1, help="Rounds after the warm-up.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")]

Precision = Annotated[str, typer.Option(help="auto, 32-true or bf16-mixed; of dermaug only.")]

Way = Callable[[], float]
"""Does its work once and gives the rate at which it did: units per second."""

# The side of the square that remains of a 200x150 picture.
PHANTOM_SIDE = 150
QUIET = 0.2
"""Cores that other programs may keep busy while rates are taken."""
BUSY = "DERMAUG_BENCHMARK_BUSY"
"""Environment variable with which rates are taken on a busy machine, too."""


def start(main: Callable[..., None]) -> None:
    """Run a benchmark from its command line; what the user got wrong is said, exit code 2."""
    try:
        typer.run(main)
    except DermaugError as error:
        console.print(f"error: {error}", soft_wrap=True, markup=False)
        sys.exit(2)


def open_images(data: Path | None, images: int, folder: Path) -> Catalog:
    """So many image files of a data set, mixed; phantoms are drawn into `folder`.

    Raises:
        DermaugError: The data set is not recognised, or its pixels come in a table.
    """
    if data is None:
        console.print(f"drawing {images:,} phantom lesions at {PHANTOM_SIDE} px")
        phantoms = write_phantoms(folder / "phantoms", PhantomConfig(number=images), PHANTOM_SIDE)
        return open_catalog(phantoms)
    catalog = open_catalog(data.expanduser())
    if catalog.embedded is not None:
        raise DermaugError(f"{data}: expected image files, found a table of pixels; name another")
    return catalog.take(np.random.default_rng(0).permutation(len(catalog))[:images])


def as_image_folder(catalog: Catalog, folder: Path) -> Path:
    """The same files as torchvision's ImageFolder wants them: one sub-folder a class, of links."""
    labels, paths = catalog.table["label"], catalog.table["path"].map(Path)
    for row, (label, path) in enumerate(zip(labels, paths, strict=True)):
        link = folder / label / f"{row:06d}{path.suffix}"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)
    return folder


def new_folder(parent: Path) -> Path:
    """An empty one below `parent`."""
    return Path(tempfile.mkdtemp(dir=parent))


def refuse_busy_machine(seconds: float = 1.0) -> None:
    """Rates on a busy machine are of that moment only.

    Raises:
        DermaugError: Other programs keep more than `QUIET` cores busy.
    """
    if os.environ.get(BUSY):
        return
    busy = busy_cores(seconds, niced=True)
    if busy > QUIET:
        raise DermaugError(
            f"this machine is busy: other programs use {busy:.1f} of {cpu_count()} cores; stop "
            f"them, or set {BUSY}=1 and quote no figures"
        )


def time_in_turn(ways: Mapping[str, Way], rounds: int) -> dict[str, np.ndarray]:
    """Rates of every way, one a round; a first round of each warms up and is not counted."""
    refuse_busy_machine()
    with hushed():
        for way in ways.values():
            way()
        rates = [[way() for way in ways.values()] for _ in range(rounds)]
    return dict(zip(ways, np.array(rates).T, strict=True))


def print_rates(title: str, rates: Mapping[str, np.ndarray], references: Sequence[str]) -> None:
    """A table: median rate of each way, its range, and its ratio to each reference."""
    table = Table(title=title, title_justify="left", caption=machine(), caption_justify="left")
    table.add_column("")
    for column in ("img/s", "lowest", "highest", *(f"ratio to {name}" for name in references)):
        table.add_column(column, justify="right")
    for name, rate in rates.items():
        spread = (np.median(rate), rate.min(), rate.max())
        figures = [f"{value:,.{0 if value >= 100 else 1}f}" for value in spread]
        ratios = [f"{np.median(rate / rates[reference]):.2f}" for reference in references]
        table.add_row(name, *figures, *ratios)
    Console(width=100, highlight=False).print(table)


def machine() -> str:
    """Where and when: rates without it mean little."""
    parts = (
        f"{cpu_count()} CPU cores, {platform.system()} {platform.machine()}",
        f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}",
        f"Python {platform.python_version()}, torch {version('torch')}",
        f"{datetime.now(UTC):%Y-%m-%d}",
    )
    return "; ".join(parts)
