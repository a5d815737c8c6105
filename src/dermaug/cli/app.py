"""All commands, and the one place where errors become messages and exit codes.

Exit codes: 0, 2 for usage, configuration and data, 130 for Ctrl-C, 143 for SIGTERM and SIGHUP.
"""

import errno
import json
import os
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise, takewhile
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from dermaug.cli.streams import drop_lost_output
from dermaug.cli.unwinding import unwound_at_signals
from dermaug.console import console, is_utf8, tell
from dermaug.disk import FULL
from dermaug.errors import DermaugError, Terminated

USAGE_ERROR = 2
INTERRUPTED, TERMINATED = 130, 143
JSON_OPTION = "--json"
LIMITS = {
    errno.EMFILE: "too many open files for the limit of this system; raise it (`ulimit -n`), or "
    "take fewer --jobs at once",
    errno.EFBIG: "a file that was being written became larger than this system allows; raise the "
    "limit (`ulimit -f`), or choose a place on another file system",
}
"""Errors of limits that the path of a file does not explain."""
RESUMING = ("run", "train")
"""Commands that keep what is finished, and go on from it."""
NO_MEMORY = ("allocate memory", "out of memory", "bad_alloc", "failed to map segment")
"""What libraries say, in lower case, when memory does not suffice."""


def command_line() -> str:
    """The command line of the user, ready to be pasted."""
    return shlex.join(["dermaug", *sys.argv[1:]])


class GuardedGroup(TyperGroup):
    """Converts the errors of dermaug into a message and an exit code."""

    def make_context(self, *args: Any, **extra: Any) -> Any:  # noqa: ANN401
        """Read the options of the program; `--help` and `--version` print here already."""
        try:
            return super().make_context(*args, **extra)
        except OSError as error:
            if (told := _of_the_system(error)) is None:
                raise
            _tell(told, as_json=False)
            raise typer.Exit(USAGE_ERROR) from None

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401
        """Run the command."""
        words = [*getattr(ctx, "_protected_args", ()), *ctx.args]
        as_json = JSON_OPTION in words
        try:
            _refuse_empty(words)
            _refuse_other_bytes(words)
            _refuse_repeated(self, words)
            with unwound_at_signals():
                return super().invoke(ctx)
        except DermaugError as error:
            if ctx.params.get("debug"):
                raise
            _tell(error, as_json=as_json)
            raise typer.Exit(USAGE_ERROR) from None
        except (KeyboardInterrupt, Terminated) as error:
            with suppress(OSError):  # a terminal that was closed
                _say(f"interrupted; {_goes_on(words)}: {command_line()}")
            code = TERMINATED if isinstance(error, Terminated) else INTERRUPTED
            raise typer.Exit(code) from None
        except (OSError, MemoryError, RuntimeError, ImportError, UnicodeEncodeError) as error:
            told = _of_the_system(error)
            if told is None or ctx.params.get("debug"):
                raise
            _tell(told, as_json=as_json)
            raise typer.Exit(USAGE_ERROR) from None


def _refuse_empty(words: Sequence[str]) -> None:
    """Raise if a value is empty: of a path this would be the current folder, of a name none."""
    for before, word in pairwise(["dermaug", *words]):
        option = word.removesuffix("=") if word.startswith("--") else ""
        if word.strip() and option in ("", word):
            continue
        place = option or (before if before.startswith("-") else f"the word after {before!r}")
        raise DermaugError(
            f"{place}: expected a value, found an empty one; if it is a variable of your shell, it "
            "is not set; leave it out if you mean the default"
        )


def _refuse_other_bytes(words: Sequence[str]) -> None:
    """Raise if a word, or a folder that it stands for, has bytes that are not UTF-8.

    A file may have such a name: it can be predicted.
    """
    for word in words:
        path = os.path.realpath(word.replace("\0", ""))
        meant = [os.path.dirname(path)] if os.path.isfile(path) else [word, path]  # noqa: PTH113, PTH120
        for text in meant:
            if not is_utf8(text):
                raise DermaugError(
                    f"{text}: expected text and paths in UTF-8, found other bytes, as in names "
                    "from an old archive; rename the folder, for example with convmv"
                )


