"""`dermaug run` and `dermaug train`: whole studies and single stages."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import typer

from dermaug.cli.app import app, command_line
from dermaug.cli.options import (
    Address,
    Convergence,
    Data,
    Device,
    Devices,
    ExperimentFile,
    ImageColumn,
    JobsAtOnce,
    LabelColumn,
    Labels,
    Launcher,
    LeaveOut,
    LesionColumn,
    NumNodes,
    Output,
    PatientColumn,
    Precision,
    Settings,
    Submit,
    asked_columns,
    asked_labels,
    echo_json,
    launching,
    read_asked,
)
from dermaug.config import Experiment
from dermaug.console import console
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.host import is_first_rank, under_torchrun
from dermaug.shipped import cost_class, shipped_experiments

train = typer.Typer(no_args_is_help=True, help="Run a single stage of an experiment.")
app.add_typer(train, name="train")

Fold = Annotated[int | None, typer.Option(help="Only this fold.")]
Seed = Annotated[int | None, typer.Option(help="Only this seed.")]


def _list_shipped(asked: bool) -> None:
    if not asked:
        return
    from dermaug.experiment_file import read_experiment

    shipped = {name: read_experiment(path) for name, path in shipped_experiments().items()}
    width = max(map(len, shipped))
    typer.echo(f"{'name':<{width}}  {'takes':<7}  question (time on two CPU cores)")
    for name, experiment in shipped.items():
        typer.echo(f"{name:<{width}}  {cost_class(experiment):<7}  {experiment.question}")
    raise typer.Exit


@app.command()
def run(
    experiment: Annotated[
        str | None,
        typer.Argument(
            metavar="EXPERIMENT",
            help="A TOML file, or the name of a shipped experiment. Without one: a plan for the "
            "images of --data, or the quickstart.",
        ),
    ] = None,
    data: Data = None,
    output: Output = None,
    settings: Settings = None,
    device: Device = "auto",
    precision: Precision = "auto",
    launcher: Launcher = "processes",
    jobs: JobsAtOnce = "auto",
    address: Address = "",
    submit: Submit = None,
    check_convergence: Convergence = None,
    labels: Labels = None,
    leave_out: LeaveOut = None,
    image_column: ImageColumn = "",
    label_column: LabelColumn = "",
    lesion_column: LesionColumn = "",
    patient_column: PatientColumn = "",
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Validate everything and print the jobs and their cost."),
    ] = False,
    _listed: Annotated[
        bool,
        typer.Option(
            "--list",
            callback=_list_shipped,
            is_eager=True,
            help="List the shipped experiments with their question and cost.",
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --dry-run: print JSON to standard output.")
    ] = False,
) -> None:
    """Run a study and write its report. The same command resumes an interrupted run."""
    wanted = asked_labels(labels, leave_out)
    columns = asked_columns(image_column, label_column, lesion_column, patient_column)
    if experiment is None and data is not None:
        from dermaug.cli.plan import planned
        from dermaug.experiment.recipe.wishes import Wishes

        wishes = Wishes(settings or (), wanted, columns)
        experiment = str(planned(data, output, wishes, device, precision))
        data = None
    asked = read_asked(
        experiment or "quickstart", data, settings, check_convergence, wanted, columns
    )
    launch = launching(launcher, jobs, address, submit)
    folder = output or Path("runs") / asked.name
    if dry_run:
        from dermaug.experiment.launchers.cost import estimate, print_cost
        from dermaug.experiment.launchers.preflight import prove_networks

        prove_networks(folder, asked, device, precision)
        cost = estimate(folder, asked, device, precision, launch)
        if as_json:
            echo_json(cost.record)
        else:
            print_cost(cost)
        return
    if as_json:
        raise DermaugError("run --json prints a plan: it needs --dry-run")
    _prepare(folder, asked, device, precision)
    from dermaug.study import run_study

    page = run_study(
        folder,
        asked,
        device=device,
        precision=precision,
        command=command_line(),
        launch=launch,
    )
    console.print(f"report: {page}")


@train.command()
def generator(
    experiment: ExperimentFile = "quickstart",
    data: Data = None,
    output: Output = None,
    settings: Settings = None,
    device: Device = "auto",
    precision: Precision = "auto",
    launcher: Launcher = "processes",
    jobs: JobsAtOnce = "auto",
    address: Address = "",
    submit: Submit = None,
    family: Annotated[str | None, typer.Option(help="Only this family.")] = None,
    label: Annotated[str | None, typer.Option("--class", help="Only this class.")] = None,
    fold: Fold = None,
    seed: Seed = None,
    devices: Devices = 1,
    num_nodes: NumNodes = 1,
) -> None:
    """Train all or some generators of an experiment and draw their images."""
    console.quiet = not is_first_rank()
    asked = read_asked(experiment, data, settings)
    launch = launching(launcher, jobs, address, submit, devices, num_nodes)
    wanted = {"family": family, "label": label, "fold": fold, "seed": seed}
    if launch.ranks == 1 and not under_torchrun():
        _train("generators", asked, output, wanted, device, precision, launch)
        return
    folder = output or Path("runs") / asked.name
    if is_first_rank():
        _prepare(folder, asked, device, precision)
    from dermaug.experiment.launchers.settle import Asked
    from dermaug.experiment.launchers.several_ranks import train_together

    train_together(folder, asked, wanted, Asked(device, precision), command_line(), launch)


@train.command()
def classifier(
    experiment: ExperimentFile = "quickstart",
    data: Data = None,
    output: Output = None,
    settings: Settings = None,
    device: Device = "auto",
    precision: Precision = "auto",
    launcher: Launcher = "processes",
    jobs: JobsAtOnce = "auto",
    address: Address = "",
    submit: Submit = None,
    check_convergence: Convergence = None,
    arm: Annotated[str | None, typer.Option(help="Only this arm.")] = None,
    model: Annotated[str | None, typer.Option(help="Only this classifier.")] = None,
    fold: Fold = None,
    seed: Seed = None,
) -> None:
    """Train all or some classifiers of an experiment and predict validation and test."""
    asked = read_asked(experiment, data, settings, check_convergence)
    launch = launching(launcher, jobs, address, submit)
    wanted = {"arm": arm, "model": model, "fold": fold, "seed": seed}
    _train("classifiers", asked, output, wanted, device, precision, launch)


def _train(
    wave: Literal["generators", "classifiers"],
    asked: Experiment,
    output: Path | None,
    wanted: Mapping[str, str | int | None],
    device: str,
    precision: str,
    launch: Launch,
) -> None:
    folder = output or Path("runs") / asked.name
    _prepare(folder, asked, device, precision)
    from dermaug.experiment.launchers.launch import train_some

    train_some(
        folder,
        asked,
        wave,
        wanted,
        device=device,
        precision=precision,
        command=command_line(),
        launch=launch,
    )


def _prepare(folder: Path, asked: Experiment, device: str, precision: str) -> None:
    """Check everything that would stop the run before anything is written."""
    from dermaug.files import require_writable

    require_writable(folder)  # first: it takes no second, unlike what torch needs to start
    from dermaug.experiment.launchers.preflight import prove_networks, refuse_foreign_folder

    refuse_foreign_folder(folder)
    prove_networks(folder, asked, device, precision)
