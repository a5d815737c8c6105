"""The description of a data set as pictures: four PNG files, legible with any colour vision."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dermaug.aside import written_aside
from dermaug.data.catalog import Catalog
from dermaug.data.description import CHANNELS, Description, image_colours, is_known
from dermaug.data.image_rows import Pixels
from dermaug.seeding import derive_seed

# Okabe & Ito (2008): told apart with any colour vision.
SEQUENCE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#F0E442")
UNKNOWN = "#b8c0c8"
CHANNEL_COLOURS = {"red": "#C23B22", "green": "#2E8B57", "blue": "#2F6DB5", "grey": "#707880"}
EXAMPLES = 10
DOTS_PER_INCH = 130
STYLE: Any = {
    "text.parse_math": False,  # a class may be named $x
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#d9dee3",
    "legend.frameon": False,
}


PICTURES = ("overview.png", "patients.png", "colour.png", "examples.png")
"""The files that `draw_all` writes."""
PICTURE_MARK = "Software\0Matplotlib"
"""What matplotlib notes in the beginning of every PNG file."""


def draw_all(
    description: Description, catalog: Catalog, images: Pixels, output: Path
) -> list[Path]:
    """Draw the four pictures of a description as PNG files.

    Args:
        description: Of the same catalog and images.
        catalog: The data set.
        images: Its pixels in its order.
        output: Folder; it is created.

    Returns:
        The files, in the order of reading.
    """
    with mpl.rc_context(STYLE):
        figures = (
            draw_overview(description),
            draw_patients(description),
            draw_colour(catalog, images),
            draw_examples(catalog, images),
        )
        for name, figure in zip(PICTURES, figures, strict=True):
            figure.suptitle(f"{catalog.name}: {name.removesuffix('.png')}", x=0.01, ha="left")
            with written_aside(output / name) as aside:
                figure.savefig(aside, dpi=DOTS_PER_INCH, format="png")
    return [output / name for name in PICTURES]


def draw_overview(description: Description) -> Figure:
    """Images, lesions or else patients per class, and the number of images per lesion."""
    classes, per_lesion = description.classes, description.images_per_lesion
    counted = [name for name in ("images", "lesions", "patients") if name in classes][:2]
    figure, (left, *right) = _figure(1, 2 if len(per_lesion) else 1, 11, 1.6 + 0.42 * len(classes))
    rows = np.arange(len(classes))
    places = ((-0.2, SEQUENCE[0]), (0.2, SEQUENCE[4]))
    for column, (offset, colour) in zip(counted, places, strict=False):
        bars = left.barh(rows + offset, classes[column], 0.38, color=colour, label=column)
        left.bar_label(bars, fmt="{:,.0f}", padding=3, fontsize=9)
    _class_axis(left, list(classes.index))
    left.set(title=f"{' and '.join(counted).capitalize()} of each class", xlabel="Number")
    left.xaxis.set_major_formatter("{x:,.0f}")
    left.margins(x=0.14)
    # A place of its own: the search for the best one takes time, and matplotlib then warns.
    left.legend(loc="upper right", bbox_to_anchor=(1, -0.07), ncols=2)
    if right:
        shades = np.linspace(0.08, 0.95, per_lesion.shape[1])
        colours = [mpl.colormaps["viridis_r"](x) for x in shades]
        _shares(right[0], per_lesion.T, colours, "Lesions by their number of images")
    return figure


def draw_patients(description: Description) -> Figure:
    """Age, body site, sex and diagnostic confirmation, each as shares of the images of a class.

    Those of which nothing is known say so.
    """
    number = description.classes.shape[0]
    figure, axes = _figure(2, 2, 13, 3.4 + 0.8 * number)
    for axis, draw, table, title in (
        (axes[0], _heat, description.age, "Age in years"),
        (axes[1], _heat, description.localization, "Body site"),
        (axes[2], _parts, description.sex, "Sex"),
        (axes[3], _parts, description.dx_type, "Diagnostic confirmation"),
    ):
        if is_known(table):
            draw(axis, table, title)
        else:
            axis.set(title=f"{title}: unknown")
            axis.axis("off")
    return figure


def _parts(axis: Axes, table: pd.DataFrame, title: str) -> None:
    known = [name for name in table.index if name != "unknown"]
    colour_of = {name: SEQUENCE[i % len(SEQUENCE)] for i, name in enumerate(known)}
    _shares(axis, table, [colour_of.get(name, UNKNOWN) for name in table.index], title)


def draw_colour(catalog: Catalog, images: Pixels) -> Figure:
    """Spread over images of the mean red, green, blue and grey, by class."""
    colours, labels = image_colours(images), catalog.labels
    groups = [colours[labels == index] for index in range(catalog.num_classes)]
    figure, axes = _figure(1, 4, 13, 1.7 + 0.34 * catalog.num_classes, sharex=True)
    for channel, axis in enumerate(axes):
        name = CHANNELS[channel]
        boxes = axis.boxplot(
            [group[:, channel] for group in groups],
            orientation="horizontal",
            positions=range(len(groups)),
            widths=0.6,
            whis=(5, 95),
            showfliers=False,
            patch_artist=True,
            medianprops={"color": "white", "linewidth": 1.6},
        )
        for box in boxes["boxes"]:
            box.set(facecolor=CHANNEL_COLOURS[name], edgecolor="none")
        _class_axis(axis, list(catalog.classes) if channel == 0 else [""] * len(groups))
        axis.set(title=name.capitalize(), xlim=(0, 255), xticks=(0, 64, 128, 192, 255))
    figure.supxlabel(
        "mean of an image, 0 to 255 (box: middle half of the images, line: 5 to 95 %)", fontsize=10
    )
    return figure


def draw_examples(catalog: Catalog, images: Pixels) -> Figure:
    """A row of images for each class, of different lesions, chosen by a fixed seed."""
    size, gap = images.shape[1], max(1, images.shape[1] // 32)
    step = size + gap
    grid = np.full((catalog.num_classes * step - gap, EXAMPLES * step - gap, 3), 255, np.uint8)
    for index, label in enumerate(catalog.classes):
        for place, row in enumerate(_example_rows(catalog, index, label)):
            top, left = index * step, place * step
            grid[top : top + size, left : left + size] = images[row]
    figure, (axis,) = _figure(1, 1, 10.2, 9.0 * grid.shape[0] / grid.shape[1] + 0.7)
    axis.imshow(grid, interpolation="nearest" if size >= 64 else "bicubic")
    axis.set(xticks=[])
    axis.set_yticks(np.arange(catalog.num_classes) * step + size / 2, list(catalog.classes))
    axis.tick_params(length=0, labelsize=11)
    axis.spines[:].set_visible(False)
    return figure


def _example_rows(catalog: Catalog, index: int, label: str) -> np.ndarray:
    rows = np.flatnonzero(catalog.labels == index)
    lesions = catalog.table["lesion_id"].iloc[rows]
    first = rows[~lesions.duplicated().to_numpy()] if catalog.grouped else rows
    order = np.random.default_rng(derive_seed("examples", label)).permutation(len(first))
    return first[order[:EXAMPLES]]


def _figure(
    rows: int, columns: int, width: float, height: float, *, sharex: bool = False
) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=sharex)
    return figure, list(axes.ravel())


def _class_axis(axis: Axes, names: Sequence[str]) -> None:
    """Classes downwards, as in the tables."""
    axis.set_yticks(np.arange(len(names)), names)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x")


def _percent(table: pd.DataFrame) -> pd.DataFrame:
    """Each column as shares of its sum; an empty class gets zeros."""
    return 100 * table / table.sum().clip(lower=1)


def _shares(axis: Axes, table: pd.DataFrame, colours: Sequence[Any], title: str) -> None:
    """Stacked bars, one per class (the columns), the rows of the table as parts."""
    percent = _percent(table)
    start = np.zeros(percent.shape[1])
    for (name, values), colour in zip(percent.iterrows(), colours, strict=True):
        width = values.to_numpy(dtype=float)
        bars = {"color": colour, "edgecolor": "white", "linewidth": 0.8, "label": str(name)}
        axis.barh(np.arange(len(width)), width, 0.72, left=start, **bars)
        start += width
    _class_axis(axis, [str(name) for name in percent.columns])
    axis.set(title=title, xlim=(0, 100), xlabel="Percent of the class")
    root = axis.get_figure(root=True)
    assert root is not None
    below = -46 / 72 / (root.get_figheight() * axis.get_position().height)
    size = {"fontsize": 9, "handlelength": 1, "columnspacing": 1.2}
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, below), "ncols": min(len(percent), 6)}
    axis.legend(**place, **size)


def _heat(axis: Axes, table: pd.DataFrame, title: str) -> None:
    """Shares of each class (a row) over the values (the columns), as colours and numbers."""
    percent = _percent(table).T
    axis.imshow(
        percent, cmap="Blues", vmin=0, vmax=max(1.0, percent.to_numpy().max()), aspect="auto"
    )
    axis.set_xticks(
        np.arange(percent.shape[1]), [str(x) for x in percent.columns], rotation=40, ha="right"
    )
    axis.set_yticks(np.arange(len(percent)), [str(name) for name in percent.index])
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.set(title=f"{title} (percent of the class)")
    shares = percent.to_numpy(dtype=float)
    for row, column in np.argwhere(shares >= 0.5) if shares.size <= 400 else ():
        share = shares[row, column]
        colour = "white" if share > 0.6 * shares.max() else "#1f2933"
        axis.text(column, row, f"{share:.0f}", ha="center", va="center", color=colour, fontsize=9)
