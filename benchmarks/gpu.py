"""Training rates on one GPU: operations one by one, recorded as CUDA graphs, and in processes.

Every network and family takes the steps of its training loop, with its data, augmentation,
averages and losses, on images of noise. A process holds a training of its own; all start a
measurement together, and their rates are added.
"""

import multiprocessing
import queue
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Barrier
from typing import Annotated

import torch
import typer
from lightning_fabric import Fabric
from rich.console import Console
from rich.table import Table
from rounds import machine, refuse_busy_machine, start
from trainings import CLASSIFIERS, GENERATORS, INTERVAL, Steps, bank, steps_of

from dermaug.data.image_bank import ImageBank
from dermaug.errors import DermaugError
from dermaug.training import graphs
from dermaug.training.fabric import start_fabric

FIRST = 40
"""Steps before the measurement: both kinds of a conditional GAN's steps are recorded by then."""


@contextmanager
def one_by_one() -> Iterator[None]:
    """No step is recorded."""
    before, graphs.WARM_UP = graphs.WARM_UP, 10**18
    try:
        yield
    finally:
        graphs.WARM_UP = before


def rate(steps: Steps, batch: int, seconds: float) -> float:
    """Images per second, over about so many seconds."""
    torch.cuda.synchronize()
    begin, taken = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        for _ in range(INTERVAL):
            steps.take()
        taken += INTERVAL
        torch.cuda.synchronize()
    return taken * batch / (time.perf_counter() - begin)


def warmed(name: str, images: ImageBank, fabric: Fabric) -> tuple[Steps, int, float]:
    """A training after its first steps, its batch, and how long these took."""
    begin = time.perf_counter()
    steps, batch = steps_of(name, images, fabric)
    for _ in range(FIRST):
        steps.take()
    torch.cuda.synchronize()
    return steps, batch, time.perf_counter() - begin


def work(
    names: list[str], size: int, seconds: float, together: Barrier, told: "queue.Queue[object]"
) -> None:
    """What a process does: every row in turn, begun at the same moment as the others."""
    torch.set_num_threads(1)
    fabric = start_fabric("cuda")
    images = bank(size, fabric.device)
    for name in names:
        steps, batch, _ = warmed(name, images, fabric)
        together.wait()
        told.put((name, rate(steps, batch, seconds)))
        together.wait()


def in_processes(names: list[str], size: int, seconds: float, number: int) -> dict[str, float]:
    """The rates of so many processes, added."""
    context = multiprocessing.get_context("spawn")
    together, told = context.Barrier(number), context.Queue()
    given = (names, size, seconds, together, told)
    processes = [context.Process(target=work, args=given, daemon=True) for _ in range(number)]
    for process in processes:
        process.start()
    totals = dict.fromkeys(names, 0.0)
    for _ in range(number * len(names)):
        name, found = told.get(timeout=300)
        totals[name] += found
    for process in processes:
        process.join()
    return totals


def main(
    seconds: Annotated[float, typer.Option(min=1, help="Time for all measurements, about.")] = 240,
    processes: Annotated[str, typer.Option(help="Numbers of processes, such as 1,4,8.")] = "1,4,8",
    size: Annotated[int, typer.Option(min=32, help="Side of the images.")] = 64,
    search: Annotated[
        bool, typer.Option(help="Also time graphs after cudnn.benchmark's search.")
    ] = False,
    only: Annotated[list[str] | None, typer.Option(help="Rows; all if left out.")] = None,
) -> None:
    """Train each network in each way."""
    if not torch.cuda.is_available():
        raise DermaugError("this benchmark needs a CUDA device, and this machine has none")
    refuse_busy_machine()
    names = list(only or [*CLASSIFIERS, *GENERATORS])
    numbers = [int(number) for number in processes.split(",") if int(number) > 1]
    ways = 2 + search + 2 * len(numbers)
    each = seconds / len(names) / ways / 2  # half is for what is not measured
    fabric = start_fabric("cuda")
    images = bank(size, fabric.device)
    table = Table(title=f"{torch.cuda.get_device_name()}, {size} px", caption=machine())
    columns = ("", "one by one", "graph", "ratio", "first steps, s", "GiB")
    searched = ("cudnn.benchmark", "first steps, s") if search else ()
    for column in (*columns, *searched, *(f"{number} processes" for number in numbers)):
        table.add_column(column, justify="right")
    lines: dict[str, list[str]] = {}
    for name in names:
        torch.cuda.reset_peak_memory_stats()
        with one_by_one():
            eager = rate(*warmed(name, images, fabric)[:2], each)
        steps, batch, first = warmed(name, images, fabric)
        graph = rate(steps, batch, each)
        peak = torch.cuda.max_memory_reserved() / 2**30
        figures = (f"{eager:,.0f}", f"{graph:,.0f}", f"{graph / eager:.2f}", f"{first:.1f}")
        lines[name] = [*figures, f"{peak:.2f}"]
        if search:
            torch.backends.cudnn.benchmark = True
            steps, batch, first = warmed(name, images, fabric)
            lines[name] += [f"{rate(steps, batch, each):,.0f}", f"{first:.1f}"]
            torch.backends.cudnn.benchmark = False
        print(name, *lines[name], flush=True)  # what is known if the time ends early
    del steps
    torch.cuda.empty_cache()
    for number in numbers:
        found = in_processes(names, size, each, number)
        print(f"{number} processes:", found, flush=True)
        for name in names:
            lines[name].append(f"{found[name]:,.0f}")
    for name, line in lines.items():
        table.add_row(name, *line)
    Console(width=120, highlight=False).print(table)


if __name__ == "__main__":
    start(main)
