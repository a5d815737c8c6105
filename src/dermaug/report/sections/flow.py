"""How images, lesions and patients came into the splits, as a flow diagram."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from dermaug.data.catalog import Catalog
from dermaug.data.splits import PARTS
from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Block, Figure, Panel, Section
from dermaug.report.drawing import INK, drawing, svg
from dermaug.report.formats import counted
from dermaug.report.sections.characteristics import split_characteristics
from dermaug.report.sections.leakage import NO_PART

UNREADABLE = "unreadable, left out"


class Box(NamedTuple):
    """A box of the diagram; NaN lesions or patients are unknown."""

    box: str
    images: int
    lesions: float = np.nan
    patients: float = np.nan


def flow_section(results: RunResults) -> Section:
    """The diagram, and the table of the first fold."""
    content: list[Block] = [flow_diagram(results), split_characteristics(results)]
    return Section("flow", "From the data set into the splits", content)


def flow_diagram(results: RunResults) -> Figure:
    """Images, lesions and patients from the data set to the splits of the first fold."""
    boxes = flow_boxes(results)
    with drawing(7.4, 3.4) as axes:
        _draw(axes, boxes)
        panel = Panel("flow.svg", "; ".join(map(_words, boxes)), svg(axes))
    fold = results.folds[0]
    alike = " (the other folds are alike)" if len(results.folds) > 1 else ""
    caption = (
        f"Flow of images into the splits of fold {fold.index}{alike}, beginning with "
        "the images that the experiment asks for; those that it leaves out (classes, exclusions) "
        "are named in the notes on the data. dermaug knows nothing of exclusions when the data "
        "were collected: add those."
    )
    return Figure("flow", caption, (panel,), pd.DataFrame(boxes), width=640)


def flow_boxes(results: RunResults) -> list[Box]:
    """The boxes of the diagram, from the data set to the splits."""
    catalog, fold = results.catalog, results.folds[0]
    skipped = len(results.record.data.skipped)
    used = {name: catalog.take(catalog.rows(ids)) for name, ids in fold.parts.items()}
    images = pd.Index(catalog.image_ids)
    rest = images.difference(pd.Index(np.concatenate([each.image_ids for each in used.values()])))
    rows = [Box("selected", len(catalog) + skipped)]
    if skipped:
        rows.append(Box(UNREADABLE, skipped))
    rows.append(_counted("used", catalog))
    if len(rest):
        rows.append(_counted(NO_PART, catalog.take(catalog.rows(list(rest)))))
    return rows + [_counted(name, part) for name, part in used.items()]


def _counted(box: str, catalog: Catalog) -> Box:
    """Images, lesions where they are known, and patients where they are what is kept together."""
    lesions = catalog.table["lesion_id"].nunique() if catalog.grouped else np.nan
    patients = catalog.table["patient_id"]
    named = patients[patients != ""].nunique() if catalog.unit == "patient" else np.nan
    return Box(box, len(catalog), lesions, named)


def _draw(axes: Axes, boxes: list[Box]) -> None:
    """Boxes from top to bottom, those left out to the right, the splits side by side."""
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.axis("off")
    words = {each.box: _words(each) for each in boxes}
    splits = [name for name in words if name in PARTS]
    _box(axes, 0.38, 0.88, words["selected"])
    _arrow(axes, (0.38, 0.78), (0.38, 0.62))
    _box(axes, 0.38, 0.52, words["used"])
    for name in words.keys() - {"selected", "used", *splits}:
        height = 0.70 if name == UNREADABLE else 0.34
        _arrow(axes, (0.38, height), (0.62, height))
        _box(axes, 0.82, height, words[name])
    for place, name in zip(np.linspace(0.15, 0.85, len(splits)), splits, strict=True):
        _arrow(axes, (0.38, 0.42), (place, 0.2))
        _box(axes, place, 0.1, words[name])


def _box(axes: Axes, x: float, y: float, text: str) -> None:
    frame = {"boxstyle": "square,pad=0.5", "facecolor": "white", "edgecolor": INK, "linewidth": 1}
    lines = text.replace(": ", "\n")
    axes.text(x, y, lines, ha="center", va="center", bbox=frame, fontsize=9, zorder=3)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    arrow = {"arrowstyle": "->", "color": "#8a949e", "linewidth": 1.2}
    axes.annotate("", end, start, arrowprops=arrow, zorder=1)


def _words(row: Box) -> str:
    parts = ((row.lesions, "lesion"), (row.patients, "patient"))
    known = (counted(int(number), unit) for number, unit in parts if not np.isnan(number))
    return f"{row.box}: {', '.join((counted(row.images, 'image'), *known))}"
