"""The display of a grid: what is done, what runs and how far, and what waits."""

import time
from pathlib import Path

import pytest
from begun import open_run
from rich.console import Console
from small_grid import written

from dermaug.console import console
from dermaug.experiment.launchers.display import Display
from dermaug.experiment.launchers.schedule import Schedule
from dermaug.experiment.run.claims import take
from dermaug.experiment_file import read_experiment


def test_running_jobs_show_the_progress_in_their_claims(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = open_run(tmp_path / "run", read_experiment(written(tmp_path)))
    schedule = Schedule(run, run.jobs.in_order)
    job = run.jobs.generators[0]
    schedule.begin(job.key)
    claim = take(run.job(job.key).claim)
    assert claim is not None
    claim.note(160, 320)
    claim.beat()
    terminal = Console(force_terminal=True, width=160, record=True)
    monkeypatch.setattr("dermaug.experiment.launchers.display.console", terminal)
    with Display(schedule):
        pass
    told = terminal.export_text()
    claim.release()
    assert "0/7 jobs done, 1 running, 6 waiting" in told
    assert job.key in told
    assert "160/320" in told
    assert not console.quiet


def test_log_names_the_first_jobs_and_is_never_silent_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = open_run(tmp_path / "run", read_experiment(written(tmp_path)))
    schedule = Schedule(run, run.jobs.in_order)
    first, second, third = run.jobs.in_order[:3]
    monkeypatch.setattr("dermaug.experiment.launchers.display.SILENCE", 0.04)
    with Display(schedule, 2) as display:
        for job in (first, second, third):
            schedule.begin(job.key)
            display.begun(job)
        claim = take(run.job(first.key).claim)
        assert claim is not None
        claim.note(80, 320)
        claim.beat()
        time.sleep(0.1)
    claim.release()
    told = capsys.readouterr().err.splitlines()
    assert [line.rpartition(": ")[2] for line in told[:2]] == [
        f"{first.key} begun",
        f"{second.key} begun",
    ]
    assert f"3 running, 4 waiting: {first.key} 25%; {second.key} begun" in "\n".join(told[2:])


def test_jobs_start_when_those_that_they_need_are_done(tmp_path: Path) -> None:
    run = open_run(tmp_path / "run", read_experiment(written(tmp_path)))
    schedule = Schedule(run, run.jobs.in_order)
    begun = []
    while (found := schedule.next()) is not None:
        schedule.begin(found[0].key)
        begun.append(found[0].key)
    assert begun[0] == run.jobs.generators[0].key
    assert {key.split("/")[1] for key in begun[1:]} == {"classic"}  # beside the generator
    first = run.jobs.in_order[0]
    schedule.end(first.key)
    schedule.fail(first.key, ValueError("diverged"))
    assert schedule.next() is None  # what needs it is not begun
    for key in begun[1:]:
        schedule.end(key)
        schedule.succeed(key)
    assert schedule.is_hopeless
    with pytest.raises(ValueError, match="diverged"):
        schedule.raise_failures()
