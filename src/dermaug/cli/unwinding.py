"""A command that is told to end removes what is half-written first."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from dermaug.signals import ENDING, end_at, existing, handled

HAS_TIMER = hasattr(signal, "setitimer")
AGAIN = 0.5
"""Seconds after which a signal that was swallowed is raised again."""


class _Interrupt:
    """What a signal raises: once, and again where a library swallowed it."""

    def __init__(self) -> None:
        self.raised: BaseException | None = None

    def at_signal(self, number: int) -> None:
        """Raise what stands for a signal."""
        self.raised = end_at(number)
        _set_timer(AGAIN)
        raise self.raised

    def again(self, _number: int) -> None:
        """Raise it once more, unless the program is being unwound by it."""
        found = sys.exception()
        while found is not None and found is not self.raised:
            found = found.__context__
        if found is None and self.raised is not None:
            raise self.raised


@contextmanager
def unwound_at_signals() -> Iterator[None]:
    """Raise at Ctrl-C, SIGTERM and SIGHUP, so that what is half-written is removed.

    A library that is interrupted while it is loaded may swallow the signal. If it fails by that,
    what is raised afterwards counts as the interrupt; if it goes on, it is interrupted again.
    """
    interrupt = _Interrupt()
    heard = [each for each in ENDING if signal.getsignal(each) != signal.SIG_IGN]
    with handled(heard, interrupt.at_signal), handled(existing("SIGALRM"), interrupt.again):
        try:
            yield
        except Exception:
            if interrupt.raised is not None:
                raise interrupt.raised from None
            raise
        finally:
            if interrupt.raised is not None:
                _set_timer(0.0)


def _set_timer(seconds: float) -> None:
    if HAS_TIMER:
        signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
