"""Threads and processes give the same results in the same order."""

import signal
from functools import partial

import pytest

from dermaug.data import parallel
from dermaug.data.parallel import in_parallel
from dermaug.data.workers import signature_or_reason
from dermaug.errors import DermaugError


@pytest.mark.parametrize("workers", [1, 2, None])
@pytest.mark.parametrize("number", [0, 1, 63, 64, 65, 700])
def test_threads_keep_the_order_and_report_progress(workers: int | None, number: int) -> None:
    calls: list[tuple[int, int]] = []
    results = in_parallel(
        str, range(number), workers=workers, progress=lambda *counts: calls.append(counts)
    )
    assert list(results) == [str(item) for item in range(number)]
    assert [total for _, total in calls] == [number] * len(calls)
    assert not number or calls[-1] == (number, number)


def test_processes_agree_with_threads_and_a_killed_one_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = [("text", __file__)] * 200 + [("lost", "/absent")]
    expected = list(in_parallel(partial(signature_or_reason, max_pixels=10**6), files, workers=2))
    monkeypatch.setattr(parallel, "WORTH_PROCESSES", 1)
    again = list(in_parallel(partial(signature_or_reason, max_pixels=10**6), files, workers=2))
    assert list(map(str, again)) == list(map(str, expected))
    assert str(expected[-1]) == "/absent: missing"
    with pytest.raises(DermaugError, match="a worker process was killed"):
        list(in_parallel(signal.raise_signal, [signal.SIGKILL] * 200, workers=2))
