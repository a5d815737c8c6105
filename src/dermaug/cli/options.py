"""Options that several commands share, spelt once."""

import json
from pathlib import Path
from typing import Annotated

import typer

from dermaug.config import Experiment
from dermaug.errors import DermaugError
from dermaug.experiment_file import read_experiment

ExperimentFile = Annotated[
    str,
    typer.Argument(
        metavar="EXPERIMENT",
        help="A TOML file, or the name of a shipped one: quickstart, ham10000.",
    ),
]
Data = Annotated[
    Path | None, typer.Option("--data", help="The data set; replaces data.source of the file.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change one entry, as in data.size=32."),
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Folder of the run; runs/NAME by default.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Precision = Annotated[str, typer.Option(help="auto, 32-true or bf16-mixed.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON to standard output.")]

SHIPPED = (
    Path(__file__).parents[1] / "experiments",  # installed
    Path(__file__).parents[3] / "experiments",  # in the repository
)


def read_asked(name: str, data: Path | None, settings: list[str] | None) -> Experiment:
    """The experiment that a command asks for, checked.

    Raises:
        DermaugError: There is no such file, or something in it is wrong.
    """
    overrides = list(settings or ())
    if data is not None:
        if not data.expanduser().exists():
            raise DermaugError(f"--data {data}: expected a data set, found nothing; check the path")
        # JSON's text is TOML's: an apostrophe in the path must not end the value.
        overrides.append(f"data.source={json.dumps(str(data.expanduser()), ensure_ascii=False)}")
    return read_experiment(_find(name), overrides)


def _find(name: str) -> Path:
    if Path(name).suffix == ".toml" or Path(name).is_file():
        return Path(name)
    for folder in SHIPPED:
        if (folder / f"{name}.toml").exists():
            return folder / f"{name}.toml"
    known = sorted({path.stem for folder in SHIPPED for path in folder.glob("*.toml")})
    raise DermaugError(f"no experiment {name!r}: expected a TOML file or one of {', '.join(known)}")
