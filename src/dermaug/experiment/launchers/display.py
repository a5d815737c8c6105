"""Progress of a whole grid of jobs: one display on a terminal, a line per job elsewhere."""

import threading
import time
from typing import Self

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from dermaug.console import console, tell
from dermaug.experiment.launchers.duration import JOB_SECONDS, makespan
from dermaug.experiment.launchers.schedule import Schedule
from dermaug.experiment.plan.jobs import GeneratorJob, Job
from dermaug.experiment.run.claims import holder_of
from dermaug.experiment.run.records import GeneratorRecord, TrialRecord

BAR = 28
"""Columns of a bar."""
MOST_TOLD = 4
"""Running jobs that a line names."""
SILENCE = 60.0
"""Seconds after which a log gets a line even if no job has begun or ended."""


class Display:
    """Jobs done, running and waiting, with rate and remaining time.

    Args:
        at_once: Number of jobs at the same time here; 0 if other machines do all.
    """

    def __init__(self, schedule: Schedule, at_once: int = 1) -> None:
        self._schedule, self._at_once, self._start = schedule, at_once, time.monotonic()
        self._images, self._begun, self._waits = 0, 0, False
        self._stops = False
        self._measured: dict[str, tuple[int, float]] = {}
        self._told, self._ended = self._start, threading.Event()
        self._live = Live(
            get_renderable=self._render, console=console, refresh_per_second=2, transient=True
        )

    def __enter__(self) -> Self:
        if console.is_terminal:
            self._live.start()
        else:
            threading.Thread(target=self._break_silence, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if console.is_terminal:
            self._live.stop()

    def begun(self, job: Job) -> None:
        """A job was begun here; the first ones are told, later ones follow those that end."""
        self._begun += 1
        if self._begun <= self._at_once:
            self.tell(f"{job.key} begun")

    def done(self, job: Job, seconds: float) -> None:
        """A job was done here."""
        self._images += job.images
        rate = ""
        if job.images and (trained := self._trained(job)):  # without the start of a worker
            images, before = self._measured.get(job.network, (0, 0.0))
            self._measured[job.network] = (images + job.images, before + trained)
            rate = f", {job.images / trained:,.0f} img/s"
        self.tell(f"{job.key} done in {seconds:,.0f} s{rate}")

    def wait(self) -> None:
        """Nothing is left to begin here; tell it once."""
        if not self._waits:
            self._waits = True
            console.print("other processes do the jobs that are left; waiting for them")

    def stopping(self, running: int) -> None:
        """The run was asked to stop while some jobs are running here; tell it once."""
        if running and not self._stops:
            self._stops = True
            what = "1 job" if running == 1 else f"{running} jobs"
            console.print(f"stopping: waiting until {what} finished a step and saved it")

    def _trained(self, job: Job) -> float:
        """Seconds of the training of a job that is done."""
        path = self._schedule.run.job(job.key).record
        if isinstance(job, GeneratorJob):
            return GeneratorRecord.read(path).seconds
        training = TrialRecord.read(path).training
        return training.seconds if training is not None else 0.0

    def tell(self, text: str) -> None:
        """Say what happened, with all counts, in a line of a log; a terminal shows the counts."""
        if not console.is_terminal:
            self._told = time.monotonic()
            tell(f"{self._counts()}: {text}{self._left()}")

    def _break_silence(self) -> None:
        """Tell how far the running jobs are, whenever nothing was told for long."""
        while not self._ended.wait(min(SILENCE / 4, 1.0)):
            if time.monotonic() - self._told >= SILENCE:
                running = [
                    f"{key} {share:.0%}" if (share := self._share(key)) else f"{key} begun"
                    for key in dict(self._schedule.running)
                ]
                self.tell("; ".join(running[:MOST_TOLD]) or "waiting")

    def _share(self, key: str) -> float:
        """How far a job is, from 0 to 1, as its claim says."""
        holder = holder_of(self._schedule.run.job(key).claim)
        return holder.done / max(holder.total, 1) if holder is not None else 0.0

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
        seconds, unfinished = dict[str, float](), self._schedule.unfinished
        for key, job in unfinished.items():
            shown, spent = self._measured.get(job.network, (0, 0.0))
            if job.images and not shown:
                return ""
            whole = JOB_SECONDS + job.images * spent / max(shown, 1)
            seconds[key] = whole * (1.0 - self._share(key))
        if not seconds or not self._at_once:
            return ""
        left = makespan(list(unfinished.values()), seconds, self._at_once)
        return f", about {left / 60:,.0f} min left" if left > 90 else f", {left:,.0f} s left"

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
