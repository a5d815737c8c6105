"""Signals that ask a program to end, and what is done at them."""

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from dermaug.errors import Terminated


def existing(*names: str) -> tuple[signal.Signals, ...]:
    """Those of some signals that this system has."""
    return tuple(getattr(signal, name) for name in names if hasattr(signal, name))


ENDING = existing("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")
"""Ctrl-C; the system's request to end; the terminal was closed; what clusters
send a while before the time of a job is over."""


@contextmanager
def handled(numbers: Iterable[int], handle: Callable[[int], None]) -> Iterator[None]:
    """Call a function with the number of a signal inside the block, instead of ending."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals
        return
    before = {each: signal.signal(each, lambda number, _: handle(number)) for each in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_at(number: int) -> BaseException:
    """What ends the program, when it is raised, as a signal would have done."""
    return KeyboardInterrupt() if number == signal.SIGINT else Terminated()
