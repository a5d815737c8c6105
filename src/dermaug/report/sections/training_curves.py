"""Curves of the trainings: scores on validation, and losses of the generators."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Figure
from dermaug.report.drawing import colour, dashes, legend, panels, short
from dermaug.report.formats import counted, listed
from dermaug.report.tips import add_tips

_CLOCK = {"images", "seconds"}
_KEPT = {
    "best": "the weights of the highest point were tested",
    "last": "the last weights were tested",
}


def classifier_curves(results: RunResults, arms: Sequence[str]) -> Figure | None:
    """Balanced accuracy on validation against images shown, one panel per classifier.

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
    trained = sum(trial.record.training is not None for trial in results.trials)
    if not rows:
        return None
    table = pd.concat(rows, ignore_index=True)
    drawn = panels(table, ["model"], "training", (4.6, 3.0), _draw_training, arms=arms)
    kept = {each.keep for each in results.experiment.classifiers}
    caption = (
        "Balanced accuracy at argmax on the validation split while training, one line per fold and "
        f"seed. {listed([_KEPT[each] for each in sorted(kept)]).capitalize()}, in "
        "float32 and with all views; points are computed at the precision of the training and "
        "with one view, so that scores of the tested network may differ from the last point."
        f"{_lost(trained - len(rows), 'training')}"
    )
    return Figure("training", caption, drawn, table, legend(arms), 340)


def generator_curves(results: RunResults) -> Figure | None:
    """Losses of each generator against real images shown, one panel per family and class.

    A conditional generator has one panel for all classes.

    Returns:
        None when there is no generator with a journal.
    """
    rows = [
        generator.journal.assign(
            family=generator.family,
            label=generator.drawn_classes,
            fold=generator.fold,
            seed=generator.seed,
        )
        for generator in results.networks
        if len(generator.journal)
    ]
    if not rows:
        return None
    table = pd.concat(rows, ignore_index=True)
    losses = loss_columns(table)
    by = ["family", "label"]
    drawn = panels(table, by, "gan", (3.3, 2.5), _draw_losses, losses=losses)
    caption = (
        "Losses of the generators during training, one line per fold and seed. If the "
        "discriminator loss falls to zero while the generator loss rises, the discriminator has "
        f"won.{_lost(len(results.networks) - len(rows), 'generator')}"
    )
    names = [name.replace("_", " ") for name in losses]
    numbers = table[[*by, "fold", "seed", "images", *losses]]
    return Figure("gan_losses", caption, drawn, numbers, legend(names), 260)


def _lost(number: int, what: str) -> str:
    told = f" Not drawn: {counted(number, what)} whose journal is missing or empty."
    return told if number else ""


def _draw_training(axes: Axes, rows: pd.DataFrame, model: str, arms: Sequence[str]) -> str:
    for (arm, fold, seed), curve in rows.groupby(["arm", "fold", "seed"], sort=False):
        look = {"color": colour(arms.index(arm)), "linestyle": dashes(arms.index(arm))}
        name, score = f"{arm}, fold {fold}, seed {seed}", curve["validation_balanced_accuracy"]
        _draw_curve(axes, name, curve["images"], score, alpha=0.75, **look)
    axes.set(xlabel="Thousand images shown", ylabel="Balanced accuracy", title=short(model, 40))
    axes.set_xlim(left=0)
    return f"Balanced accuracy on validation against images shown, {model}, by arm"


def _draw_losses(
    axes: Axes, rows: pd.DataFrame, family: str, label: str, losses: Sequence[str]
) -> str:
    for _, curves in rows.groupby(["fold", "seed"], sort=False):
        for series, name in enumerate(losses):
            look = {"color": colour(series), "linewidth": 1.3}
            _draw_curve(axes, name.replace("_", " "), curves["images"], curves[name], **look)
    title = short(f"{label}, {family}", 30)
    axes.set(xlabel="Thousand real images shown", ylabel="Loss", title=title)
    axes.set_xlim(left=0)
    return f"Losses of {family} for {label} against images shown"


def _draw_curve(axes: Axes, name: str, shown: pd.Series, values: pd.Series, **look: Any) -> None:  # noqa: ANN401
    axes.plot(shown / 1_000, values, **look)
    pairs = zip(shown, values, strict=True)
    told = (f"{name}, {images:,.0f} images shown: {value:.3f}" for images, value in pairs)
    add_tips(axes, shown / 1_000, values, told)


def loss_columns(journal: pd.DataFrame) -> list[str]:
    """Columns of a generator's journal that are losses; all numeric ones if none is named so."""
    numeric = [
        column
        for column in journal.select_dtypes("number").columns
        if column not in _CLOCK | {"fold", "seed"}
    ]
    return [column for column in numeric if "loss" in column] or numeric
