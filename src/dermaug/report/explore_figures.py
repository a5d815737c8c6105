"""Picture sheets of an exploration: walks, arithmetic and pairs of training images."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from dermaug.inspection.exploration import Exploration
from dermaug.report.figures import Figure, Panel, file_name, png
from dermaug.synthesis.walks import Walk
from dermaug.training.grids import contact_sheet

_LEAST_SIDE = 64  # smaller images are enlarged by a whole factor


def exploration_figures(found: Exploration) -> dict[str, Figure]:
    """Every sheet that has pictures, by name: walks, arithmetic, duplicates."""
    drawn = (walk_figure(found), arithmetic_figure(found), duplicate_figure(found))
    return {figure.name: figure for figure in drawn if figure is not None}


def walk_figure(found: Exploration) -> Figure:
    """One sheet for the walks within classes and one for those from class to class."""
    within = [walk for walk in found.walks if walk.start == walk.end]
    between = [walk for walk in found.walks if walk.start != walk.end]
    panels = [_walk_panel("walks", "Between random latents", within)]
    if between:
        panels.append(_walk_panel("class_walks", "From class to class, one latent", between))
    caption = (
        "Each row is one walk, from left to right in even steps through the latents; the next row "
        "of a class begins where the last one ended. Images change little by little where a "
        "generator has learnt what lesions are, and jump where it has learnt some by heart."
    )
    return Figure("walks", caption, tuple(panels), found.tables["walks"], width=700)


def arithmetic_figure(found: Exploration) -> Figure:
    """One sheet a class and trait: direction taken away, fresh images, added, control added."""
    panels = []
    for index, ((label, trait), one) in enumerate(found.arithmetic.items()):
        rows, columns = one.images.shape[:2]
        pixels = sheet(one.images.reshape(rows * columns, *one.images.shape[2:]), columns)
        title = f"{label}: {trait}"
        name = file_name("arithmetic", index, label, trait, ending="png")
        alt = f"{title}. Rows: less of it, fresh images, more of it, a control direction"
        panels.append(Panel(name, alt, png(pixels), title))
    caption = (
        "Rows from above: the direction taken away, fresh images that had no part in it, the "
        "direction added, a control direction of the same length added."
    )
    return Figure("arithmetic", caption, tuple(panels), found.tables["arithmetic"], width=480)


def duplicate_figure(found: Exploration) -> Figure | None:
    """The most alike training images of different lesions, one above the other; None without."""
    number = found.pairs.shape[1]
    if not number:
        return None
    images = found.pairs.reshape(2 * number, *found.pairs.shape[2:])
    panel = Panel(
        "duplicates.png",
        "Training images of different lesions that are most alike, one above the other",
        png(sheet(images, number)),
    )
    caption = (
        "Pairs of training images of different lesions, the most alike first, the upper one turned "
        "to fit. Real images of patients: do not pass this picture on."
    )
    return Figure("duplicates", caption, (panel,), found.duplicates, width=700)


def sheet(images: UInt8[np.ndarray, "n s s 3"], columns: int) -> UInt8[np.ndarray, "y x 3"]:
    """A contact sheet whose images are enlarged to at least 64 pixels."""
    factor = max(1, -(-_LEAST_SIDE // images.shape[1]))
    return contact_sheet(images.repeat(factor, axis=1).repeat(factor, axis=2), columns)


def _walk_panel(name: str, title: str, walks: Sequence[Walk]) -> Panel:
    images = np.concatenate([walk.images for walk in walks])
    ways = ", ".join(dict.fromkeys(f"{walk.start} to {walk.end}" for walk in walks))
    alt = f"{title}: {ways}"
    return Panel(f"{name}.png", alt, png(sheet(images, len(walks[0].images))), title)
