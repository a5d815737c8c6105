"""`dermaug report` and `dermaug publish`: what a run found, as a page and as files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dermaug.cli.app import app
from dermaug.cli.options import Json, echo_json, existing, rows_of
from dermaug.console import console, tell

if TYPE_CHECKING:
    from dermaug.experiment.run.results import RunResults

Moved = Annotated[
    Path | None, typer.Option("--data", help="New location of the data set, if it was moved.")
]
Checklist = Annotated[
    str | None,
    typer.Option(
        metavar="GUIDELINE",
        help="Instead of the report, write what the run says to claim, tripod-ai or stard-ai.",
    ),
]


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")],
    output: Annotated[
        Path | None,
        typer.Option(help="HTML file, with its tables beside it; default RUN/report.html."),
    ] = None,
    data: Moved = None,
    checklist: Checklist = None,
    as_json: Json = False,
) -> None:
    """Write the report of a finished or unfinished run again, or the answers to a guideline."""
    from dermaug.output_places import require_output_file, require_writable

    if output is None and folder.is_dir():
        require_writable(folder)  # first: it takes no second, unlike what a report needs to start
    from dermaug.report.checklist import CHECKLIST_MARK, known_guideline, write_checklist
    from dermaug.report.page import render_report, require_report_place
    from dermaug.report.sections.lead import told_answer
    from dermaug.scoring.scoring import score

    if checklist is not None:
        known_guideline(checklist)
    if checklist is None:
        require_report_place(folder, output)
    elif output is not None:
        require_output_file(output, ".md", CHECKLIST_MARK)
    results = read_run(folder, data)
    scored = score(results)
    if checklist is not None:
        written = write_checklist(results, scored, checklist, output)
        tell(f"checklist: {written}")
        return
    page = render_report(results, scored, output)
    if not as_json:
        typer.echo("\n".join(told_answer(results, scored)))
    tell(f"report: {page}")
    if as_json:
        tables = {name: rows_of(getattr(scored, name)) for name in ("verdicts", "advice")}
        echo_json({"report": str(page)} | tables)


@app.command()
def publish(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")],
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Folder to create.")],
    data: Moved = None,
) -> None:
    """Copy what can be published of a run: numbers, plots and synthetic images."""
    from dermaug.output_places import require_new_folder
    from dermaug.report.publish import publish as publish_run
    from dermaug.scoring.scoring import score

    require_new_folder(output)
    results = read_run(folder, data)
    console.print(f"tables: {publish_run(results, score(results), output)}")


def read_run(folder: Path, data: Path | None) -> "RunResults":
    """Read the results of a run from disk, and its data from their new location if there is one."""
    from dermaug.experiment.run.identity import moved_data, read_run_experiment
    from dermaug.experiment.run.reading import read_results
    from dermaug.experiment.run.run import prepare_run

    begun = moved_data(folder, read_run_experiment(folder), existing(data) if data else None)
    return read_results(prepare_run(folder, begun))
