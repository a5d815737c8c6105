"""How long other families take to the KID that a DCGAN ends with, on the lesions of one class.

The first generator of the experiment file is the reference; each is trained once, one after the
other. KID is that of the vital signs (random features, validation lesions), a mean over three looks
in a row, for single ones scatter; seconds include the looking.
"""

import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from rounds import Data, Device, machine, refuse_busy_machine, start

from dermaug.config import Experiment
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.launch import do_jobs
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.run.run import begin_run, prepare_run
from dermaug.experiment_file import read_experiment
from dermaug.training.journal import JOURNAL, read_journal

MELANOMAS = Path(__file__).with_suffix(".toml")

Course = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Images shown, seconds and mean KID at each look at a training from the third on."""
LOOKS = 3
"""Looks in a row whose mean counts."""


def courses(experiment: Experiment, device: str) -> dict[str, Course]:
    """Train every generator of an experiment, one after the other."""
    found = {}
    with tempfile.TemporaryDirectory() as name:
        run = prepare_run(Path(name), experiment)
        begin_run(run)
        for job in run.jobs.generators:
            do_jobs(run, [job], Launch(device))
            rows = read_journal(run.folder / job.key / JOURNAL)
            images, seconds, kid = (
                np.array([row[key] for row in rows], dtype=float)
                for key in ("images", "seconds", "kid")
            )
            mean = np.convolve(kid, np.full(LOOKS, 1.0 / LOOKS), "valid")
            found[job.family] = images[LOOKS - 1 :], seconds[LOOKS - 1 :], mean
    return found


def print_times(found: dict[str, Course]) -> None:
    """A table: when each family first came as near as the reference ends."""
    reference, (_, seconds, kids) = next(iter(found.items()))
    table = Table(caption=machine(), caption_justify="left")
    for column in ("", "images", "seconds", "final KID", f"seconds to {kids[-1]:.4f}", "share"):
        table.add_column(column, justify="right")
    for family, (images, own_seconds, own_kids) in found.items():
        near = np.flatnonzero(own_kids <= kids[-1])
        at = own_seconds[near[0]] if len(near) else np.nan
        figures = (f"{own_seconds[-1]:.0f}", f"{own_kids[-1]:.4f}", f"{at:.0f}")
        table.add_row(family, f"{images[-1]:,.0f}", *figures, f"{at / seconds[-1]:.2f}")
    console = Console(width=100, highlight=False)
    console.print(f"time to the final KID of {reference}")
    console.print(table)


def main(
    experiment: Annotated[Path, typer.Argument(help="Whose generators are compared.")] = MELANOMAS,
    data: Data = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE.")] = None,
    device: Device = "auto",
) -> None:
    """Train families and see when each reaches the reference's final KID."""
    given = [] if data is None else [f"data.source={data}"]
    asked = read_experiment(experiment, [*(settings or []), *given])
    for each in asked.generators:
        if each.examined < 2 or each.snapshots < LOOKS:
            raise DermaugError(
                f"{experiment}: {each.key} has examined {each.examined} and snapshots "
                f"{each.snapshots}; expected 2 or more images at each of {LOOKS} or more looks"
            )
    refuse_busy_machine()
    print_times(courses(asked, device))


if __name__ == "__main__":
    start(main)
