"""Real signals to this process: the first is noted, and the handlers of before come back."""

import signal
from collections.abc import Iterator

import pytest

from dermaug.errors import Terminated
from dermaug.experiment.launchers.stopping import Stop, stoppable
from dermaug.signals import ENDING


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """The handlers of a program in a terminal, whatever started the tests: `nohup` ignores one."""
    before = {each: signal.getsignal(each) for each in ENDING}
    for each in ENDING:
        signal.signal(each, signal.SIG_DFL)
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.mark.parametrize(
    ("number", "end"),
    [
        (signal.SIGINT, KeyboardInterrupt),
        (signal.SIGTERM, Terminated),
        (signal.SIGHUP, Terminated),
        (signal.SIGUSR1, Terminated),
    ],
)
def test_a_signal_is_noted_and_ends_the_program_afterwards(
    number: int, end: type[BaseException]
) -> None:
    before = [signal.getsignal(each) for each in ENDING]
    stop, went_on = Stop(), False
    with stoppable(stop):
        signal.raise_signal(number)
        went_on = True
    assert went_on
    assert stop
    assert [signal.getsignal(each) for each in ENDING] == before
    with pytest.raises(end):
        stop.raise_again()


def test_nohup_is_minded() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stop = Stop()
    try:
        with stoppable(stop):
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert not stop


def test_without_a_signal_nothing_ends() -> None:
    stop = Stop()
    with stoppable(stop):
        pass
    assert not stop
    stop.raise_again()
