"""Figures of the trainings: how validation and the GAN's losses went with the images shown."""

from collections.abc import Sequence

import pandas as pd

from dermaug.experiment.run.results import RunResults
from dermaug.report import figures
from dermaug.report.figures import Figure, Panel, drawing, file_name, svg

_CLOCK = {"images", "seconds"}


def classifier_curves(results: RunResults, arms: Sequence[str]) -> Figure | None:
    """Balanced accuracy on validation against images shown, one panel a classifier.

    Returns:
        None when no trial has a journal.
    """
    rows = [
        trial.journal[["images", "validation_balanced_accuracy"]].assign(
            model=trial.model, arm=trial.arm, fold=trial.fold, seed=trial.seed
        )
        for trial in results.trials
        if len(trial.journal)
    ]
    if not rows:
        return None
    table = pd.concat(rows, ignore_index=True)
    panels = []
    for index, (model, part) in enumerate(table.groupby("model", sort=False)):
        with drawing(4.6, 3.0) as axes:
            for (arm, _, _), curve in part.groupby(["arm", "fold", "seed"], sort=False):
                series = arms.index(arm)
                axes.plot(
                    curve["images"] / 1_000,
                    curve["validation_balanced_accuracy"],
                    color=figures.colour(series),
                    linestyle=figures.DASHES[series % len(figures.DASHES)],
                    alpha=0.75,
                )
            axes.set_title(figures.short(str(model), 40))
            axes.set(xlabel="thousand images shown", ylabel="balanced accuracy")
            axes.set_xlim(left=0)
            alt = f"Balanced accuracy on validation against images shown, {model}, by arm"
            panels.append(Panel(file_name("training", index, model), alt, svg(axes)))
    caption = (
        "Balanced accuracy at argmax on the validation part while training, one line per fold and "
        'seed. The last weights were tested, or, with keep = "best", those of the highest point.'
    )
    return Figure("training", caption, tuple(panels), table, figures.legend(arms), 340)


def generator_curves(results: RunResults) -> Figure | None:
    """Losses of each generator against real images shown, one panel a family and class.

    Returns:
        None when there is no generator with a journal.
    """
    rows = [
        generator.journal.assign(
            family=generator.family,
            label=generator.label,
            fold=generator.fold,
            seed=generator.seed,
        )
        for generator in results.generators
        if len(generator.journal)
    ]
    if not rows:
        return None
    table = pd.concat(rows, ignore_index=True)
    losses = loss_columns(table)
    panels = []
    runs = ["fold", "seed"]
    for index, ((family, label), part) in enumerate(table.groupby(["family", "label"], sort=False)):
        with drawing(3.3, 2.5) as axes:
            for _, curves in part.groupby(runs, sort=False):
                for series, name in enumerate(losses):
                    shade = figures.colour(series)
                    axes.plot(curves["images"] / 1_000, curves[name], color=shade, linewidth=1.3)
            axes.set_title(figures.short(f"{label}, {family}", 30))
            axes.set(xlabel="thousand real images shown", ylabel="loss")
            axes.set_xlim(left=0)
            alt = f"Losses of {family} for class {label} against images shown"
            panels.append(Panel(file_name("gan", index, family, label), alt, svg(axes)))
    caption = (
        "Losses of the generators while training, one line a fold and seed. A discriminator's loss "
        "that sinks to zero while the generator's climbs shows a contest that one side has won."
    )
    names = [name.replace("_", " ") for name in losses]
    numbers = table[["family", "label", *runs, "images", *losses]]
    return Figure("gan_losses", caption, tuple(panels), numbers, figures.legend(names), 260)


def loss_columns(journal: pd.DataFrame) -> list[str]:
    """Columns of a generator's journal that are losses; all numbers when none says so."""
    numeric = [
        column
        for column in journal.select_dtypes("number").columns
        if column not in _CLOCK | {"fold", "seed"}
    ]
    return [column for column in numeric if "loss" in column] or numeric
