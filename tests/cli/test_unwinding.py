"""A signal ends a command, once, whatever its libraries do."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from dermaug.cli.unwinding import unwound_at_signals
from dermaug.errors import Terminated

SIGNALS = [
    (signal.SIGTERM, Terminated),
    (signal.SIGUSR1, Terminated),
    (signal.SIGINT, KeyboardInterrupt),
]


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """No signal is ignored, as SIGINT is where a shell starts the tests in the background."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number, _ in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def ended_by(command: Callable[[], None]) -> BaseException | None:
    try:
        with unwound_at_signals():
            command()
    except BaseException as error:
        return error
    return None


@pytest.mark.parametrize(("number", "expected"), SIGNALS)
def test_a_signal_that_a_library_swallows_is_raised_again(
    number: int, expected: type[BaseException]
) -> None:
    def command() -> None:
        with contextlib.suppress(BaseException):
            os.kill(os.getpid(), number)
        for _ in range(200):
            time.sleep(0.05)

    assert type(ended_by(command)) is expected


def test_a_command_that_is_being_unwound_is_left_alone() -> None:
    steps = []

    def command() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            for step in range(30):
                time.sleep(0.05)
                steps.append(step)

    assert type(ended_by(command)) is Terminated
    assert len(steps) == 30


def test_nothing_is_raised_after_the_command() -> None:
    ended_by(lambda: os.kill(os.getpid(), signal.SIGTERM))
    time.sleep(0.7)
    assert ended_by(lambda: None) is None
