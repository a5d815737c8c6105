"""The last checkpoint of a training and the one before: one of them is always whole."""

from pathlib import Path
from typing import Any

import pytest
import torch

from dermaug.errors import DermaugError, StoppedEarly
from dermaug.training.checkpoint import load_checkpoint
from dermaug.training.resume import BEFORE, LAST, forget, keep, resume, saved_when_stopped


class Counted:
    """A training that knows its step."""

    seconds = 0.0

    def __init__(self, step: int = 0) -> None:
        self.step = step

    def state_dict(self) -> dict[str, Any]:
        return {"step": self.step, "weights": torch.full((50,), float(self.step))}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        assert (state["weights"] == state["step"]).all()
        self.step = state["step"]


def test_the_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    keep(tmp_path, Counted(3), "run/a")
    with pytest.raises(DermaugError, match=f"{LAST}: expected the checkpoint of this training"):
        resume(tmp_path, Counted(), "run/b")
    state = Counted()
    assert resume(tmp_path, state, "run/a")
    assert state.step == 3


def flipped(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


DAMAGE = {
    "zero byte": lambda path: path.write_bytes(b""),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-20]),
    "flipped weight": lambda path: flipped(path, -7),
    "flipped header": lambda path: flipped(path, 150),
    "another file": lambda path: path.write_text("<html>"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damage_falls_back_to_the_checkpoint_before_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: Any
) -> None:
    for step in (3, 6):
        keep(tmp_path, Counted(step))
    damage(tmp_path / LAST)
    state = Counted()
    assert resume(tmp_path, state)
    assert state.step == 3
    told = " ".join(capsys.readouterr().err.split())
    assert str(tmp_path / LAST).replace(" ", "") in told.replace(" ", "")
    assert "Resuming from the checkpoint before" in told

    keep(tmp_path, Counted(6))  # the damaged one does not take the place of the whole one
    assert [load_checkpoint(tmp_path / name)["step"] for name in (LAST, BEFORE)] == [6, 3]


def test_a_kill_between_the_two_renames_loses_nothing(tmp_path: Path) -> None:
    keep(tmp_path, Counted(3))
    (tmp_path / LAST).replace(tmp_path / BEFORE)
    state = Counted()
    assert resume(tmp_path, state)
    assert state.step == 3


def test_two_damaged_checkpoints_are_refused(tmp_path: Path) -> None:
    for step in (3, 6):
        keep(tmp_path, Counted(step))
    for name in (LAST, BEFORE):
        flipped(tmp_path / name, -7)
    with pytest.raises(DermaugError, match="no checkpoint before it is whole; delete the folder"):
        resume(tmp_path, Counted())


def test_nothing_to_resume_from_is_no_fault_and_results_leave_nothing(tmp_path: Path) -> None:
    assert not resume(tmp_path, Counted())
    for step in (1, 2):
        keep(tmp_path, Counted(step))
    forget(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_training_that_is_stopped_is_kept_at_its_step(tmp_path: Path) -> None:
    state = Counted(4)

    def work() -> None:
        with saved_when_stopped(tmp_path, state, 0.0):
            state.step = 5
            raise StoppedEarly

    with pytest.raises(StoppedEarly):
        work()
    assert load_checkpoint(tmp_path / LAST)["step"] == 5
