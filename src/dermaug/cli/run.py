"""`dermaug run` and `dermaug train`: whole studies and single stages."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from dermaug.cli.app import app, command_line
from dermaug.cli.groups import grouped
from dermaug.cli.options import (
    Convergence,
    Data,
    Devices,
    ExperimentFile,
    Launching,
    NumNodes,
    Output,
    ReadingOptions,
    Settings,
    echo_json,
    read_asked,
)
from dermaug.config import Experiment
from dermaug.console import console, tell
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
@grouped
def run(
    *,
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
    launching: Launching,
    check_convergence: Convergence = None,
    reading: ReadingOptions,
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
    if experiment is None and data is not None:
        from dermaug.cli.plan import planned
        from dermaug.experiment.recipe.wishes import Wishes

        wishes = Wishes(settings or (), reading.wanted)
        experiment = str(planned(data, output, wishes, launching.launch))
        data = None
    asked = read_asked(experiment or "quickstart", data, settings, check_convergence, reading)
    launch = launching.launch
    folder = output or Path("runs") / asked.name
    from dermaug.output_places import require_writable

    require_writable(folder)  # first: it takes no second, unlike what torch needs to start
    if dry_run:
        _estimate(folder, asked, launch, as_json)
        return
    if as_json:
        raise DermaugError("run --json prints a plan: it needs --dry-run")
    from dermaug.study import run_study

    study = run_study(folder, asked, launch, command_line())
    typer.echo("\n".join(study.answer))
    tell(f"report: {study.report}")


def _estimate(folder: Path, asked: Experiment, launch: Launch, as_json: bool) -> None:
    """Check everything that would stop the run, and print what it costs."""
    from dermaug.experiment.launchers.cost import estimate, print_cost
    from dermaug.study import require_startable

    require_startable(folder, asked, launch)
    cost = estimate(folder, asked, launch)
    if as_json:
        echo_json(cost.record)
    else:
        print_cost(cost)


@train.command()
@grouped
def generator(
    *,
    experiment: ExperimentFile = "quickstart",
    data: Data = None,
    output: Output = None,
    settings: Settings = None,
    launching: Launching,
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
    launch = replace(launching.launch, devices=devices, num_nodes=num_nodes)
    wanted = {"family": family, "label": label, "fold": fold, "seed": seed}
    if launch.ranks == 1 and not under_torchrun():
        _train("generators", asked, output, wanted, launch)
        return
    folder = output or Path("runs") / asked.name
    from dermaug.experiment.launchers.several_ranks import train_together
    from dermaug.study import require_startable

    if is_first_rank():
        require_startable(folder, asked, launch)
    train_together(folder, asked, wanted, launch, command_line())


@train.command()
@grouped
def classifier(
    *,
    experiment: ExperimentFile = "quickstart",
    data: Data = None,
    output: Output = None,
    settings: Settings = None,
    launching: Launching,
    check_convergence: Convergence = None,
    arm: Annotated[str | None, typer.Option(help="Only this arm.")] = None,
    model: Annotated[str | None, typer.Option(help="Only this classifier.")] = None,
    fold: Fold = None,
    seed: Seed = None,
) -> None:
    """Train all or some classifiers of an experiment and predict validation and test."""
    asked = read_asked(experiment, data, settings, check_convergence)
    wanted = {"arm": arm, "model": model, "fold": fold, "seed": seed}
    _train("classifiers", asked, output, wanted, launching.launch)


def _train(
    wave: Literal["generators", "classifiers"],
    asked: Experiment,
    output: Path | None,
    wanted: Mapping[str, str | int | None],
    launch: Launch,
) -> None:
    folder = output or Path("runs") / asked.name
    from dermaug.experiment.launchers.launch import train_some
    from dermaug.study import require_startable

    require_startable(folder, asked, launch)
    train_some(folder, asked, wave, wanted, launch, command_line())
