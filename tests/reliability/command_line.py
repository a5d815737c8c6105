"""Damaged files handed to `dermaug` itself: exit code 2, one message, nothing left behind."""

import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from programs import Program

from reliability.bad_input import Count, Kind, kinds

SLOW = 120.0
"""Seconds after which a command counts as one that hangs."""


def try_all(number: int, seed: int, place: Path, minutes: float) -> Count:
    """Damage a file and hand it to a command, until enough commands have refused theirs.

    Args:
        number: Commands that are to refuse their input.
        seed: Of the damage.
        place: An empty folder.
        minutes: Time after which no further round is begun.
    """
    count, draw, end = Count(), Random(seed), time.monotonic() + 60 * minutes
    there = kinds(place)
    asked = commands({name: kind.path for name, kind in there.items()}, place / "run")
    while count.refused < number and time.monotonic() < end:
        for name, words in asked.items():
            _try(name, there[name], words, draw, place, count)
        print(count, flush=True)
    return count


def commands(paths: Mapping[str, Path], run: Path) -> dict[str, Sequence[str | Path]]:
    """Name of a kind of file -> a command that reads it."""
    classifier, image = paths["classifier, sealed again"], paths["image jpg"]
    report = ("report", run, "--output", "page/report.html")
    return {
        "image jpg": ("predict", classifier, image),
        "image png": ("predict", classifier, paths["image png"]),
        "HAM10000_metadata.csv": ("data", "check", paths["HAM10000_metadata.csv"].parent),
        "metadata.csv": ("data", "check", paths["metadata.csv"].parent),
        "zip": ("data", "check", paths["zip"]),
        "experiment.toml": ("run", paths["experiment.toml"], "--data", "nowhere"),
        "run.json": report,
        "experiment.json": report,
        "folds.json": report,
        "record.json of a trial": report,
        "predictions.parquet": report,
        "contents.parquet": report,
        "classifier, sealed again": ("predict", classifier, image),
        "checkpoint": ("export", "classifier", classifier, "out", "--no-onnx"),
        "generator, sealed again": (
            *("generate", paths["generator, sealed again"]),
            *("--class", "mel", "--number", "2", "--output", "out"),
        ),
        "manifest.json": ("export", "synthetic", paths["manifest.json"].parent, "out"),
    }


def _try(
    name: str, kind: Kind, words: Sequence[str | Path], draw: Random, place: Path, count: Count
) -> None:
    """Damage a file, run a command on it in an empty folder, and count how that ended."""
    sound, here = kind.path.read_bytes(), place / "here"
    kind.path.write_bytes(kind.change(sound, draw))
    here.mkdir()
    program = Program([*map(str, words)], here)
    code, told = program.ended(SLOW)
    program.end()
    count.slow += code is None
    left = [path for path in here.iterdir() if not path.match("told-*.txt")]
    if code == 0:
        count.read += 1
    elif code == 2 and told.count("error:") == 1 and "Traceback" not in told and not left:
        count.refused += 1
    else:
        count.faults.append(f"{name}: {words} ended with {code} and left {left}: {told}")
    kind.path.write_bytes(sound)
    shutil.rmtree(here)
