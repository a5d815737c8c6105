"""How images and lesions came into the splits, and what the splits hold (flow diagram, table 1)."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from dermaug.data.catalog import Catalog
from dermaug.data.class_names import class_words
from dermaug.data.splits import PARTS
from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Block, Figure, Panel, Section, Table
from dermaug.report.drawing import INK, drawing, svg
from dermaug.report.formats import counted
from dermaug.report.sections.leakage import NO_PART

UNKNOWN = "unknown"
MOST_SITES = 5
"""Body sites in the table; the others are counted together."""
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
    boxes = flow_numbers(results)
    with drawing(7.4, 3.4) as axes:
        _draw(axes, boxes)
        told = "; ".join(map(_words, map(Box._make, boxes.itertuples(index=False))))
        panel = Panel("flow.svg", told, svg(axes))
    fold = results.folds[0]
    alike = " (the other folds are alike)" if len(results.folds) > 1 else ""
    caption = (
        f"Flow of images into the splits of fold {fold.index}{alike}, beginning with "
        "the images that the experiment asks for; those that it leaves out (classes, exclusions) "
        "are named in the notes on the data. dermaug knows nothing of exclusions when the data "
        "were collected: add those."
    )
    return Figure("flow", caption, (panel,), boxes, width=640)


def flow_numbers(results: RunResults) -> pd.DataFrame:
    """One row per box of the diagram: box, images, lesions and patients (NaN where unknown)."""
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
    rows += [_counted(name, part) for name, part in used.items()]
    return pd.DataFrame(rows, columns=list(Box._fields))


def _counted(box: str, catalog: Catalog) -> Box:
    """Images, lesions where they are known, and patients where they are what is kept together."""
    lesions = catalog.table["lesion_id"].nunique() if catalog.grouped else np.nan
    patients = catalog.table["patient_id"]
    named = patients[patients != ""].nunique() if catalog.unit == "patient" else np.nan
    return Box(box, len(catalog), lesions, named)


def split_characteristics(results: RunResults) -> Table:
    """Table 1: what is known of the images of each split of the first fold."""
    catalog, fold = results.catalog, results.folds[0]
    splits = [catalog.take(catalog.rows(ids)) for ids in fold.parts.values()]
    rows = [(name, *values) for name, values in _lines(catalog, splits)]
    header = ("", *(name.capitalize() for name in fold.parts))
    caption = (
        f"Characteristics of the splits of fold {fold.index}: images (share of the split). Age is "
        "the mean ± SD over images of known age."
    )
    return Table(caption, header, tuple(rows))


def _lines(catalog: Catalog, splits: list[Catalog]) -> Iterator[tuple[str, list[str]]]:
    yield "Images", [f"{len(one):,}" for one in splits]
    lesions = [f"{one.table['lesion_id'].nunique():,}" for one in splits]
    yield "Lesions", lesions if catalog.grouped else [UNKNOWN] * len(splits)
    if (catalog.table["patient_id"] != "").any():
        known = [one.table.loc[one.table["patient_id"] != "", "patient_id"] for one in splits]
        yield "Patients", [f"{one.nunique():,}" for one in known]
    for label in catalog.classes:
        yield f"Class {class_words(label)}", [_share(one.table["label"] == label) for one in splits]
    if catalog.table["age"].notna().any():
        yield "Age in years", [_age(one.table["age"].astype(float)) for one in splits]
        yield "Age unknown", [_share(one.table["age"].isna()) for one in splits]
    words = {"sex": "Sex", "localization": "Body site", "dx_type": "Diagnosis by"}
    for column, name in (words | {"skin_tone": "Skin tone"}).items():
        values = catalog.table[column].astype(str)
        if set(values) == {UNKNOWN}:
            yield f"{name}: {UNKNOWN}", [_share(one.table[column] == UNKNOWN) for one in splits]
            continue
        kept = [value for value in values.value_counts().index if value != UNKNOWN][:MOST_SITES]
        for value in kept:
            yield f"{name}: {value}", [_share(one.table[column] == value) for one in splits]
        rest = [~one.table[column].isin(kept) for one in splits]
        if any(each.any() for each in rest):
            yield f"{name}: other or {UNKNOWN}", [_share(each) for each in rest]


def _share(there: pd.Series) -> str:
    return f"{int(there.sum()):,} ({100 * there.mean():.1f} %)"


def _age(years: pd.Series) -> str:
    return f"{years.mean():.1f} ± {years.std():.1f}" if years.notna().sum() > 1 else "–"


def _draw(axes: Axes, boxes: pd.DataFrame) -> None:
    """Boxes from top to bottom, those left out to the right, the splits side by side."""
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.axis("off")
    words = {row.box: _words(row) for row in map(Box._make, boxes.itertuples(index=False))}
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
