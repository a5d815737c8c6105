"""Standard output that cannot be written to, and questions that nobody answers."""

import codecs
import io
import sys
from contextlib import suppress
from typing import TextIO

import typer

from dermaug.errors import DermaugError

PLAINER = str.maketrans({"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "\N{MULTIPLICATION SIGN}": "x"})
"""Signs of numbers -> what stands for them in an encoding that lacks them, as Latin-1 and ASCII."""


def take_any_text() -> None:
    """Let the standard streams write what their encoding lacks (plainer, or as its code), and all.

    What cannot be written whole is an error.
    """
    codecs.register_error("plainer", _plainer)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="plainer")
    sys.stdout = _buffered(sys.stdout)


def _buffered(stream: TextIO) -> TextIO:
    """A stream that fails where a full disk takes only a part of a text.

    With PYTHONUNBUFFERED (`python -u`), Python's own one drops the rest in silence.
    """
    if not isinstance(stream, io.TextIOWrapper) or not isinstance(stream.buffer, io.RawIOBase):
        return stream
    encoding, errors = stream.encoding, stream.errors
    buffer = io.BufferedWriter(stream.detach())
    return io.TextIOWrapper(buffer, encoding=encoding, errors=errors, line_buffering=True)


def _plainer(error: UnicodeError) -> tuple[str | bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    lost = error.object[error.start : error.end].translate(PLAINER)
    return lost.encode("ascii", "backslashreplace").decode(), error.end


def drop_lost_output() -> None:
    """Drop what standard output cannot take, or Python would try once more at its end, and fail."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        with suppress(OSError):
            sys.stdout.close()


def confirmed(question: str) -> bool:
    """Whether the user says yes; `--yes` makes the question unnecessary.

    Raises:
        DermaugError: Standard input gives no answer.
    """
    try:
        return typer.confirm(question)
    except (typer.Abort, RuntimeError) as error:  # RuntimeError: Python has no standard input
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise DermaugError(
            f"{question} Expected an answer, found no standard input; add --yes"
        ) from None
