"""Worker processes: the same results as one after the other, shared runs, and no orphans."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from begun import open_run
from programs import Program, children
from small_grid import done, results, until

from dermaug.experiment.launchers.job import Outcome
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.launchers.launcher import Task
from dermaug.experiment.launchers.processes import Processes
from dermaug.experiment.launchers.stopping import Stop
from dermaug.experiment.run.claims import holder_of
from dermaug.experiment.run.layout import RunFolder
from dermaug.experiment.run.records import RunRecord
from dermaug.experiment_file import read_experiment
from dermaug.host import has_ended, this_host

Start = Callable[..., Program]


@pytest.fixture
def start(grid: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts `dermaug run` of the grid in the background."""
    started: list[Program] = []

    def begun(*words: str) -> Program:
        words = ("run", str(grid), "--output", str(tmp_path / "run"), "--device", "cpu", *words)
        started.append(Program(words, tmp_path))
        return started[-1]

    yield begun
    for program in started:
        program.end()


def test_processes_give_the_results_of_one_after_the_other_to_the_last_bit(
    grid: Path, serially: Path, tmp_path: Path
) -> None:
    folder = done(tmp_path / "run", read_experiment(grid), launcher="processes", jobs=2)
    assert len(results(serially)) > 10
    assert results(folder) == results(serially)
    assert not list(folder.rglob("claim.json"))
    assert not list(folder.rglob("resume*"))
    told = RunRecord.read(RunFolder(folder).record)
    assert told.networks == RunRecord.read(RunFolder(serially).record).networks
    assert {each.threads for each in told.networks.values()} == {1}


def test_a_worker_that_still_loads_is_not_waited_for(grid: Path, tmp_path: Path) -> None:
    run = open_run(tmp_path / "run", read_experiment(grid))
    with closing(Processes(Task(run, 1, Launch("cpu"), Stop()), 1)) as launcher:
        outcome = launcher.submit(run.jobs.in_order[0].key, None)
        launcher.stop()
        assert outcome.result() is Outcome.STOPPED
    assert not list(run.folder.rglob("claim.json"))
    assert not run.is_done(run.jobs.in_order[0].key)


def claimed(folder: Path) -> list[int]:
    """Process numbers of the holders of all claims of jobs."""
    holders = map(holder_of, folder.glob("*/**/claim.json"))
    return [holder.pid for holder in holders if holder is not None]


def done_here(told: str) -> set[str]:
    """Keys of the jobs that a process says it has done."""
    return {
        line.split(": ")[1].split(" done in")[0]
        for line in told.splitlines()
        if " done in " in line
    }


@pytest.mark.slow
def test_two_processes_share_a_run_and_one_survives_the_other(
    start: Start, serially: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    first = start("--launcher", "serial")
    until(lambda: list(folder.glob("classifiers/**/record.json")))
    until(lambda: is_stopped_at_work(first, folder))
    second = start("--launcher", "serial")
    until(lambda: second.pid in claimed(folder))
    first.send(signal.SIGKILL)
    codes, said = zip(*(program.ended() for program in (first, second)), strict=True)
    assert codes == (-signal.SIGKILL, 0), said[1]
    assert results(folder) == results(serially)
    assert len(done_here(said[0])) >= 2
    assert len(done_here(said[1])) >= 2
    assert done_here(said[0]).isdisjoint(done_here(said[1]))
    assert not list(folder.rglob("claim.json"))
    assert not list(folder.rglob(".partial-*"))


def is_stopped_at_work(program: Program, folder: Path) -> bool:
    """Stop a program and tell whether it holds a job; otherwise it goes on."""
    program.send(signal.SIGSTOP)
    if program.pid in claimed(folder):
        return True
    program.send(signal.SIGCONT)
    return False


def begun(folder: Path) -> list[Path]:
    """States of the trainings that are not finished."""
    return list(folder.glob("classifiers/**/resume.safetensors"))


@pytest.mark.slow
def test_signals_end_all_after_their_step_and_the_same_command_resumes(
    start: Start, grid: Path, serially: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    several = start("--jobs", "2")
    until(lambda: begun(folder))
    workers = children(several.pid)
    assert set(claimed(folder)) <= set(workers)
    seen = begun(folder)
    several.send_all(signal.SIGINT)  # Ctrl-C reaches the workers, too
    code, said = several.ended(120)
    assert code == 130, said
    assert "run again: " in said
    until(lambda: all(has_ended(this_host(), pid) for pid in workers), 30.0)
    assert not list(folder.rglob("claim.json"))
    assert all(state.exists() or state.with_name("record.json").exists() for state in seen)
    for asked_to in (signal.SIGTERM, signal.SIGUSR1):
        one = start("--launcher", "serial")
        until(lambda one=one: one.pid in claimed(folder))
        one.send(asked_to)
        code, said = one.ended(120)
        assert code == 143, said
        assert not list(folder.rglob("claim.json"))
    assert results(done(folder, read_experiment(grid))) == results(serially)


@pytest.mark.slow
def test_workers_end_with_a_parent_that_is_killed_and_jobs_with_a_worker(
    start: Start, grid: Path, serially: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    program = start("--jobs", "2")
    until(lambda: claimed(folder))
    os.kill(claimed(folder)[0], signal.SIGKILL)  # a worker: its job is begun again
    until(lambda: begun(folder))
    workers = children(program.pid)
    program.send(signal.SIGKILL)
    program.ended(60)
    until(lambda: all(has_ended(this_host(), pid) for pid in workers), 30.0)
    assert results(done(folder, read_experiment(grid))) == results(serially)
