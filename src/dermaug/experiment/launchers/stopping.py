"""Stop at a signal: finish the step, save, and tell how to resume; the second one ends at once."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from dermaug.console import console
from dermaug.errors import Terminated

SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")
    if hasattr(signal, name)
)
"""Ctrl-C; the system's request to end; the terminal was closed; what clusters send a while before a
job's time is over."""


class Stop:
    """Whether this process was asked to stop."""

    number = 0
    """The signal; 0 until there is one."""

    def __bool__(self) -> bool:
        return self.number != 0

    def raise_again(self) -> None:
        """End the program as the signal would have done.

        Raises:
            KeyboardInterrupt: After Ctrl-C.
            Terminated: After another signal.
        """
        if self.number == signal.SIGINT:
            raise KeyboardInterrupt
        if self.number:
            raise Terminated


def heard() -> list[signal.Signals]:
    """Those of `SIGNALS` at which this process stops: not SIGHUP if it is run by nohup."""
    hangup = getattr(signal, "SIGHUP", None)
    keeps_on = hangup is not None and signal.getsignal(hangup) == signal.SIG_IGN
    return [each for each in SIGNALS if not (keeps_on and each == hangup)]


@contextmanager
def stoppable(stop: Stop) -> Iterator[None]:
    """Note the first signal inside the block instead of ending, and end at once at a second."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals
        return

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop:
            console.show_cursor()
            os._exit(128 + number)
        stop.number = number

    before = {number: signal.signal(number, handle) for number in heard()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
