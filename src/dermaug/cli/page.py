"""`dermaug app`: a run as a page in the browser, on this machine only."""

from pathlib import Path
from typing import Annotated

import typer

from dermaug.cli.app import app
from dermaug.cli.options import Device, existing
from dermaug.cli.report import Moved


@app.command("app")
def page(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run that was scored.")],
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port on 127.0.0.1; 0 takes a free one.")
    ] = 7860,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where images are saved; default RUN/app.")
    ] = None,
    data: Moved = None,
    device: Device = "auto",
) -> None:
    """Look at a run in the browser: answer, images, generators, classifiers (extra `app`)."""
    from dermaug.app.serve import serve

    serve(folder, data=existing(data) if data else None, output=output, device=device, port=port)
