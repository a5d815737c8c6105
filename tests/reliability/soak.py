"""Runs of random small experiments, each killed and resumed at random, for as long as asked."""

import random
import shutil
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from dermaug.console import console
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.launch import run_experiment
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.run.reading import read_results
from dermaug.experiment_file import validate_experiment
from reliability.leftovers import (
    forget_peak,
    open_files,
    orphans,
    orphans_adopted,
    peak_memory,
    temporary_folder,
)
from reliability.processes import killed_after

PATIENCE = 300.0
"""Seconds that the workers of a killed run have to notice it: they import PyTorch first, which
takes long on a busy machine."""


@dataclass
class Count:
    """What was tried and what came of it."""

    runs: int = 0
    at_once: int = 0
    """Runs whose jobs were done by several worker processes."""
    kills: int = 0
    resumes: int = 0
    """Times that a killed run had left a folder, from which the next one went on."""
    refused: int = 0
    """Experiments that contradict themselves and were refused with a message."""
    memory: list[int] = field(default_factory=list)
    """Most MiB of this process during each run that ended."""
    files: list[int] = field(default_factory=list)
    """Files that this process holds open after each run."""
    leftovers: int = 0
    """Partial files, checkpoints, claims, temporary files and processes that outlived their run."""
    slowness: float = 1.0
    """Seconds that the last run took for a second of computing: more on a busy machine."""
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        ends = "".join(
            f", {name} {values[0]} first and {values[-1]} last ({growth(values):+.0f})"
            for name, values in (("peak MiB", self.memory), ("open files", self.files))
            if values
        )
        return (
            f"{self.runs} runs ({self.at_once} in several processes), {self.kills} kills, "
            f"{self.resumes} resumes, {self.refused} refused, {self.leftovers} leftovers, "
            f"{len(self.faults)} faults{ends}"
        )


def growth(values: Sequence[int]) -> float:
    """By how much something grows from the second quarter of the runs to the last."""
    quarter = len(values) // 4
    if quarter < 2:
        return 0.0
    return statistics.median(values[-quarter:]) - statistics.median(values[quarter : 2 * quarter])


def soak(number: int, seed: int, place: Path, minutes: float) -> Count:
    """Run random experiments to their end, with kills on the way.

    Args:
        number: Runs.
        seed: Of experiments and kills.
        place: An empty folder.
        minutes: Time after which no further run is begun.
    """
    draw, count, end = random.Random(seed), Count(), time.monotonic() + 60 * minutes
    console.quiet = True
    known = set[str]()  # what is left is told once
    with orphans_adopted() as before, temporary_folder(place / "temporary") as temporary:
        while count.runs < number and time.monotonic() < end:
            told, tree = len(count.faults), random_experiment(draw)
            folder = place / f"run{count.runs + count.refused}"
            try:
                _once(tree, folder, draw, count)
            except DermaugError as error:
                count.refused += 1
                if folder.exists():
                    count.faults.append(f"{tree}: begun, then refused: {error}")
            except Exception as error:
                count.faults.append(f"{tree}: {error!r}")
            shutil.rmtree(folder, ignore_errors=True)
            folder.with_suffix(".told").unlink(missing_ok=True)
            left = orphans(PATIENCE, before)
            left += [str(path) for path in (*place.iterdir(), *temporary.iterdir())]
            left.remove(str(temporary))
            _note_left([each for each in left if each not in known], tree, count)
            known.update(left)
            print(*count.faults[told:], count, sep="\n", flush=True)
    for name, values, most in (("memory", count.memory, 64), ("open files", count.files, 8)):
        if growth(values) > most:
            count.faults.append(f"{name}: more and more: {values}")
    return count


def _once(tree: dict[str, Any], folder: Path, draw: random.Random, count: Count) -> None:
    """Kill a run some times, then let it end in this process."""
    experiment = validate_experiment(tree, "soak")
    at_once = draw.random() < 0.15
    several: dict[str, Any] = {"launcher": "processes", "jobs": 2} if at_once else {}
    launch = Launch("cpu", "32-true", **several)
    work = partial(run_experiment, folder, experiment, launch)
    told, failed = folder.with_suffix(".told"), []
    for _ in range(draw.randrange(4)):
        seconds = count.slowness * draw.uniform(0.0, 12.0 if at_once else 2.5)
        code = killed_after(seconds, work, told)
        count.kills += code is None
        count.resumes += code is None and folder.exists()
        failed += [told.read_text()] if code else []
    forget_peak()
    start = time.monotonic(), time.process_time()
    run = work()
    if not at_once:
        count.slowness = (time.monotonic() - start[0]) / (time.process_time() - start[1])
    read_results(run)
    missing = [job.key for job in run.jobs.in_order if not run.is_done(job.key)]
    count.faults += [f"{tree}: not done: {key}" for key in missing]
    count.faults += [f"{tree}: failed, and ended when begun again: {each}" for each in failed]
    left = [path for name in ("resume*", "claim.json", ".partial-*") for path in folder.rglob(name)]
    _note_left(map(str, left), tree, count)
    count.memory.append(peak_memory())
    count.files.append(open_files())
    count.at_once += at_once
    count.runs += 1


def _note_left(left: Iterable[str], tree: dict[str, Any], count: Count) -> None:
    for each in left:
        count.leftovers += 1
        count.faults.append(f"{tree}: left over: {each}")


def random_experiment(draw: random.Random) -> dict[str, Any]:
    """An experiment of a few seconds; some contradict themselves."""
    families = draw.sample(["dcgan", "acgan", "cgan", "flow"], draw.randrange(3))
    classes = ["mel", "nv"] if draw.random() < 0.7 else ["bcc", "mel", "nv"]
    options = {"flow": {"steps": 2}}
    generators = [
        {
            "family": family,
            "options": options.get(family, {}),
            "width": 4,
            "latent": draw.choice((4, 8)),
            "images": draw.choice((32, 64)),
            "batch": draw.choice((4, 8)),
            "snapshots": draw.choice((1, 2, 4)),
            "examined": draw.choice((0, 16)),
            "ema": draw.choice((0.0, 0.9)),
            "keep": draw.choice(("best", "last")),
        }
        for family in families
    ]
    arms: list[dict[str, Any]] = [{"name": "real"}]
    for family in families:
        shown = draw.choice(({}, {"share": 0.3}, {"first": 0.3}, {"only": True}))
        dose = {"family": family, "dose": draw.choice((4, 12)), "max_per_real": 0.0}
        arms.append(
            {
                "name": family,
                "policy": draw.choice(("none", "fridadar", "standard", "trivial", "mixup")),
                "loss": draw.choice(("plain", "weighted", "adjusted")),
                "replay": draw.random() < 0.5,
                "synthetic": dose | shown,
            }
        )
    return {
        "name": "soak",
        "seeds": draw.choice(([0], [0, 1])),
        "data": {
            "size": 32,
            "classes": classes,
            "phantom": {"number": 140, "balanced": True, "seed": draw.randrange(3)},
        },
        "splits": {"folds": 3, "run": [draw.randrange(3)]},
        "classifiers": [
            {
                "images": draw.choice((32, 96)),
                "batch": draw.choice((8, 16)),
                "optimizer": draw.choice(("adamw", "sgd")),
                "sampling": draw.choice(("natural", "sqrt", "balanced")),
                "ema": draw.choice((0.0, 0.9)),
                "validations": draw.choice((1, 3)),
                "keep": draw.choice(("last", "best")),
                "views": draw.choice((1, 8)),
            }
        ],
        "generators": generators,
        "arms": arms,
    }
