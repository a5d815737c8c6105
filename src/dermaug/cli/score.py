"""`dermaug score`: from the predictions of a run to tables of scores, differences and verdicts."""

from pathlib import Path
from typing import Annotated

import typer

from dermaug.cli.app import app
from dermaug.cli.run import Moved, read_run
from dermaug.console import console


@app.command()
def score(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")],
    data: Moved = None,
) -> None:
    """Score the predictions of a run, finished or not: one CSV file per table in RUN/scoring."""
    from dermaug.scoring.scoring import score as score_run

    results = read_run(folder, data)
    console.print(f"scores: {score_run(results).write(results.folder)}")
