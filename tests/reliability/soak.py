"""Runs of random small experiments, each killed and resumed at random, for as long as asked."""

import random
import shutil
import statistics
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from dermaug.console import console
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.launch import run_experiment
from dermaug.experiment.run.reading import read_results
from dermaug.experiment_file import validate_experiment
from reliability.processes import killed_after

MOST_GROWTH = 64
"""MiB by which this process may grow from the second quarter of the runs to the last."""


@dataclass
class Count:
    """What was tried and what came of it."""

    runs: int = 0
    kills: int = 0
    refused: int = 0
    """Experiments that contradict themselves and were refused with a message."""
    memory: list[int] = field(default_factory=list)
    """MiB of this process after each run."""
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        grown = f", {self.growth:+.0f} MiB of memory" if len(self.memory) >= 8 else ""
        return (
            f"{self.runs} runs, {self.kills} kills, {self.refused} refused, "
            f"{len(self.faults)} faults{grown}"
        )

    @property
    def growth(self) -> float:
        """MiB from the second quarter of the runs to the last."""
        quarter = len(self.memory) // 4
        second, last = self.memory[quarter : 2 * quarter], self.memory[-quarter:]
        return statistics.median(last) - statistics.median(second)


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
    while count.runs < number and time.monotonic() < end:
        tree, folder = random_experiment(draw), place / f"run{count.runs + count.refused}"
        try:
            _once(tree, folder, draw, count)
        except DermaugError as error:
            count.refused += 1
            if folder.exists():
                count.faults.append(f"{tree}: begun, then refused: {error}")
        except Exception as error:
            count.faults.append(f"{tree}: {error!r}")
        shutil.rmtree(folder, ignore_errors=True)
        count.memory.append(_memory())
        print(count, flush=True)
    if len(count.memory) >= 8 and count.growth > MOST_GROWTH:
        count.faults.append(f"the memory grows: {count.memory}")
    count.faults += [f"left over: {path}" for path in place.iterdir() if path.suffix != ".told"]
    return count


def _once(tree: dict[str, Any], folder: Path, draw: random.Random, count: Count) -> None:
    """Kill a run some times, then let it end in this process."""
    experiment = validate_experiment(tree, "soak")
    work = partial(
        run_experiment, folder, experiment, device="cpu", precision="32-true", command="soak"
    )
    for _ in range(draw.randrange(4)):
        killed = killed_after(draw.uniform(0.0, 4.0), work, folder.with_suffix(".told"))
        count.kills += killed is None
    results = read_results(work())
    if (len(results.generators), len(results.trials)) != results.num_jobs:
        count.faults.append(f"{tree}: jobs are missing")
    left = [path for name in ("resume*", "claim.json", ".partial-*") for path in folder.rglob(name)]
    count.faults += [f"{tree}: left over: {path}" for path in left]
    count.runs += 1


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


def _memory() -> int:
    """MiB of memory that this process uses."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    return 0
