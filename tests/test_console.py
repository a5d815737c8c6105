"""What a log shows of a work that goes on: counts always, a rate once there is one."""

import pytest

from dermaug.console import MEASURED_AFTER, console, counting_bar, progress_bar


class Clock:
    """A clock that stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("dermaug.console.time", clock)
    return clock


def test_rate_appears_once_it_is_measured(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("work", 1_000) as advance:
        clock.now += MEASURED_AFTER / 2
        advance(500)
        first = capsys.readouterr().err
        clock.now += 2 - MEASURED_AFTER / 2
        advance(300, "nearly done")
    assert first == "work: 500/1,000 img\n"
    second = capsys.readouterr().err
    assert second == "work: 800/1,000 img, 400 img/s, 0 s left, nearly done\n"


def test_work_before_the_first_count_is_part_of_the_rate(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with counting_bar("decoding") as progress:
        clock.now += 5
        progress(1_000, 2_000)
    assert capsys.readouterr().err == "decoding: 1,000/2,000 img, 200 img/s, 5 s left\n"


def test_work_that_begins_again_counts_from_nothing(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with counting_bar("checking") as progress:
        for total in (16, 300):
            clock.now += 2
            progress(total, total)
    assert capsys.readouterr().err == (
        "checking: 16/16 img, 8 img/s, 0 s left\nchecking: 300/300 img\n"
    )


def test_what_was_done_before_a_resume_is_not_part_of_the_rate(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress_bar("work", 100_000, done=90_000) as advance:
        clock.now += 2
        advance(10_000)
    assert capsys.readouterr().err == "work: 100,000/100,000 img, 5,000 img/s, 0 s left\n"


def test_names_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    console.print("runs/x:100:y [bold]nv[/bold]", soft_wrap=True)
    assert capsys.readouterr().err == "runs/x:100:y [bold]nv[/bold]\n"