def _refuse_repeated(group: Any, words: Sequence[str]) -> None:  # noqa: ANN401
    """Raise if only the last of several values would count: of an option, or of a key of one."""
    command, given = group, list(takewhile(lambda word: word != "--", words))
    for word in given:
        command = getattr(command, "commands", {}).get(word, command)
    for option in command.params:
        if option.param_type_name != "option" or option.is_flag:
            continue
        values = _values(option.opts, given)
        if not option.multiple and len(values) > 1:
            raise DermaugError(
                f"{option.opts[0]} is given {len(values)} times, and takes one value; give it once"
            )
        keys = Counter(text.partition("=")[0].strip() for text in values)
        twice = [key for key, number in keys.items() if number > 1]
        if twice and "=" in (option.metavar or ""):
            raise DermaugError(
                f"{option.opts[0]} {twice[0]} is given {keys[twice[0]]} times, and only the last "
                "would count; give it once"
            )


def _values(names: Sequence[str], words: Sequence[str]) -> list[str]:
    """The values of an option of these names: `--set X`, `--set=X`, `-o X` or `-oX`."""
    values = [after for word, after in pairwise([*words, ""]) if word in names]
    for word in words:
        name, equals, text = word.partition("=")
        if word.startswith("--"):
            values += [text] if equals and name in names else []
        elif len(word) > len("-o") and word[: len("-o")] in names:
            values.append(word[len("-o") :])
    return values


def _goes_on(words: Sequence[str]) -> str:
    """What the same command does when it is run again."""
    if words[:1] and words[0] in RESUMING:
        return "what is finished is kept; to resume, run again"
    return "nothing is left half-written; to begin again, run"


def _tell(error: DermaugError, *, as_json: bool) -> None:
    """Print an error to standard error, and with `--json` as one document to standard output."""
    if as_json:
        with suppress(OSError):
            typer.echo(json.dumps({"error": error.message, "details": error.details}, indent=2))
    drop_lost_output()
    console.print("error:", style="bold red", end=" ")
    _say(error.message)
    for detail in error.details:
        _say(f"  {detail}")


def _say(text: str) -> None:
    """Print one line, whatever characters it has."""
    tell(text.replace("\n", "\\n"))


def _of_the_system(error: Exception) -> DermaugError | None:
    """An error of the operating system in words; None for an error of the program."""
    if isinstance(error, BrokenPipeError):
        return None  # the reader of our output went away: typer ends quietly
    if isinstance(error, OSError) and error.errno in LIMITS:
        return DermaugError(LIMITS[error.errno])
    if isinstance(error, OSError):
        open_file = "standard output, or another open file" if error.errno in FULL else ""
        where = f"{place}: " if (place := error.filename or open_file) else ""
        return DermaugError(
            f"{where}{error.strerror or error}; check the path, its permissions and the free disk "
            "space"
        )
    if isinstance(error, UnicodeEncodeError):
        return DermaugError(
            f"{error.object}: expected names in UTF-8, found other bytes; rename the file, for "
            "example with convmv"
        )
    text = str(error).lower()
    if text.startswith("symlink loop"):  # of pathlib, up to Python 3.12
        return DermaugError(f"{error}: expected a path, found a link that leads in a circle")
    if isinstance(error, MemoryError) or any(words in text for words in NO_MEMORY):
        return DermaugError(
            "out of memory; reduce the size, batch, width or number of images, take fewer --jobs "
            "at once, use --precision bf16-mixed on a GPU, or close other programs; what was saved "
            "is kept",
            [str(error).splitlines()[0]] if str(error) else [],
        )
    return None


def _print_version(asked: bool) -> None:
    if asked:
        from dermaug import __version__

        typer.echo(f"dermaug {__version__}")
        raise typer.Exit


def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Test whether synthetic images improve a skin-lesion classifier."""


app = typer.Typer(
    cls=GuardedGroup,
    callback=_root,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
