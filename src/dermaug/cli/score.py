"""`dermaug score`: scores and verdicts of a run, or of any two files of predictions."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dermaug.cli.app import app
from dermaug.cli.options import Json, echo_json, rows_of
from dermaug.cli.report import Moved, read_run
from dermaug.console import tell
from dermaug.errors import DermaugError
from dermaug.experiment.run.layout import RunFolder

if TYPE_CHECKING:
    import pandas as pd


@app.command()
def score(
    first: Annotated[Path, typer.Argument(metavar="RUN|A", help="Run folder, or a CSV file.")],
    second: Annotated[Path | None, typer.Argument(metavar="[B]", help="CSV file.")] = None,
    data: Moved = None,
    as_json: Json = False,
) -> None:
    """Score a run into RUN/scoring, or compare two CSV files of predictions (A minus B).

    A file has the columns image, lesion, label and one column of probabilities per class; fold and
    seed if there are several trainings.
    """
    if second is None:
        _score_run(first, data, as_json=as_json)
        return
    if data is not None:
        raise DermaugError("--data: two files of predictions need no data set; leave it out")
    from dermaug.report.formats import counted
    from dermaug.stats import paired_difference

    found = paired_difference(_predictions(first), _predictions(second))
    for note in found.notes:
        tell(note)
    if as_json:
        echo_json(rows_of(found.table))
        return
    typer.echo(found.table.drop(columns="reason").round(4).to_string(index=False))
    for each in found.differences:
        if each.reason:
            typer.echo(f"{each.metric}: {each.reason}")
    typer.echo(
        f"{counted(found.num_images, 'image')} of {counted(found.num_lesions, 'lesion')}, "
        f"{counted(found.num_pairs, 'pair')} of trainings; the intervals cover {found.levels}"
    )
    typer.echo(
        "Both metrics rest on the probabilities as they are. If the trainings of A and B saw the "
        "classes in different shares, a difference may come from these alone; "
        "dermaug.stats.paired_difference takes them (prior_a, prior_b)."
    )


def _score_run(folder: Path, data: Path | None, *, as_json: bool) -> None:
    from dermaug.output_places import require_places, require_writable

    if not folder.is_dir():
        raise DermaugError(
            f"{folder}: expected the folder of a run, or two files of predictions (A.csv B.csv)"
        )
    require_writable(folder)  # first: it takes no second, unlike what the scores need to start
    from dermaug.report.sections.answer import unfinished
    from dermaug.scoring.scoring import FOLDER
    from dermaug.scoring.scoring import score as score_run

    require_places(folder, (FOLDER,))
    results = read_run(folder, data)
    scored = score_run(results)
    written = scored.write(results.folder, RunFolder(results.folder))
    for sentence in unfinished(results):
        tell(sentence)
    tell(f"scores: {written}")
    if as_json:
        tables = {name: rows_of(getattr(scored, name)) for name in ("scores", "verdicts")}
        echo_json({"folder": str(written)} | tables)


def _predictions(path: Path) -> "pd.DataFrame":
    from dermaug.data.metadata import read_given
    from dermaug.stats.tables import KEYS, PLACE, table_of

    sheet = read_given(path, "predictions", (*KEYS, *PLACE), required=False)
    if sheet.how:
        tell(sheet.how)
    return table_of(sheet)
