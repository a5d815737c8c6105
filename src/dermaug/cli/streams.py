"""Standard output that cannot be written to, and questions that nobody answers."""

import sys
from contextlib import suppress

import typer

from dermaug.errors import DermaugError


def drop_lost_output() -> None:
    """Drop what standard output cannot take, or Python would try once more at its end, and fail."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        with suppress(OSError):
            sys.stdout.close()


def confirmed(question: str, otherwise: str) -> bool:
    """Whether the user says yes.

    Args:
        question: What to ask.
        otherwise: The option that makes the question unnecessary.

    Raises:
        DermaugError: Standard input gives no answer.
    """
    try:
        return typer.confirm(question)
    except (typer.Abort, RuntimeError) as error:  # RuntimeError: Python has no standard input
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise DermaugError(
            f"{question} Expected an answer, found no standard input; add {otherwise}"
        ) from None
