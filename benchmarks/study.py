"""A whole study by stages: seconds, processor time and memory of each command, and the estimate.

The commands are those of a user, each a process of its own: the estimate, the run, which trains,
audits, scores and reports, then scoring and the report once more alone. What a run takes beyond its
trainings is the sum of its other stages and of what its launcher adds to each job.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rounds import Data, Device, machine, refuse_busy_machine, start

from dermaug.errors import DermaugError


@dataclass(frozen=True)
class Used:
    """What a command took.

    Args:
        seconds: On the clock.
        processor: Of all its processes together, in seconds.
        memory: The most that one of its processes held, in MiB.
    """

    seconds: float
    processor: float
    memory: float


def used(arguments: list[str], output: Path) -> Used:
    """Run one command of dermaug and keep what it prints in a file.

    Raises:
        DermaugError: The command failed.
    """
    command = [sys.executable, "-c", "from dermaug.cli import main; main()", *arguments]
    begin = time.perf_counter()
    with output.open("w") as printed, output.with_suffix(".err").open("w") as said:
        process = subprocess.Popen(command, stdout=printed, stderr=said)
        _, status, resources = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begin
    if process.returncode:
        told = output.with_suffix(".err").read_text().splitlines()[-10:]
        raise DermaugError(f"dermaug {' '.join(arguments)} ended with {process.returncode}", told)
    unit = 2**10 if sys.platform == "linux" else 2**20  # the system counts KiB on Linux
    return Used(seconds, resources.ru_utime + resources.ru_stime, resources.ru_maxrss / unit)


def trained(folder: Path) -> list[float]:
    """Seconds of every training of a run, by its record."""
    records = [json.loads(path.read_text()) for path in sorted(folder.rglob("record.json"))]
    return [
        float(found["seconds"])
        for record in records
        if (found := record if "seconds" in record else record.get("training"))
    ]


def main(
    experiment: Annotated[str, typer.Argument(help="As for dermaug run.")] = "quickstart",
    data: Data = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE.")] = None,
    device: Device = "auto",
    launcher: Annotated[str, typer.Option(help="As for dermaug run.")] = "processes",
    jobs: Annotated[str, typer.Option(help="As for dermaug run.")] = "auto",
) -> None:
    """Estimate, run, score and report a study."""
    refuse_busy_machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "study"
        asked = [experiment, "--device", device]
        asked += [word for setting in settings or [] for word in ("--set", setting)]
        asked += [] if data is None else ["--data", str(data)]
        given = ["--output", str(folder), "--launcher", launcher, "--jobs", jobs]
        commands = {
            "estimate": ["run", *asked, "--dry-run", "--json"],
            "run": ["run", *asked, *given],
            "score": ["score", str(folder)],
            "report": ["report", str(folder)],
        }
        found = {key: used(each, Path(name) / key) for key, each in commands.items()}
        estimate = 60.0 * float(json.loads((Path(name) / "estimate").read_text())["minutes"])
        seconds = trained(folder)
    table = Table(caption=machine(), caption_justify="left")
    for column in ("command", "seconds", "processor, s", "memory, MiB"):
        table.add_column(column, justify="right")
    for key, each in found.items():
        table.add_row(key, f"{each.seconds:,.0f}", f"{each.processor:,.0f}", f"{each.memory:,.0f}")
    console = Console(width=100, highlight=False)
    console.print(f"{experiment}, {device}, {launcher}, {jobs} jobs at once")
    console.print(table)
    beyond = found["run"].processor - sum(seconds)
    console.print(
        f"The estimate of the run was {estimate:,.0f} s, {estimate / found['run'].seconds:.2f} of "
        f"what it took. {len(seconds)} trainings took {sum(seconds):,.0f} s by their records; the "
        f"run took {beyond:,.0f} s of processor time beyond them, {beyond / len(seconds):.1f} s a "
        "training.",
        soft_wrap=True,
    )


if __name__ == "__main__":
    start(main)
