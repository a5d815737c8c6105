"""Progress of a whole grid of jobs: one display on a terminal, a line per job elsewhere."""

import time
from types import TracebackType
from typing import Self

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from dermaug.console import console
from dermaug.experiment.launchers.schedule import Schedule
from dermaug.experiment.plan.jobs import GeneratorJob, Job
from dermaug.experiment.run.claims import holder_of
from dermaug.experiment.run.records import GeneratorRecord, TrialRecord

BAR = 28
"""Columns of a bar."""


class Display:
    """Jobs done, running and waiting, with rate and remaining time.

    Args:
        schedule: The jobs.
    """

    def __init__(self, schedule: Schedule) -> None:
        self._schedule, self._start = schedule, time.monotonic()
        self._images, self._waits = 0, False
        self._measured: dict[str, tuple[int, float]] = {}
        self._live = Live(
            get_renderable=self._render, console=console, refresh_per_second=2, transient=True
        )

    def __enter__(self) -> Self:
        if console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if console.is_terminal:
            self._live.stop()

    def done(self, job: Job, seconds: float) -> None:
        """A job was done here."""
        self._images += job.images
        rate = ""
        if job.images and (trained := self._trained(job)):  # without the start of a worker
            images, before = self._measured.get(job.network, (0, 0.0))
            self._measured[job.network] = (images + job.images, before + trained)
            rate = f", {job.images / trained:,.0f} img/s"
        self._tell(f"{job.key} done in {seconds:,.0f} s{rate}")

    def elsewhere(self, job: Job) -> None:
        """A job was done by another process."""
        self._tell(f"{job.key} done by another process")

    def wait(self) -> None:
        """Nothing is left to begin here; tell it once."""
        if not self._waits:
            self._waits = True
            console.print("other processes do the jobs that are left; waiting for them")

    def lost(self, job: Job) -> None:
        """The worker of a job was killed."""
        console.print(f"{job.key}: its worker was lost; the job is begun again", soft_wrap=True)

    def failed(self, key: str, error: Exception) -> None:
        """A job failed here."""
        console.print(f"failed: {key}: {error}", soft_wrap=True)

    def _trained(self, job: Job) -> float:
        """Seconds of the training of a job that is done."""
        path = self._schedule.run.job(job.key).record
        if isinstance(job, GeneratorJob):
            return GeneratorRecord.read(path).seconds
        training = TrialRecord.read(path).training
        return training.seconds if training is not None else 0.0

    def _tell(self, text: str) -> None:
        if not console.is_terminal:
            console.print(f"{self._counts()}: {text}{self._left()}", soft_wrap=True)

    def _counts(self) -> str:
        schedule = self._schedule
        parts = [
            f"{schedule.num_done}/{len(schedule.jobs)} jobs done",
            f"{len(schedule.running)} running",
            f"{schedule.num_waiting} waiting",
            f"{len(schedule.failed)} failed" if schedule.failed else "",
        ]
        return ", ".join(filter(None, parts))

    def _left(self) -> str:
        """The remaining time, when a job of every network that is left has been measured."""
        seconds = 0.0
        for network, images in self._schedule.images_left.items():
            shown, spent = self._measured.get(network, (0, 0.0))
            if images and not shown:
                return ""
            seconds += images * spent / max(shown, 1)
        seconds /= max(len(self._schedule.running), 1)
        if not seconds:
            return ""
        return (
            f", about {seconds / 60:,.0f} min left" if seconds > 90 else f", {seconds:,.0f} s left"
        )

    def _render(self) -> Table:
        table = Table.grid(padding=(0, 2))
        schedule, rows = self._schedule, []
        now, shown = time.monotonic(), self._images
        for key, since in dict(schedule.running).items():
            holder = holder_of(schedule.run.job(key).claim)
            done, total = (holder.done, holder.total) if holder is not None else (0, 0)
            shown += done
            rate = f"{done / max(now - since, 1e-3):,.0f}/s" if done else ""
            bar = ProgressBar(max(total, 1), done, BAR)
            rows.append((key, bar, f"{done:,}/{total:,}", rate))
        overall = f"{shown / max(now - self._start, 1e-3):,.0f} img/s"
        bar = ProgressBar(len(schedule.jobs), schedule.num_done, BAR)
        table.add_row(self._counts(), bar, overall, self._left().lstrip(", "))
        for row in rows:
            table.add_row(*row)
        return table
