"""Worker processes: the same results as one after the other, shared runs, and no orphans."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from small_grid import done, results, until, written

from dermaug.experiment.launchers.launch_options import SERIAL, Launch
from dermaug.experiment.run.claims import holder_of
from dermaug.experiment.run.layout import RunFolder
from dermaug.experiment.run.records import RunRecord
from dermaug.experiment_file import read_experiment
from dermaug.host import has_ended, this_host

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("asked"))


@pytest.fixture(scope="module")
def serially(asked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return done(tmp_path_factory.mktemp("runs") / "serially", read_experiment(asked), SERIAL)


@pytest.fixture
def start(asked: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts `dermaug run` of the grid in the background."""
    started: list[subprocess.Popen[str]] = []

    def begun(*words: str) -> "subprocess.Popen[str]":
        options = ["--output", str(tmp_path / "run"), "--device", "cpu", *words]
        program = [sys.executable, "-c", "from dermaug.cli import main; main()", "run", str(asked)]
        started.append(subprocess.Popen([*program, *options], stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield begun
    for process in started:
        process.kill()
        process.communicate()


def children(pid: int) -> list[int]:
    """Processes whose parent is a process."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if words[0] not in "ZX" and int(words[1]) == pid:
            found.append(int(status.parent.name))
    return found


def test_processes_give_the_results_of_one_after_the_other_to_the_last_bit(
    asked: Path, serially: Path, tmp_path: Path
) -> None:
    folder = done(tmp_path / "run", read_experiment(asked), Launch("processes", 2))
    assert len(results(serially)) > 10
    assert results(folder) == results(serially)
    assert not list(folder.rglob("claim.json"))
    assert not list(folder.rglob("resume*"))
    told = RunRecord.read(RunFolder(folder).record)
    assert told.networks == RunRecord.read(RunFolder(serially).record).networks
    assert {each.threads for each in told.networks.values()} == {1}


def claimed(folder: Path) -> list[int]:
    """Process numbers of the holders of all claims of jobs."""
    holders = map(holder_of, folder.glob("*/**/claim.json"))
    return [holder.pid for holder in holders if holder is not None]


def done_here(told: str) -> set[str]:
    """Keys of the jobs that a process says it has done."""
    return {
        line.split(": ")[1].split(" done in")[0] for line in told.splitlines() if " in " in line
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
    first.kill()
    said = [process.communicate(timeout=300)[1] for process in (first, second)]
    assert (first.returncode, second.returncode) == (-signal.SIGKILL, 0), said[1]
    assert results(folder) == results(serially)
    assert len(done_here(said[0])) >= 2
    assert len(done_here(said[1])) >= 2
    assert done_here(said[0]).isdisjoint(done_here(said[1]))
    assert not list(folder.rglob("claim.json"))
    assert not list(folder.rglob(".partial-*"))


def is_stopped_at_work(process: "subprocess.Popen[str]", folder: Path) -> bool:
    """Stop a process and tell whether it holds a job; otherwise it goes on."""
    process.send_signal(signal.SIGSTOP)
    if process.pid in claimed(folder):
        return True
    process.send_signal(signal.SIGCONT)
    return False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"]
)
def test_a_signal_ends_all_after_their_step_and_the_same_command_resumes(
    start: Start, serially: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    folder = tmp_path / "run"
    process = start("--jobs", "2")
    until(lambda: len(list(folder.glob("classifiers/**/resume.safetensors"))) >= 1)
    workers = children(process.pid)
    assert set(claimed(folder)) <= set(workers)
    process.send_signal(number)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == code, said
    assert "run again: " in said
    until(lambda: all(has_ended(this_host(), pid) for pid in workers), 30.0)
    assert not list(folder.rglob("claim.json"))
    again = start("--launcher", "serial")
    assert again.communicate(timeout=300)[1]
    assert again.returncode == 0
    assert results(folder) == results(serially)


@pytest.mark.slow
def test_workers_end_with_a_parent_that_is_killed_and_jobs_with_a_worker(
    start: Start, serially: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    process = start("--jobs", "2")
    until(lambda: claimed(folder))
    os.kill(claimed(folder)[0], signal.SIGKILL)  # a worker: its job is begun again
    until(lambda: len(list(folder.glob("classifiers/**/resume.safetensors"))) >= 1)
    workers = children(process.pid)
    process.kill()
    process.communicate(timeout=60)
    until(lambda: all(has_ended(this_host(), pid) for pid in workers), 30.0)
    again = start("--launcher", "serial")
    assert again.communicate(timeout=300)[1]
    assert again.returncode == 0
    assert results(folder) == results(serially)
