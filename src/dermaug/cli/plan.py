"""`dermaug plan`: from a folder of images to an experiment file that fits it."""

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dermaug.aside import free_name, watch
from dermaug.cli.app import app
from dermaug.cli.groups import grouped
from dermaug.cli.options import (
    Device,
    Json,
    Precision,
    ReadingOptions,
    Settings,
    echo_json,
    existing,
    set_keys,
)
from dermaug.console import tell
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.recipe.wishes import Wishes
from dermaug.experiment_file import read_experiment

if TYPE_CHECKING:
    from dermaug.experiment.recipe.choose import Plan


@app.command()
@grouped
def plan(
    *,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A data set.")],
    hours: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            max=10_000.0,
            help="Hours that the study may take on this machine; default 1/6 for few images.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Experiment file; default NAME.toml.")
    ] = None,
    settings: Settings = None,
    reading: ReadingOptions,
    device: Device = "auto",
    precision: Precision = "auto",
    as_json: Json = False,
) -> None:
    """Look at your images and write an experiment file that fits them and your hours."""
    source = _source(folder)
    from dermaug.experiment.recipe.sentences import plan_record

    wishes = Wishes(settings or (), reading.wanted)
    path = output or default_file(source)
    made = _write_plan(path, source, hours, wishes, Launch(device, precision))
    if as_json:
        echo_json(plan_record(made, path))
    else:
        typer.echo(_told(made))
    command = shlex.join(["dermaug", "run", str(path)])
    tell(f"written: {path}; next: {command}")


def default_file(folder: Path) -> Path:
    """The experiment file of a plan for a data set, if the user names none."""
    return Path(f"{_name(_source(folder))}.toml")


def planned(data: Path, output: Path | None, wishes: Wishes, launch: Launch) -> Path:
    """The experiment file for a data set, beside the folder of its run; written on first use.

    Args:
        data: The data set.
        output: Folder of the run; None takes runs/NAME.
        wishes: What the user has decided.
        launch: Device and precision of the trainings.

    Raises:
        DermaugError: The data cannot be used, or the file is a plan for other data.
    """
    source = _source(data)
    folder = output or Path("runs") / _name(source)
    path = folder.with_name(f"{folder.name}.toml")
    if not path.exists():
        made = _write_plan(path, source, None, wishes, launch)
        tell(_told(made))
        tell(f"written: {path}")
        return path
    if (other := read_experiment(path).data.source) != str(source):
        raise DermaugError(
            f"{path}: expected a plan for {source}, found one for {other}; choose another --output"
        )
    tell(f"using {path}, written earlier; delete it to plan anew")
    return path


def _name(source: Path) -> str:
    """Name of the study of a data set: that of its folder, or of its table without the ending."""
    from dermaug.experiment.recipe.draft import study_name

    return study_name(source.stem if source.is_file() else source.name)


def _source(folder: Path) -> Path:
    """The absolute path, so that the plan can be run from anywhere; links are kept."""
    return Path(os.path.normpath(existing(folder).absolute()))


def _write_plan(
    path: Path, source: Path, hours: float | None, wishes: Wishes, launch: Launch
) -> "Plan":
    if path.exists():
        raise DermaugError(
            f"{path}: expected the name of a new file, found one that exists; delete it, or name "
            f"another: --output {shlex.quote(str(free_name(path)))}"
        )
    if "data.source" in set_keys(wishes.settings):
        raise DermaugError(
            f"{source} and --set data.source exclude each other; give only one data set"
        )
    from dermaug.experiment.recipe.choose import make_plan
    from dermaug.experiment.recipe.sentences import plan_text
    from dermaug.files import write_text
    from dermaug.output_places import require_writable

    require_writable(path.parent)
    watch(path)
    made = make_plan(str(source), hours, launch, wishes)
    write_text(path, plan_text(made))
    return made


def _told(made: "Plan") -> str:
    from dermaug.experiment.recipe.sentences import plan_sentences

    return "\n".join(plan_sentences(made))
