"""Training of the networks: curves, health of the generators, images rejected by curation."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from dermaug.experiment.run.records import CurationEntry, ImageCounts
from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Block, Figure, Heading, Section, Table
from dermaug.report.drawing import colour, dashes, legend, panels, short
from dermaug.report.formats import listed, spanned
from dermaug.report.tips import add_tips
from dermaug.scoring.verdict_words import NONE

_CLOCK = {"images", "seconds"}
_SIGNS = ("kid", "collapsed_pairs", "nearest_training", "overfitting")
_RULES = {
    "copies": "Copies",
    "duplicates": "Duplicates",
    "unconfident": "Not confident",
    "outside": "Outside the band",
}
_KEPT = {
    "best": "the weights of the highest point were tested",
    "last": "the last weights were tested",
}
_SELECTED = (
    "Of {families}, the snapshot with the lowest KID is kept. Snapshots are thus selected on "
    "validation images (one half of the lesions of each class; the audit uses the other half), and "
    "the KID of the selected one is too optimistic. "
)
_COPIES = (
    "Copies: by the rule of the audit, but with distances in the features of the reference "
    "classifier, and thresholds from the half of the validation lesions on which snapshots were "
    "selected. The audit uses the other half and a classifier of its own choice, so that its "
    "counts differ."
)


def training_section(results: RunResults) -> Section:
    """Training of the classifiers and generators, training sets, health and curation."""
    arms = results.arms
    curves, losses = classifier_curves(results, arms), generator_curves(results)
    blocks: tuple[Block | None, ...] = (
        Heading("Classifiers") if curves else None,
        curves,
        training_table(results),
        Heading("Generators") if losses else None,
        losses,
        health_table(results),
        curation_table(results),
    )
    return Section("training", "Training", [each for each in blocks if each])


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
    if not number:
        return ""
    return f" Not drawn: {number} {what}{'s' * (number > 1)} whose journal is missing or empty."


def _draw_training(axes: Axes, rows: pd.DataFrame, model: str, arms: Sequence[str]) -> str:
    for (arm, fold, seed), curve in rows.groupby(["arm", "fold", "seed"], sort=False):
        shade, style = colour(arms.index(arm)), dashes(arms.index(arm))
        score = curve["validation_balanced_accuracy"]
        axes.plot(curve["images"] / 1_000, score, color=shade, linestyle=style, alpha=0.75)
        told = (
            f"{arm}, fold {fold}, seed {seed}, {images:,.0f} images shown: {value:.3f}"
            for images, value in zip(curve["images"], score, strict=True)
        )
        add_tips(axes, zip(curve["images"] / 1_000, score, told, strict=True))
    axes.set(xlabel="Thousand images shown", ylabel="Balanced accuracy", title=short(model, 40))
    axes.set_xlim(left=0)
    return f"Balanced accuracy on validation against images shown, {model}, by arm"


def _draw_losses(
    axes: Axes, rows: pd.DataFrame, family: str, label: str, losses: Sequence[str]
) -> str:
    for _, curves in rows.groupby(["fold", "seed"], sort=False):
        for series, name in enumerate(losses):
            shade = colour(series)
            axes.plot(curves["images"] / 1_000, curves[name], color=shade, linewidth=1.3)
            told = (
                f"{name.replace('_', ' ')}, {images:,.0f} images shown: {value:.3f}"
                for images, value in zip(curves["images"], curves[name], strict=True)
            )
            add_tips(axes, zip(curves["images"] / 1_000, curves[name], told, strict=True))
    title = short(f"{label}, {family}", 30)
    axes.set(xlabel="Thousand real images shown", ylabel="Loss", title=title)
    axes.set_xlim(left=0)
    return f"Losses of {family} for {label} against images shown"


def loss_columns(journal: pd.DataFrame) -> list[str]:
    """Columns of a generator's journal that are losses; all numeric ones if none is named so."""
    numeric = [
        column
        for column in journal.select_dtypes("number").columns
        if column not in _CLOCK | {"fold", "seed"}
    ]
    return [column for column in numeric if "loss" in column] or numeric


