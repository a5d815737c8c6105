"""`dermaug score`: scores and verdicts of a run, or of any two files of predictions."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dermaug.cli.app import app
from dermaug.cli.options import Json, echo_json, rows_of
from dermaug.cli.report import Moved, read_run
from dermaug.console import console
from dermaug.errors import DermaugError

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
        from dermaug.scoring.scoring import score as score_run

        if not first.is_dir():
            raise DermaugError(
                f"{first}: expected the folder of a run, or two files of predictions (A.csv B.csv)"
            )
        results = read_run(first, data)
        scored = score_run(results)
        folder = scored.write(results.folder)
        console.print(f"scores: {folder}", soft_wrap=True)
        if as_json:
            tables = {name: rows_of(getattr(scored, name)) for name in ("scores", "verdicts")}
            echo_json({"folder": str(folder)} | tables)
        return
    from dermaug.stats import paired_difference

    found = paired_difference(_predictions(first), _predictions(second))
    if as_json:
        echo_json(rows_of(found.table))
        return
    typer.echo(found.table.round(4).to_string(index=False))
    typer.echo(
        f"{found.num_images:,} images of {found.num_lesions:,} lesions, {found.num_pairs} pairs of "
        f"trainings; the intervals cover {found.levels}"
    )


def _predictions(path: Path) -> "pd.DataFrame":
    import pandas as pd

    try:
        keys = {"image": str, "lesion": str, "label": str}
        return pd.read_csv(path, dtype=keys, keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:  # pandas' ParserError is a ValueError
        raise DermaugError(f"{path}: expected a CSV file of predictions ({error})") from None
