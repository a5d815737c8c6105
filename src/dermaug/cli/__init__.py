"""The command line: a command parses, calls one function, prints.

Nothing heavy is imported before a command runs, so that `--help` answers at once.
"""

from dermaug.cli import audit, data, images, run  # noqa: F401  each adds its commands to the app
from dermaug.cli.app import app


def main() -> None:
    """Entry point of `dermaug`."""
    app()
