"""Stop at a signal: finish the step, save, and tell how to resume; the second one ends at once."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from dermaug.console import console
from dermaug.signals import ENDING, end_at, handled


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
        if self.number:
            raise end_at(self.number)


def heard() -> list[signal.Signals]:
    """Those of `ENDING` at which this process stops: not SIGHUP if it is run by nohup."""
    hangup = getattr(signal, "SIGHUP", None)
    keeps_on = hangup is not None and signal.getsignal(hangup) == signal.SIG_IGN
    return [each for each in ENDING if not (keeps_on and each == hangup)]


@contextmanager
def stoppable(stop: Stop) -> Iterator[None]:
    """Note the first signal inside the block instead of ending, and end at once at a second."""

    def handle(number: int) -> None:
        if stop:
            console.show_cursor()
            os._exit(128 + number)
        stop.number = number

    with handled(heard(), handle):
        yield
