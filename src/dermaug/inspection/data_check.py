"""Check a data set the way a run would: its contents, and everything that a run would refuse."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dermaug.config import DataConfig
from dermaug.data.catalog import Catalog
from dermaug.data.check import Checked, check_catalog
from dermaug.data.description import class_counts
from dermaug.data.grouping import equal_links
from dermaug.data.parallel import Progress
from dermaug.data.selection import require_labels
from dermaug.data.sources import open_catalog, recognised_as
from dermaug.data.twins import (
    contradiction_lines,
    contradictions,
    equal_sentence,
    exclusion,
    similar_label_lines,
)
from dermaug.experiment.run.data import Twins, find_twins
from dermaug.files import expanded
from dermaug.inspection.overlap import overlap, split_overlap

LISTED = 20
FEWEST = 3
"""Smallest number of groups per class, for one each in training, validation and test."""


@dataclass(frozen=True, eq=False)
class Examination:
    """The result of a data check.

    Args:
        catalog: The data set.
        counts: Class -> images, lesions, and patients if any are known.
        sentences: The layout, and remarks on the grouping, on reading the data, and on duplicates.
        pairs: One line per pair of images of different groups that show one photograph.
        refused: One line per finding that a run would refuse.
        shared: What its given splits have in common, and another data set with it.
    """

    catalog: Catalog
    counts: pd.DataFrame
    sentences: tuple[str, ...]
    pairs: tuple[str, ...]
    refused: tuple[str, ...]
    shared: tuple[str, ...] = ()


def examine(
    config: DataConfig, progress: Progress | None = None, against: Path | None = None
) -> Examination:
    """Decode every image of a data set and compare all of them.

    Args:
        config: The data set, and what is wanted of its labels.
        progress: Called with (done, total) while images are decoded.
        against: Another data set; None compares with none.

    Raises:
        DermaugError: The path cannot be read as a data set, or has no such label.
    """
    path = expanded(config.source, "data.source")
    catalog = open_catalog(path, config.label_map)
    require_labels(catalog, config)
    checked, names = (
        check_catalog(catalog, None, progress, config.max_pixels),
        (str(path), str(against)),
    )
    sound, pixels = checked.catalog, checked.contents.pixels
    twins = find_twins(sound, pixels, checked.contents.details)
    said = (equal_sentence(sound, pixels), twins.sentence(sound.unit))
    return Examination(
        catalog,
        class_counts(catalog),
        (recognised_as(path), grouping_sentence(catalog), *catalog.notes, *filter(None, said)),
        tuple(_pair_lines(checked, twins)),
        tuple(_refused(checked, catalog)),
        (
            *split_overlap(checked),
            *(overlap(checked, names, against, config.label_map, progress) if against else ()),
        ),
    )


def grouping_sentence(catalog: Catalog) -> str:
    """State how a run groups the images by default."""
    number = len(set(catalog.groups))
    unknown = int((catalog.table["patient_id"] == "").sum())
    if catalog.unit == "patient":
        rest = f", {unknown:,} images without one by lesion" if unknown else ""
        return f"A run groups the images by patient{rest}: {number:,} groups."
    lesions = "lesion" if catalog.grouped else "image, since lesions are unknown"
    return f"A run groups by {lesions}: {number:,} groups. The data name no patients."


def _pair_lines(checked: Checked, twins: Twins) -> list[str]:
    catalog = checked.catalog
    groups, ids = catalog.groups, catalog.image_ids
    first, second = equal_links(checked.contents.pixels)
    apart = groups[first] != groups[second]
    equal = zip(ids[first[apart]], ids[second[apart]], strict=True)
    told = dict(zip(ids, zip(catalog.table["label"], groups, strict=True), strict=True))

    def both(one: str, other: str) -> str:
        return " and ".join(f"{name} ({', '.join(told[name])})" for name in (one, other))

    lines = [f"equal pixels: {both(*pair)}" for pair in equal]
    lines += [
        f"near-duplicates: {both(one, other)}, correlation of detail {value:.2f}"
        for one, other, value in twins.pairs
    ]
    return _cut(lines)


def _refused(checked: Checked, catalog: Catalog) -> list[str]:
    sound = checked.catalog
    lines = [f"unfit file: {bad}" for bad in checked.bad]
    if lines:
        lines.append("unfit files can be left out: --set data.on_bad=skip")
    lines += [f"labels: {line}" for line in similar_label_lines(catalog)]
    found = contradictions(sound, checked.contents.pixels)
    lines += [
        f"equal images with different labels: {line}; keep one: {exclusion([images])}"
        for images, line in zip(found, contradiction_lines(sound, found), strict=True)
    ]
    if catalog.num_classes < 2:
        lines.append(f"classes: expected at least two, found {', '.join(catalog.classes)}")
    groups = pd.Series(sound.groups).groupby(sound.table["label"].to_numpy()).nunique()
    for label in catalog.classes:
        if (number := int(groups.get(label, 0))) < FEWEST:
            lines.append(
                f"class {label!r}: {number} {catalog.unit}s, a run needs {FEWEST}; leave it out "
                "with data.classes, or merge it in data.groups"
            )
    return lines


def _cut(lines: list[str]) -> list[str]:
    hidden = len(lines) - LISTED
    return lines if hidden <= 0 else [*lines[:LISTED], f"and {hidden:,} more pairs"]
