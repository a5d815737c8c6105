"""The error for users: it states what was expected, what was found and what to do."""

from collections.abc import Sequence


class DermaugError(Exception):
    """Bad input, configuration or data; the command line prints the message and exits with 2.

    Args:
        message: One line: what was expected, what was found, what to do.
        details: Further lines, one per finding (file, row or key), printed below the message.
    """

    def __init__(self, message: str, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.details = tuple(details)

    def __str__(self) -> str:
        return "\n".join((self.message, *(f"  {detail}" for detail in self.details)))

    def __reduce__(self) -> tuple[type, tuple[str, tuple[str, ...]]]:
        """Survive the way back from a worker process."""
        return type(self), (self.message, self.details)


class Terminated(BaseException):
    """The system asked the program to end by a signal; like `KeyboardInterrupt`, it is no error."""


class StoppedEarly(BaseException):
    """Ends a training after its present step, because the program was asked to stop.

    Args:
        signal: Number of the signal, if another process of the training was asked.
    """

    def __init__(self, signal: int = 0) -> None:
        super().__init__(signal)
        self.signal = signal
