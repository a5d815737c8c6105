"""Real and synthetic images of each class side by side."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from dermaug.config.translation import set_name
from dermaug.data.class_names import class_words
from dermaug.experiment.run.results import GeneratorResult, RunResults
from dermaug.report.blocks import Block, Figure, Panel, Section
from dermaug.report.drawing import file_name, png, sheet
from dermaug.report.sections.about_drawn import about_drawn
from dermaug.seeding import derive_seed

COLUMNS, ROWS = 6, 4
"""Columns of a grid of images."""
NUMBERS = ("family", "label", "fold", "seed", "training_images", "real_shown", "drawn_shown")
"""Columns of the numbers beside the grids; `family` is the name of the set."""


def image_section(results: RunResults, audits: pd.DataFrame) -> Section:
    """What is known of the generated images, and those of the first generator of each class."""
    grids = sample_grids(results)
    content: list[Block] = [*about_drawn(results, audits), grids] if grids else []
    return Section("images", "Real and synthetic images", content, "Images")


def sample_grids(results: RunResults) -> Figure | None:
    """Two panels per generator family and class: training images and images drawn from noise.

    One more panel shows the class in each set that was drawn from training images. Only the first
    finished generator of each family and class is shown, without selection of images; the real
    images come from the training split of its fold.

    Returns:
        None without generators.
    """
    first = first_generators(results)
    if not first:
        return None
    panels, rows = [], []
    for index, generator in enumerate(first):
        real, total = training_images(results, generator)
        title = f"{class_words(generator.label)}: {len(real)} of {total:,} real"
        panels.append(_panel(generator, index, generator.family, "real", real, title))
        for how, drawn in [(None, generator.samples), *generator.translated.items()]:
            name, shown = set_name(generator.family, how), drawn[: COLUMNS * ROWS]
            kind = "translated" if how else "synthetic"
            title = f"{class_words(generator.label)}: {len(shown)} {kind}"
            panels.append(_panel(generator, index, name, kind, shown, title))
            place = (name, generator.label, generator.fold, generator.seed)
            rows.append((*place, total, len(real), len(shown)))
    if len({panel.group for panel in panels}) == 1:
        panels = [replace(panel, group="") for panel in panels]
    numbers = pd.DataFrame(rows, columns=list(NUMBERS))
    return Figure("samples", _caption(first), tuple(panels), numbers, width=300)


def first_generators(results: RunResults) -> list[GeneratorResult]:
    """The first finished generator of each family and class."""
    first: dict[tuple[str, str], GeneratorResult] = {}
    for generator in results.generators:
        first.setdefault((generator.family, generator.label), generator)
    return list(first.values())


def _panel(
    generator: GeneratorResult,
    index: int,
    name: str,
    kind: str,
    images: UInt8[np.ndarray, "n h w 3"],
    title: str,
) -> Panel:
    """A grid of images of a set, or of the real images beside it."""
    source = "training split" if kind == "real" else name
    where = f"fold {generator.fold}, seed {generator.seed}"
    alt = f"{kind} images of class {generator.label}, {source}, {where}"
    file = file_name("samples", index, name, generator.label, kind, ending="png")
    return Panel(file, alt, png(sheet(images, COLUMNS)), title, name)


def _caption(generators: Sequence[GeneratorResult]) -> str:
    families = dict.fromkeys(generator.family for generator in generators)
    translated = (
        " Images under a name with “from” were translated: drawn not from latents alone but from "
        "training images and latents, beginning at that time of the path from noise (0) to image "
        "(1)."
    )
    return (
        "Left of each pair: real images of the training split, sampled at random; right: images of "
        f"the {' and '.join(families)} generator{'s' if len(families) > 1 else ''}, not selected. "
        "All classes are drawn from the same latents, so that the images of a generator of several "
        "classes may resemble each other from class to class; the audit says how often "
        "the class of its images is recognised."
        f"{translated if any(one.translated for one in generators) else ''} First fold and "
        "generator seed."
    )


def training_images(
    results: RunResults, generator: GeneratorResult
) -> tuple[UInt8[np.ndarray, "n h w 3"], int]:
    """Some real images of the generator's class from its training split, and their total number."""
    (fold,) = (fold for fold in results.folds if fold.index == generator.fold)
    rows = results.catalog.rows(fold.train)
    table = results.catalog.table
    rows = rows[(table["label"].iloc[rows] == generator.label).to_numpy()]
    shuffle = np.random.default_rng(derive_seed("report", generator.label, generator.fold))
    chosen = shuffle.permutation(rows)[: COLUMNS * ROWS]
    return np.asarray(results.images[chosen]), len(rows)
