"""The command line: a command parses, calls one function, prints.

Nothing heavy is imported before a command runs, so that `--help` answers at once.
"""

try:
    # Each adds its commands to the app.
    from dermaug.cli import (  # noqa: F401
        audit,
        data,
        doctor,
        explore,
        export,
        images,
        page,
        plan,
        readers,
        report,
        run,
        runs,
        schema,
        score,
    )
    from dermaug.cli.app import app
    from dermaug.cli.streams import take_any_text
except KeyboardInterrupt:  # Ctrl-C while the commands are being loaded: nothing was begun
    raise SystemExit(130) from None


def main() -> None:
    """Entry point of `dermaug`."""
    take_any_text()
    app()
