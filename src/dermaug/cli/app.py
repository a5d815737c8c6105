"""All commands, and the one place where errors become messages and exit codes.

Exit codes: 0, 2 for usage, configuration and data, 130 for Ctrl-C.
"""

import shlex
import sys
from typing import Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

from dermaug.console import console
from dermaug.errors import DermaugError

USAGE_ERROR = 2
INTERRUPTED = 130


def command_line() -> str:
    """What the user typed, ready to be pasted."""
    return shlex.join(["dermaug", *sys.argv[1:]])


class GuardedGroup(TyperGroup):
    """Turns what dermaug itself raises into a message and an exit code."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401
        """Run the command."""
        try:
            return super().invoke(ctx)
        except DermaugError as error:
            if ctx.params.get("debug"):
                raise
            console.print(f"[bold red]error:[/] {escape(error.message)}", soft_wrap=True)
            for detail in error.details:
                console.print(f"  {detail}", soft_wrap=True, markup=False)
            raise typer.Exit(USAGE_ERROR) from None
        except KeyboardInterrupt:
            console.print(
                f"interrupted; to go on where this was, run again: {escape(command_line())}",
                soft_wrap=True,
            )
            raise typer.Exit(INTERRUPTED) from None


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
    """Do synthetic images improve your skin-lesion classifier? Ask for evidence."""


app = typer.Typer(
    cls=GuardedGroup,
    callback=_root,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
