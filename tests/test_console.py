"""What a log shows of a work that goes on: counts always, a rate once there is one."""

import re
import time

import pytest

from dermaug.console import counting_bar, progress_bar


def rates(told: str) -> list[int]:
    return [int(number.replace(",", "")) for number in re.findall(r"([\d,]+) img/s", told)]


def test_rate_appears_once_it_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("work", 1_000) as advance:
        advance(500)
        first = capsys.readouterr().err
        time.sleep(0.2)
        advance(500, "all done")
    second = capsys.readouterr().err
    assert first == "work: 500/1,000 img\n"
    assert second.endswith(" s left, all done\n")
    (rate,) = rates(second)
    assert 0 < rate <= 5_000  # 1,000 in not less than 0.2 s


def test_work_before_the_first_count_is_part_of_the_rate(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with counting_bar("decoding") as progress:
        time.sleep(0.2)
        progress(1_000, 1_000)
    (rate,) = rates(capsys.readouterr().err)
    assert 0 < rate <= 5_000


def test_what_was_done_before_a_resume_is_not_part_of_the_rate(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress_bar("work", 100_000, done=90_000) as advance:
        time.sleep(0.2)
        advance(10_000)
    told = capsys.readouterr().err
    assert "100,000/100,000" in told
    assert rates(told)[0] <= 50_000
