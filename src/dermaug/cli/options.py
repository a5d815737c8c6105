"""Options that several commands share."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dermaug.config import Experiment
from dermaug.config.data import COLUMN_FIELDS, Reading
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment_file import read_experiment
from dermaug.files import expanded
from dermaug.shipped import find_experiment
from dermaug.whole_numbers import whole_number

if TYPE_CHECKING:
    import pandas as pd

ExperimentFile = Annotated[
    str,
    typer.Argument(
        metavar="EXPERIMENT",
        help="A TOML file, or the name of a shipped experiment such as quickstart or ham10000.",
    ),
]
Data = Annotated[Path | None, typer.Option("--data", help="Data set; overrides data.source.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override one entry, for example data.size=32; repeatable.",
    ),
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Folder of the run; default runs/NAME.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")]
Precision = Annotated[str, typer.Option(help="auto, 32-true or bf16-mixed.")]
Devices = Annotated[
    int,
    typer.Option(
        min=1, help="Processes, with one GPU each or on the CPU, that train one generator together."
    ),
]
NumNodes = Annotated[
    int, typer.Option(min=1, help="Machines with so many devices each, started by torchrun.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON to standard output.")]
Convergence = Annotated[
    bool | None,
    typer.Option(
        "--check-convergence/--no-check-convergence",
        help="Also train the baseline for half as long; overrides check_convergence.",
    ),
]


@dataclass(frozen=True)
class Launching:
    """Options on where and how the jobs of a run are done."""

    device: Device = "auto"
    precision: Precision = "auto"
    launcher: Annotated[
        str,
        typer.Option(
            help="How jobs are distributed: serial, processes, ray or submitit; no result varies."
        ),
    ] = "processes"
    jobs: Annotated[
        str, typer.Option(help="Number of jobs at the same time, or auto.", metavar="N")
    ] = "auto"
    address: Annotated[
        str, typer.Option(help="Address of a Ray cluster, or auto on one of its nodes.")
    ] = ""
    submit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="A setting of submitit, for example slurm_partition=gpu; repeatable.",
        ),
    ] = None

    @cached_property
    def launch(self) -> Launch:
        """The same, checked.

        Raises:
            DermaugError: There is no such launcher, or no such number of jobs.
        """
        number = whole_number(self.jobs)
        if self.jobs != "auto" and number is None:
            raise DermaugError(f"--jobs {self.jobs[:40]}: expected auto or a number from 1")
        submit = tuple(self.submit or ())
        return Launch(self.device, self.precision, self.launcher, number, self.address, submit)


def _column(what: str) -> Any:  # noqa: ANN401
    return typer.Option(metavar="COLUMN", help=f"Column of your table {what}.")


@dataclass(frozen=True)
class ReadingOptions:
    """Options on how the tables of the user's data are read."""

    labels: Annotated[
        list[str] | None,
        typer.Option(
            "--labels",
            metavar="LABEL=CLASS",
            help="Read a label of the data as this class, for example AK=akiec; repeatable.",
        ),
    ] = None
    leave_out: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL", help="Leave out the images of a label; repeatable."),
    ] = None
    image_column: Annotated[str, _column("with the image files' names")] = ""
    label_column: Annotated[str, _column("with the labels")] = ""
    lesion_column: Annotated[str, _column("that names the lesion")] = ""
    patient_column: Annotated[str, _column("that names the patient")] = ""
    age_column: Annotated[str, _column("with the age in years")] = ""
    sex_column: Annotated[str, _column("with the sex")] = ""
    site_column: Annotated[str, _column("with the body site")] = ""
    tone_column: Annotated[str, _column("with the skin tone")] = ""
    leave_out_unclear: Annotated[
        bool,
        typer.Option(
            "--leave-out-unclear",
            help="Leave out, and count, rows without an image, images without a row, and cells "
            "that cannot be read.",
        ),
    ] = False

    @cached_property
    def wanted(self) -> Reading:
        """The same, checked.

        Raises:
            DermaugError: A label is given twice, or without a class.
        """
        asked = {column: getattr(self, field) for column, field in COLUMN_FIELDS.items()}
        columns = {column: name for column, name in asked.items() if name}
        labels = asked_labels(self.labels, self.leave_out)
        return Reading(labels, columns, "leave_out" if self.leave_out_unclear else "stop")


def read_asked(
    name: str,
    data: Path | None,
    settings: list[str] | None,
    check_convergence: bool | None = None,
    reading: ReadingOptions | None = None,
) -> Experiment:
    """Read and check the experiment of a command.

    Args:
        name: Its file, or its name if it is a shipped one.
        data: The data set; None takes that of the experiment.
        settings: KEY=VALUE each, entries that are changed.
        check_convergence: None takes that of the experiment.
        reading: How the data are read; None takes that of the experiment.

    Raises:
        DermaugError: There is no such file, or something in it is wrong.
    """
    overrides = list(settings or ())
    given = set_keys(overrides)
    if check_convergence is not None:
        if "check_convergence" in given:
            raise DermaugError(
                "--check-convergence and --set check_convergence exclude each other; give only one"
            )
        overrides.append(f"check_convergence={json.dumps(check_convergence)}")
    if data is not None:
        if "data.source" in given:
            raise DermaugError("--data and --set data.source exclude each other; give only one")
        # JSON's text is TOML's: an apostrophe in the path must not end the value.
        overrides.append(f"data.source={json.dumps(str(existing(data)), ensure_ascii=False)}")
    asked = read_experiment(find_experiment(name), overrides)
    if reading is None:
        return asked
    return asked.model_copy(update={"data": asked.data.read_as(reading.wanted)})


def asked_labels(labels: list[str] | None, leave_out: list[str] | None) -> dict[str, str]:
    """Label -> class as `--labels` and `--leave-out` say; "" leaves the label out.

    Raises:
        DermaugError: An entry is not LABEL=CLASS, or a label is given twice.
    """
    wanted: dict[str, str] = {}
    for entry in labels or ():
        label, equals, name = (part.strip() for part in entry.rpartition("="))
        if not (label and equals and name):
            raise DermaugError(f"--labels {entry}: expected LABEL=CLASS, for example AK=akiec")
        if wanted.setdefault(label, name) != name:
            raise DermaugError(f"--labels {entry}: {label} is read as {wanted[label]} already")
    for label in leave_out or ():
        if wanted.setdefault(label.strip(), ""):
            raise DermaugError(f"--labels and --leave-out both name {label}; remove one")
    return wanted


def set_keys(settings: Sequence[str] | None) -> set[str]:
    """The keys that `--set` overrides."""
    return {setting.partition("=")[0].strip() for setting in settings or ()}


def existing(data: Path) -> Path:
    """The path given by `--data`, with `~` expanded.

    Raises:
        DermaugError: The path does not exist or cannot be accessed.
    """
    path = expanded(data, "--data")
    try:
        path.stat()
    except FileNotFoundError:
        raise DermaugError(
            f"--data {data}: expected a data set, found nothing; check the path"
        ) from None
    except OSError as error:
        reason = error.strerror or error
        raise DermaugError(f"--data {data}: expected a data set ({reason})") from None
    return path


def echo_json(value: object) -> None:
    """Print one JSON document to standard output; what is not a number becomes null."""
    plain = json.loads(json.dumps(value), parse_constant=lambda _: None)
    # In ASCII: a file name that is not UTF-8 could not be printed otherwise.
    typer.echo(json.dumps(plain, indent=2))


def rows_of(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """Rows of a table as plain values, for `echo_json`; what is not a number becomes null."""
    rows: list[dict[str, Any]] = json.loads(table.to_json(orient="records"))
    return rows