def training_table(results: RunResults) -> Table | None:
    """Real and added training images by class and arm, over all trials; None if unknown."""
    columns: dict[str, list[Mapping[str, ImageCounts]]] = {}
    for trial in results.trials:
        columns.setdefault(trial.arm, []).append(trial.record.train_counts)
    if not columns:
        return None

    def text(counts: Sequence[ImageCounts]) -> str:
        added = spanned(count.synthetic for count in counts)
        return spanned(count.real for count in counts) + (f" + {added}" if added != "0" else "")

    rows = (
        (label, *(text([counts[label] for counts in found]) for found in columns.values()))
        for label in results.catalog.classes
    )
    caption = (
        "Training images by class: real + added by the dose (synthetic or replayed); fewest–most "
        "over folds and seeds."
    )
    return Table(caption, ("Class", *columns), tuple(rows))


def health_table(results: RunResults) -> Table | None:
    """Health of each generator's kept snapshot; None if it was not measured."""
    if not any(one.record.vitals for one in results.networks):
        return None
    rows = [
        (
            f"{one.family}, {one.drawn_classes}",
            f"{one.fold}/{one.seed}",
            one.record.diagnosis or "completed",
            f"{one.record.kept_images:,} of {one.record.images:,}",
            *(_sign(getattr(one.record.vitals, name, np.nan)) for name in _SIGNS),
        )
        for one in results.networks
    ]
    header = (
        "Generator",
        "Fold/seed",
        "Outcome",
        "Snapshot kept",
        "KID on random features",
        "Collapsed pairs",
        "Distance to training images",
        "Overfitting",
    )
    best = sorted({one.family for one in results.networks if one.record.config.keep == "best"})
    kept = _SELECTED.format(families=listed(best)) if best else "The last snapshot is kept. "
    caption = (
        f"Health of the generators, against validation images, never test images. {kept}"
        "Collapsed pairs: share of pairs nearer "
        "than 99 % of real pairs, in the worst class (0.01 is ideal). Distance to training images: "
        "distance to the nearest one, divided by that of validation lesions (1 is ideal; well "
        "below 1, images may be copies). Overfitting: how far the discriminator rates validation "
        "lesions like generated ones (0: not at all, 1: completely)."
    )
    return Table(caption, header, tuple(rows), texts=3)


def curation_table(results: RunResults) -> Table | None:
    """Images rejected by curation, by arm and class, over all trials."""
    found, reference = results.curation, results.experiment.reference
    if not found or reference is None:
        return None
    rows = [
        (
            *place,
            spanned(entry.pool for entry in entries),
            *(_removed(getattr(entry, rule) for entry in entries) for rule in _RULES),
            spanned(entry.kept for entry in entries),
            _real(entries),
        )
        for place, entries in found.items()
    ]
    copies = any(entry.copies is not None for entries in found.values() for entry in entries)
    caption = (
        "Curation: images drawn, images that each rule would reject, images that pass all rules; "
        "fewest–most over folds and seeds. Last column: real validation images of the class (of "
        "the half of the lesions that curation uses) that the rule on confidence would reject as "
        "well, over all trials. The reference classifier is "
        f"that of arm {reference.name} with the next seed (after the last one, the first). {NONE}: "
        f"the rule was not used or could not be applied.{f' {_COPIES}' if copies else ''}"
    )
    header = ("Arm", "Class", "Drawn", *_RULES.values(), "Pass", "Real ones not confident")
    return Table(caption, header, tuple(rows), texts=2)


def _real(entries: Sequence[CurationEntry]) -> str:
    """How many real images the rule on confidence would reject, over all trials."""
    told = [entry for entry in entries if entry.real is not None]
    rejected = sum(entry.real_unconfident or 0 for entry in told)
    return f"{rejected:,} of {sum(entry.real or 0 for entry in told):,}" if told else NONE


def _sign(value: float) -> str:
    return f"{value:.3g}".replace("-", "−") if np.isfinite(value) else NONE


def _removed(values: Iterable[int | None]) -> str:
    return spanned(value for value in values if value is not None)
