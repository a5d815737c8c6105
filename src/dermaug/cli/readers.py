"""`dermaug readers`: a test whether people can tell real images from synthetic ones."""

from pathlib import Path
from typing import Annotated

import typer

from dermaug.cli.app import app
from dermaug.cli.options import Device, Json, echo_json, rows_of
from dermaug.cli.report import Moved, read_run
from dermaug.console import console, tell
from dermaug.errors import DermaugError

readers = typer.Typer(
    no_args_is_help=True, help="Test whether people can tell real images from synthetic ones."
)
app.add_typer(readers, name="readers")


@readers.command()
def make(
    folder: Annotated[
        Path, typer.Argument(metavar="RUN", help="Folder of a run with finished generators.")
    ],
    number_of_readers: Annotated[
        int, typer.Option("--readers", min=1, max=100, help="Number of readers.")
    ] = 2,
    images: Annotated[
        int, typer.Option(min=2, max=2_000, help="Number of images, half of them real.")
    ] = 120,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to create; default RUN/readers.")
    ] = None,
    data: Moved = None,
    device: Device = "auto",
) -> None:
    """Write one page per reader, to be sent, and the key, to be kept."""
    from dermaug.output_places import require_new_folder
    from dermaug.readers.key import KEY, SEND, read_key
    from dermaug.readers.make import make_reader_test
    from dermaug.training.fabric import start_fabric

    if images % 2:
        raise DermaugError(f"--images {images}: expected an even number, half of them are real")
    place = output or folder / "readers"
    require_new_folder(place)
    results = read_run(folder, data)
    where = start_fabric(device).device
    for note in make_reader_test(
        results, place, readers=number_of_readers, number=images, device=where
    ):
        console.print(f"note: {note}")
    console.print(f"send: {place / SEND} (one HTML file per reader, and instructions.txt)")
    cases = read_key(place).cases
    real = sum(case.origin == "real" for case in cases)
    told = f"it tells which {real} of the {len(cases)} images are real"
    console.print(f"keep: {place / KEY} ({told})")
    tell("The pages show real images under the licence of the data set: send them to readers only.")


@readers.command()
def score(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder that `readers make` wrote.")
    ],
    answers: Annotated[
        list[Path], typer.Argument(metavar="ANSWERS...", help="CSV files that readers sent back.")
    ],
    as_json: Json = False,
) -> None:
    """Score the answers of readers into DIR/scores and DIR/readers.html."""
    from dermaug.output_places import require_places
    from dermaug.readers.answers import read_answers
    from dermaug.readers.key import read_key
    from dermaug.readers.scores import SCORES, score_readers
    from dermaug.report.sections.readers import PAGE, reader_sentences, write_reader_page

    key = read_key(folder)
    require_places(folder, (SCORES, PAGE))
    scores = score_readers(key, read_answers(key, answers))
    scores.write(folder)
    page = write_reader_page(folder, key, scores)
    tell(f"page: {page}")
    if as_json:
        echo_json({name: rows_of(table) for name, table in scores.tables.items()})
        return
    for sentence in reader_sentences(scores):
        typer.echo(sentence)
