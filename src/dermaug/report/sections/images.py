"""Real and synthetic images of each class side by side."""

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from dermaug.data.class_names import class_words
from dermaug.experiment.run.results import GeneratorResult, RunResults
from dermaug.report.blocks import Block, Figure, Panel, Section
from dermaug.report.drawing import file_name, png, sheet
from dermaug.report.sections.about_drawn import about_drawn
from dermaug.seeding import derive_seed

COLUMNS, ROWS = 6, 4
"""Columns of a grid of images."""


def image_section(results: RunResults, audits: pd.DataFrame) -> Section:
    """What is known of the generated images, and those of the first generator of each class.

    Args:
        results: The run.
        audits: Numbers of its audits; may be empty.
    """
    grids = sample_grids(results)
    content: list[Block] = [*about_drawn(results, audits), grids] if grids else []
    return Section("images", "Real and synthetic images", content, "Images")


def sample_grids(results: RunResults) -> Figure | None:
    """Two panels per generator family and class: training images and generated images.

    Only the first finished generator of each family and class is shown, without selection of
    images; the real images come from the training split of its fold.

    Returns:
        None without generators.
    """
    first: dict[tuple[str, str], GeneratorResult] = {}
    for generator in results.generators:
        first.setdefault((generator.family, generator.label), generator)
    if not first:
        return None
    families = dict.fromkeys(family for family, _ in first)
    panels, rows = [], []
    for index, (key, generator) in enumerate(first.items()):
        real, total = training_images(results, generator)
        where = f"fold {generator.fold}, seed {generator.seed}"
        words = class_words(generator.label)
        shown = min(COLUMNS * ROWS, len(generator.samples))
        for kind, images, title in (
            ("real", real, f"{words}: {len(real)} of {total:,} real"),
            ("synthetic", generator.samples, f"{words}: {shown} synthetic"),
        ):
            name = file_name("samples", index, *key, kind, ending="png")
            source = "training split" if kind == "real" else generator.family
            alt = f"{kind} images of class {generator.label}, {source}, {where}"
            pixels = png(sheet(images[: COLUMNS * ROWS], COLUMNS))
            group = generator.family if len(families) > 1 else ""
            panels.append(Panel(name, alt, pixels, title, group))
        rows.append((*key, generator.fold, generator.seed, total, len(real), shown))
    columns = ["family", "label", "fold", "seed", "training_images", "real_shown", "drawn_shown"]
    caption = (
        "Left of each pair: real images of the training split, sampled at random; right: images of "
        f"the {' and '.join(families)} generator{'s' if len(families) > 1 else ''}, not selected. "
        "All classes are drawn from the same latents, so that the images of a generator of several "
        "classes may resemble each other from class to class; the audit says how often "
        "the class of its images is recognised. First fold and generator seed."
    )
    return Figure("samples", caption, tuple(panels), pd.DataFrame(rows, columns=columns), width=300)


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
