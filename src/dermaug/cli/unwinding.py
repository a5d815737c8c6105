"""A command that is told to end removes what is half-written first."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from dermaug.errors import Terminated

UNWINDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""Signals at which a command removes what is half-written, and ends."""
HAS_TIMER = hasattr(signal, "setitimer")
AGAIN = 0.5
"""Seconds after which a signal that was swallowed is raised again."""


class _Interrupt:
    """What a signal raises: once, and again where a library swallowed it."""

    def __init__(self) -> None:
        self.raised: BaseException | None = None

    def at_signal(self, number: int, _frame: FrameType | None) -> None:
        """Raise what stands for a signal."""
        self.raised = KeyboardInterrupt() if number == signal.SIGINT else Terminated()
        _set_timer(AGAIN)
        raise self.raised

    def again(self, _number: int, _frame: FrameType | None) -> None:
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
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals
        return
    interrupt = _Interrupt()
    heard = [each for each in UNWINDING if signal.getsignal(each) != signal.SIG_IGN]
    before = {each: signal.signal(each, interrupt.at_signal) for each in heard}
    if HAS_TIMER:
        before[signal.SIGALRM] = signal.signal(signal.SIGALRM, interrupt.again)
    try:
        yield
    except Exception:
        if interrupt.raised is not None:
            raise interrupt.raised from None
        raise
    finally:
        _set_timer(0.0)
        for each, handler in before.items():
            signal.signal(each, handler)


def _set_timer(seconds: float) -> None:
    if HAS_TIMER:
        signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
