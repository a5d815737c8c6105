"""`dermaug explore`: what one trained generator has learnt, in pictures and numbers."""

from pathlib import Path
from typing import Annotated

import typer

from dermaug.cli.app import app
from dermaug.cli.options import Device, Json, echo_json
from dermaug.console import console


@app.command()
def explore(
    generator: Annotated[
        Path, typer.Argument(metavar="GENERATOR", help="Checkpoint of a generator, or its folder.")
    ],
    data: Annotated[
        Path | None, typer.Option(help="Training data; default: the data of its run.")
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option("--class", help="Only this class; repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 0,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Output folder; default GENERATOR/explore."),
    ] = None,
    as_json: Json = False,
    device: Device = "auto",
) -> None:
    """Explore a generator: latent interpolation, arithmetic, discriminator, near-duplicates."""
    from dermaug.experiment.run.artefacts import find_generator
    from dermaug.output_places import require_output_folder
    from dermaug.report.sections.explore import FOLDER, MARK, WRITTEN

    checkpoint = find_generator(generator)
    folder = output or checkpoint.parent / FOLDER
    require_output_folder(folder, WRITTEN, WRITTEN[0], MARK, data)
    from dermaug.inspection.exploration import explore as look
    from dermaug.report.sections.explore import explore_sentences, write_explore_page
    from dermaug.training.fabric import start_fabric

    found = look(checkpoint, data, start_fabric(device).device, classes=label or (), seed=seed)
    page = write_explore_page(folder, found, str(generator))
    console.print(f"explored: {page}")
    if as_json:
        echo_json(found.record)
        return
    for note in found.notes:
        console.print(f"note: {note}")
    for sentence in explore_sentences(found.tables):
        typer.echo(sentence)
