"""Claims: one holder at a time, taken over from the dead, never from the living."""

import os
import time
from pathlib import Path

import pytest

from dermaug.experiment.run.claims import Holder, LostClaim, Watch, alone, holder_of, take
from dermaug.host import this_host


def foreign(path: Path, pid: int = 1, host: str = "elsewhere.12345678") -> bytes:
    """A claim of another process."""
    content = Holder(token="theirs", host=host, pid=pid).content
    path.write_bytes(content)
    return content


class Clock:
    """A clock that stands still until it is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_only_one_of_two_gets_a_claim_and_the_next_after_its_release(tmp_path: Path) -> None:
    path = tmp_path / "job" / "claim.json"
    first = take(path)
    assert first is not None
    assert take(path) is None
    holder = holder_of(path)
    assert holder is not None
    assert (holder.host, holder.pid) == (this_host(), os.getpid())
    with first.held():
        pass
    assert not path.exists()
    assert take(path) is not None


def test_a_claim_is_stale_when_it_stays_the_same_for_long_on_the_observer_s_clock(
    tmp_path: Path,
) -> None:
    path, clock = tmp_path / "claim.json", Clock()
    content, watch = foreign(path), Watch(patience=40.0, clock=clock)
    assert watch.stale(path) is None
    clock.now = 39.0
    assert watch.stale(path) is None
    holder = Holder.parsed(content)
    assert holder is not None
    path.write_bytes(holder.model_copy(update={"beat": 1}).content)
    clock.now = 70.0
    assert watch.stale(path) is None  # it has changed since
    clock.now = 111.0
    assert watch.stale(path) is not None


def test_claim_of_a_dead_process_of_this_machine_is_stale_at_once(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    path = tmp_path / "claim.json"
    content = foreign(path, child, this_host())
    assert Watch().stale(path) == content
    foreign(path, os.getpid(), this_host())
    assert Watch().stale(path) is None


def test_who_lost_a_claim_neither_publishes_nor_disturbs_the_new_holder(tmp_path: Path) -> None:
    path = tmp_path / "claim.json"
    first = take(path)
    assert first is not None
    second = take(path, path.read_bytes())
    assert second is not None
    before = path.read_bytes()
    with pytest.raises(LostClaim):
        first.require()
    assert first.is_lost
    assert path.read_bytes() == before
    first.release()
    assert path.read_bytes() == before
    second.require()
    second.release()
    assert list(tmp_path.iterdir()) == []


def test_a_claim_that_has_changed_since_it_was_seen_is_not_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "claim.json"
    claim = take(path)
    assert claim is not None
    seen = path.read_bytes()
    claim.beat()
    assert take(path, seen) is None
    claim.require()
    claim.release()


def test_a_claim_killed_while_it_was_created_becomes_stale(tmp_path: Path) -> None:
    path, clock = tmp_path / "claim.json", Clock()
    path.touch()
    watch = Watch(patience=40.0, clock=clock)
    assert watch.stale(path) is None
    clock.now = 41.0
    stale = watch.stale(path)
    assert stale == b""
    assert take(path, stale) is not None


def test_one_after_the_other_is_alone(tmp_path: Path) -> None:
    path = tmp_path / "claim.json"
    child = os.fork()
    if child == 0:
        with alone(path):
            time.sleep(0.5)
            (tmp_path / "left").touch()
        os._exit(0)
    while not path.exists():
        time.sleep(0.01)
    with alone(path):
        assert (tmp_path / "left").exists()
    os.waitpid(child, 0)
    assert not path.exists()
