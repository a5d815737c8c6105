"""`dermaug data`: check, summarise, download and draw data sets."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dermaug.cli.app import USAGE_ERROR, app
from dermaug.cli.groups import grouped
from dermaug.cli.options import Json, ReadingOptions, echo_json, rows_of
from dermaug.config import DataConfig, PhantomConfig
from dermaug.console import console, counting_bar, tell
from dermaug.errors import DermaugError
from dermaug.experiment_file import validate_section

if TYPE_CHECKING:
    from dermaug.inspection.data_check import Examination

data = typer.Typer(no_args_is_help=True, help="Check, summarise, download or draw a data set.")
app.add_typer(data, name="data")

DataPath = Annotated[Path, typer.Argument(metavar="PATH", help="A data set.")]


@data.command()
@grouped
def check(
    *,
    path: DataPath,
    against: Annotated[
        Path | None,
        typer.Option(help="Another data set, or split: count the images and lesions in both."),
    ] = None,
    reading: ReadingOptions,
    as_json: Json = False,
) -> None:
    """Decode and compare all images; exit with code 2 if a run would refuse the data set."""
    from dermaug.experiment.recipe.rules import FEWEST_LESIONS
    from dermaug.inspection.data_check import examine

    config = _asked(path, reading)
    with counting_bar("checking") as progress:
        found = examine(config, progress, against)
    catalog = found.catalog
    if as_json:
        echo_json(_record(found))
        raise typer.Exit(USAGE_ERROR if found.refused else 0)
    console.print(f"{catalog.name}: {len(catalog):,} images")
    typer.echo(found.counts.to_string())
    for sentence in found.sentences:
        tell(f"note: {sentence}")
    for line in found.pairs:
        tell(f"  {line}")
    for sentence in found.shared:
        tell(f"shared: {sentence}")
    options = [*config.as_options, *found.repairs]
    planned = shlex.join(["dermaug", "plan", str(path), *options, *_new_file(path)])
    now = shlex.join(["dermaug", "run", "--data", str(path), *options])
    at_once = f"or plan and run it at once: {now}"
    if found.refused:
        mended = (f"this command mends it and plans a study: {planned}", at_once)
        advice = mended if found.can_be_planned else ()
        raise DermaugError(f"{path}: a run would refuse these data", (*found.refused, *advice))
    if found.can_be_planned:
        tell(f"no problems found; next: {planned}")
        tell(at_once)
    else:
        console.print(
            f"no problems found; a study of `dermaug plan` takes two classes with {FEWEST_LESIONS} "
            f"or more {catalog.unit}s each"
        )


def _new_file(path: Path) -> list[str]:
    """The option that names the plan of a data set, where its name by default is taken."""
    from dermaug.aside import free_name
    from dermaug.cli.plan import default_file

    plan = default_file(path)
    return ["--output", str(free_name(plan))] if plan.exists() else []


def _asked(path: Path, reading: ReadingOptions, size: int = 64) -> DataConfig:
    wanted = {"source": str(path), "size": size}
    return validate_section(DataConfig, wanted, str(path)[:100], "options").read_as(reading.wanted)


def _record(found: "Examination") -> dict[str, object]:
    return {
        "name": found.catalog.name,
        "images": len(found.catalog),
        "classes": rows_of(found.counts.reset_index()),
        "notes": found.sentences,
        "pairs": found.pairs,
        "shared": found.shared,
        "refused": found.refused,
    }


@data.command()
@grouped
def summary(
    *,
    path: DataPath,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the figures.")] = Path(
        "runs/summary"
    ),
    size: Annotated[int, typer.Option(min=16, max=1024, help="Image size in pixels.")] = 64,
    reading: ReadingOptions,
    as_json: Json = False,
) -> None:
    """Describe a data set in tables and figures."""
    from dermaug.data.dataset import open_dataset, read_pixels
    from dermaug.data.description import describe
    from dermaug.data.description_figures import PICTURE_MARK, PICTURES, draw_all
    from dermaug.output_places import require_output_folder

    config = _asked(path, reading, size)
    require_output_folder(output, PICTURES, PICTURES[0], PICTURE_MARK, path)
    store = read_pixels(open_dataset(config), config)
    description = describe(store.catalog, store.images)
    tables = description.tables()
    pictures = draw_all(description, store.catalog, store.images, output)
    if as_json:
        told = {title: rows_of(table.reset_index()) for title, table in tables.items()}
        figures = [str(picture) for picture in pictures]
        echo_json({"tables": told, "figures": figures, "notes": list(store.catalog.notes)})
        return
    for title, table in tables.items():
        console.print(f"\n{title}", style="bold")
        tell(table.to_string())
    for note in store.catalog.notes:
        tell(f"note: {note}")
    for picture in pictures:
        console.print(f"written: {picture}")


@data.command()
def download(folder: Annotated[Path, typer.Argument(metavar="DIR", help="Target folder.")]) -> None:
    """Download HAM10000 from Kaggle and verify it (10,015 images, 7,470 lesions)."""
    from dermaug.data.sources.download import download_ham10000

    console.print(f"HAM10000 is in {download_ham10000(folder)}")


@data.command()
def phantom(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Target folder.")],
    number: Annotated[int, typer.Option(min=42, max=1_000_000, help="Number of images.")] = 2_000,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 0,
    size: Annotated[int, typer.Option(min=16, max=512, help="Short side in pixels.")] = 64,
    balanced: Annotated[
        bool, typer.Option("--balanced", help="Draw equally many per class.")
    ] = False,
) -> None:
    """Draw phantom lesions of seven classes in the layout of HAM10000."""
    from dermaug.data.sources.phantom import write_phantoms

    wanted = {"number": number, "seed": seed, "balanced": balanced}
    asked = validate_section(PhantomConfig, wanted, str(folder), "options")
    console.print(f"{number:,} phantom lesions written to {write_phantoms(folder, asked, size)}")
