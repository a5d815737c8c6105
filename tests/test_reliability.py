"""A few of the kills and the damaged files that `python -m reliability` makes by the hundred."""

from pathlib import Path

import pytest
from reliability import bad_input, command_line, kills, soak


def test_killed_trainings_end_as_if_they_had_not_been(tmp_path: Path) -> None:
    there = kills.subjects(tmp_path)
    some = {name: there[name] for name in ("classifier (best)", "dcgan")}
    count = kills.kill_again_and_again(some, 4, 1, tmp_path, 10.0)
    assert count.faults == []
    assert count.kills >= 4


def test_damaged_files_of_others_are_refused_or_read(tmp_path: Path) -> None:
    count = bad_input.try_kinds(bad_input.foreign_kinds(tmp_path), 200, 1, tmp_path, 10.0)
    assert count.faults == []
    assert count.refused >= 200
    assert count.slow == 0


@pytest.mark.slow
def test_damaged_files_of_every_kind_are_refused_or_read(tmp_path: Path) -> None:
    count = bad_input.try_all(150, 2, tmp_path, 10.0)
    assert count.faults == []


@pytest.mark.slow
def test_commands_refuse_damaged_files(tmp_path: Path) -> None:
    count = command_line.try_all(4, 2, tmp_path, 10.0)
    assert count.faults == []


@pytest.mark.slow
def test_random_runs_survive_random_kills(tmp_path: Path) -> None:
    count = soak.soak(1, 2, tmp_path, 10.0)
    assert count.faults == []
