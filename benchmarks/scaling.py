"""Time and memory of a study's first steps, from ten thousand images to a million.

Every size is a process of its own: it opens the table, writes and opens the store of pixels,
searches near-duplicates, makes the folds, starts the run, assembles a training set and takes the
first steps of a training, by the functions that `dermaug run` calls. The rows are synthetic. The
pixels of a few squares are repeated, each image with a digest and a detail of its own; decoding is
the subject of `pixel_cache.py`. Memory is what no page of a file can give back (RssAnon).
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated
from unittest import mock

import numpy as np
import typer
from lightning_fabric import Fabric
from matplotlib import colormaps
from matplotlib.figure import Figure
from PIL import Image
from rich.console import Console
from rich.table import Table
from rounds import machine, refuse_busy_machine, start

from dermaug.classifiers.trial_steps import ClassifierSteps, ClassifierTask
from dermaug.config import Experiment
from dermaug.console import hushed
from dermaug.data.dataset import open_dataset, read_pixels
from dermaug.data.decoding import Square
from dermaug.data.given_splits import chosen_folds
from dermaug.data.image_bank import ImageBank
from dermaug.data.signature import SIDE, Signature
from dermaug.data.splits import refuse_shared
from dermaug.data.workers import Job
from dermaug.errors import DermaugError
from dermaug.experiment.plan.checks import counts_by_point
from dermaug.experiment.plan.enumeration import enumerate_jobs
from dermaug.experiment.run.data import find_twins, joined
from dermaug.experiment.run.run import Run, begin_run
from dermaug.experiment.stages.training_set import training_set

LABELS = ("nv", "mel", "bkl", "bcc", "akiec", "vasc", "df")
SHARES = (0.67, 0.11, 0.11, 0.05, 0.03, 0.02, 0.01)
PER_LESION = 1.34
"""Images of a lesion, as in HAM10000."""
PER_FOLDER, PER_FILE = 10_000, 30_000
"""Images of a folder, and names of one file, which file systems limit."""
REPEATED, BATCH, STEPS = 64, 64, 20
MEMORY_LIMIT = 2_048
"""MiB that a million images may take beside the page cache."""


@dataclass(frozen=True)
class Stage:
    """One stage at one size: seconds, and the most memory that it held, in MiB."""

    name: str
    seconds: float
    memory: float


class Watch:
    """Times stages, while a thread looks at the memory."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []
        self._most = 0.0
        threading.Thread(target=self._look, daemon=True).start()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a block."""
        self._most, begin = 0.0, time.perf_counter()
        yield
        seconds = time.perf_counter() - begin
        self.stages.append(Stage(name, seconds, max(self._most, held())))

    def _look(self) -> None:
        while True:
            self._most = max(self._most, held())
            time.sleep(0.02)


def held() -> float:
    """MiB of memory of this process that belong to no file."""
    told = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return int(told["RssAnon"].split()[0]) / 1_024


def write_data(folder: Path, number: int) -> None:
    """A table of one's own and its image files, which are links to a few small ones."""
    random = np.random.default_rng(0)
    lesions = np.sort(random.integers(0, round(number / PER_LESION), number))
    labels = random.choice(len(LABELS), number, p=SHARES)[lesions]
    ages, sexes = random.integers(4, 18, number) * 5, random.integers(0, 2, number)
    folder.mkdir()
    with (folder / "metadata.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file_name", "lesion_id", "label", "age", "sex", "localization"])
        for row in range(number):
            name = f"{row // PER_FOLDER:04d}/IMG_{row:07d}.png"
            (folder / name).parent.mkdir(exist_ok=True)
            if row % PER_FILE == 0:
                first = folder / name
                Image.new("RGB", (8, 8), (row // PER_FILE % 256, 0, 0)).save(first)
            else:
                os.link(first, folder / name)
            cells = LABELS[labels[row]], ages[row], ("female", "male")[sexes[row]], "back"
            table.writerow([name, f"LES_{lesions[row]:07d}", *cells])


def squares(side: int, jobs: Sequence[Job]) -> Iterator[Square]:
    """In place of decoding: a few squares again and again, each with a signature of its own."""
    tiles = np.random.default_rng(0).integers(0, 256, (REPEATED, side, side, 3), dtype=np.uint8)
    for image_id, _, _ in jobs:
        row, digest = int(image_id[-7:]), sha256(image_id.encode()).hexdigest()
        detail = np.random.default_rng(row).integers(-127, 128, (SIDE, SIDE), dtype=np.int8)
        yield Square(tiles[row % REPEATED], Signature(digest, digest, detail), False)


def measure(folder: Path, side: int) -> list[Stage]:
    """All stages, one after the other, as `dermaug run` does them."""
    told = {
        "name": "scaling",
        "seeds": [0],
        "data": {"source": str(folder / "data"), "size": side},
        "splits": {"folds": 5, "run": [0]},
        "classifiers": [{"model": "fridadar", "images": 100_000, "batch": BATCH}],
        "arms": [{"name": "real"}],
    }
    experiment, watch = Experiment.model_validate(told), Watch()
    made = mock.patch("dermaug.data.pixels.in_parallel", lambda _, jobs, **__: squares(side, jobs))
    with watch.stage("open the table"):
        catalog = open_dataset(experiment.data)
    with made, watch.stage("write the store"):
        read_pixels(catalog, experiment.data)
    with watch.stage("open the store"):
        store = read_pixels(catalog, experiment.data)
    with watch.stage("fingerprint"):
        fingerprint = store.fingerprint
    with watch.stage("near-duplicates"):
        twins = find_twins(store.catalog, store.contents.pixels, store.contents.details)
    with watch.stage("groups"):
        store = joined(store, twins)
    with watch.stage("folds"):
        folds = chosen_folds(store.catalog, experiment.splits, fingerprint)
    with watch.stage("checks"):
        for fold in folds:
            refuse_shared(store.catalog, fold, store.contents.pixels, "equal image")
        counts = counts_by_point(experiment, store.catalog, folds)
        jobs = enumerate_jobs(experiment, store.catalog.classes, counts)
    run = Run(folder / "run", experiment, store, twins, folds, jobs)
    with watch.stage("start the run"):
        begin_run(run)
    train(run, watch)
    return watch.stages


def train(run: Run, watch: Watch) -> None:
    """Assemble the training set of the first trial and take its first steps."""
    fabric, job = Fabric(accelerator="cpu", devices=1), run.jobs.classifiers[0]
    with watch.stage("training set"):
        training = training_set(run, job, fabric.device)
        bank = ImageBank.of(training.images, training.labels, fabric.device)
        task = ClassifierTask(
            title="scaling",
            config=job.config,
            policy=job.mixture.policy,
            sampling=job.config.sampling,
            loss=job.mixture.loss,
            classes=run.catalog.classes,
            training=bank,
            validation=bank,
            mean=(0.5,) * 3,
            std=(0.25,) * 3,
            seed=0,
            folder=run.folder,
        )
        steps = ClassifierSteps(task, fabric)
    with watch.stage("order, first batch"):
        steps.take()
    with watch.stage(f"{STEPS} batches"):
        for _ in range(STEPS):
            steps.take()


def measured(size: int, side: int) -> list[Stage]:
    """All stages at one size, in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        write_data(Path(name) / "data", size)
        command = [sys.executable, __file__, "--side", str(side), "--inside", name]
        cache = {"DERMAUG_CACHE": f"{name}/cache"}
        ended = subprocess.run(
            command, env=os.environ | cache, stdout=subprocess.PIPE, text=True, check=False
        )
    if ended.returncode:
        raise DermaugError(f"the measurement of {size:,} images ended with {ended.returncode}")
    return [Stage(**told) for told in json.loads(ended.stdout)]


def print_stages(found: dict[int, list[Stage]]) -> None:
    """A table: microseconds per image of each stage, and its memory."""
    table = Table(title="Microseconds per image, and MiB", title_justify="left")
    table.add_column("")
    for size in found:
        table.add_column(f"{size:,}", justify="right")
        table.add_column("MiB", justify="right")
    for stages in zip(*found.values(), strict=True):
        cells = [
            (f"{1e6 * stage.seconds / size:,.1f}", f"{stage.memory:,.0f}")
            for size, stage in zip(found, stages, strict=True)
        ]
        table.add_row(stages[0].name, *(cell for pair in cells for cell in pair))
    table.caption, table.caption_justify = machine(), "left"
    Console(width=110, highlight=False).print(table)


def draw_stages(found: dict[int, list[Stage]], path: Path) -> None:
    """Time per image of each stage, and the most memory of all, against the number of images."""
    figure = Figure(figsize=(9, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.set_prop_cycle(color=colormaps["tab20"].colors)
    sizes = list(found)
    for stages in zip(*found.values(), strict=True):
        times = [1e6 * each.seconds / size for each, size in zip(stages, sizes, strict=True)]
        left.plot(sizes, times, marker="o", label=stages[0].name)
    most = [max(stage.memory for stage in stages) for stages in found.values()]
    right.plot(sizes, most, marker="o", color="black")
    right.axhline(MEMORY_LIMIT, linestyle="--", color="grey")
    left.set(xscale="log", yscale="log", xlabel="images", ylabel="microseconds per image")
    right.set(xscale="log", ylim=(0, None), xlabel="images", ylabel="memory without files, MiB")
    figure.legend(loc="outside lower center", ncols=4)
    figure.savefig(path)


def main(
    sizes: Annotated[list[int] | None, typer.Option(help="Numbers of images.")] = None,
    side: Annotated[int, typer.Option(help="Side of the squares, in pixels.")] = 64,
    plot: Annotated[Path | None, typer.Option(help="Draw the figures into this file.")] = None,
    inside: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure the first steps of a study at several sizes."""
    if inside is not None:
        with hushed():
            print(json.dumps([asdict(stage) for stage in measure(inside, side)]))
        return
    refuse_busy_machine()
    found = {size: measured(size, side) for size in sizes or [10_000, 100_000, 1_000_000]}
    print_stages(found)
    if plot is not None:
        draw_stages(found, plot)


if __name__ == "__main__":
    start(main)
