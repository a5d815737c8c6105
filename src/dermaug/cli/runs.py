"""`dermaug runs` and `dermaug compare`: several runs in one table."""

from pathlib import Path
from typing import Annotated

import typer

from dermaug.cli.app import app
from dermaug.cli.options import Json, echo_json, rows_of
from dermaug.console import console
from dermaug.errors import DermaugError


@app.command()
def runs(
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="Folder of runs; default runs.")
    ] = Path("runs"),
    as_json: Json = False,
) -> None:
    """List runs with their state, duration and answer."""
    if not folder.is_dir():
        raise DermaugError(f"{folder}: expected a folder of runs, found none; check the path")
    from dermaug.scoring.leaderboard import list_runs

    table = list_runs(folder)
    if as_json:
        echo_json(rows_of(table))
        return
    if table.empty:
        console.print(f"no runs in {folder}; `dermaug run` starts one")
        return
    typer.echo(table.round(2).to_string(index=False, na_rep="–"))


@app.command()
def compare(
    folders: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Folders of runs that were scored.")
    ],
    across: Annotated[
        bool, typer.Option("--holm", help="Apply Holm's rule across all runs of the table.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare the primary contrasts of several runs, the largest difference first."""
    from dermaug.report.formats import small
    from dermaug.scoring.leaderboard import compare_runs

    table = compare_runs(folders, across=across)
    if as_json:
        echo_json(rows_of(table))
        return
    shown = table.drop(columns=["margin", "p_equivalence"]).round(3)
    shown["p_holm"] = [small(each) for each in table["p_holm"]]
    typer.echo(shown.to_string(index=False, na_rep="–"))
    if table["data"].nunique() > 1:
        console.print("note: the runs are of different data sets; their differences are not alike")
