"""A grid of seven jobs that takes seconds, for the launchers; results are compared by content."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from dermaug.config import Experiment
from dermaug.experiment.launchers.launch import run_experiment
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.files import sha256

DATA = """
[data]
size = 32
classes = ["bcc", "mel", "nv"]
phantom = { number = 120, balanced = true }

[splits]
folds = 3
run = [0]
"""
"""What the experiment files of the launchers' tests have in common."""
FILE = f"""
name = "grid"
seeds = [0, 1]
{DATA}
[[classifiers]]
images = 640
batch = 16
validations = 8

[[generators]]
classes = ["mel"]
images = 320
batch = 16
width = 8
snapshots = 2

[[arms]]
name = "classic"
policy = "standard"

[[arms]]
name = "classic+synthetic"
policy = "standard"
synthetic = {{ dose = 20, max_per_real = 0 }}
"""


def written(folder: Path) -> Path:
    """The experiment file of the grid."""
    path = folder / "grid.toml"
    path.write_text(FILE)
    return path


def done(folder: Path, experiment: Experiment, **launch: Any) -> Path:
    """Run the grid in a folder, one job after the other unless a launcher is named."""
    run_experiment(folder, experiment, Launch("cpu", **launch))
    return folder


def results(folder: Path) -> dict[str, str]:
    """Content of everything that does not hold a date or a time."""
    found = [*folder.rglob("*.parquet"), *folder.rglob("classifier.safetensors")]
    found += [*folder.rglob("synthetic/*.npy"), *folder.rglob("synthetic/manifest.json")]
    return {str(path.relative_to(folder)): sha256(path) for path in found}


def until(happens: Callable[[], object], seconds: float = 300.0) -> None:
    """Wait for something; a folder that is looked into may appear and vanish meanwhile."""
    end = time.monotonic() + seconds
    while True:
        with suppress(FileNotFoundError):
            if happens():
                return
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
