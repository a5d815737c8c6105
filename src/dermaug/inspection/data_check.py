"""Check a data set the way a run would: its contents, and everything that a run would refuse."""

import json
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from dermaug.config import DataConfig
from dermaug.config.data import LEAVE_OUT_UNCLEAR, Reading
from dermaug.data.catalog import Catalog
from dermaug.data.cells import TONE_NOTES, UNKNOWN
from dermaug.data.check import Checked, check_catalog
from dermaug.data.description import class_counts
from dermaug.data.findings import UnclearError
from dermaug.data.label_map import counted, relabel
from dermaug.data.parallel import Progress
from dermaug.data.selection import require_labels
from dermaug.data.similar_labels import (
    kind_sentences,
    merges,
    merging_options,
    number_sentences,
    similar_label_lines,
)
from dermaug.data.sources import open_catalog, recognised_as
from dermaug.data.sources.own_tables import likely_table
from dermaug.data.twins import contradiction_lines, contradictions, equal_sentence, exclusion
from dermaug.data.unread_files import unread_sentence
from dermaug.errors import DermaugError
from dermaug.experiment.recipe.rules import FEWEST_LESIONS
from dermaug.experiment.run.data import Twins, find_twins, with_twins
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
        refused: One line per finding that a run would refuse; what is unclear is left out of all
            else.
        repairs: Options of `dermaug plan`, and their values, that mend what a plan does not mend by
            itself.
        can_be_planned: Whether enough is left for `dermaug plan` after these repairs.
        shared: What its given splits have in common, and another data set with it.
    """

    catalog: Catalog
    counts: pd.DataFrame
    sentences: tuple[str, ...]
    pairs: tuple[str, ...]
    refused: tuple[str, ...]
    repairs: tuple[str, ...] = ()
    can_be_planned: bool = True
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
    catalog, unclear, reading = _opened(path, config.reading)
    require_labels(catalog, config)
    checked, names = (
        check_catalog(catalog, None, progress, config.max_pixels),
        (str(path), str(against)),
    )
    sound, pixels = checked.catalog, checked.contents.pixels
    merged = merges(catalog, config.label_map)
    twins = find_twins(sound, pixels, checked.contents.details)
    left_out = [label for label, usual in merged.items() if not usual]
    kept = np.flatnonzero(~sound.table["label"].isin(left_out))
    doubtful = contradictions(relabel(sound, merged), [pixels[row] for row in kept])
    agreeing = kept[~np.isin(sound.image_ids[kept], list(chain(*doubtful)))]
    equal = sound.take(agreeing), [pixels[row] for row in agreeing]
    said = (
        *kind_sentences(catalog, config.label_map),
        *number_sentences(catalog, config.label_map),
        equal_sentence(*equal),
        twins.sentence(sound.unit),
    )
    return Examination(
        catalog,
        class_counts(catalog),
        (
            *_reading_sentences(catalog, with_twins(sound, pixels, twins), path, reading.columns),
            *filter(None, said),
        ),
        tuple(_cut([*_equal_lines(*equal), *_twin_lines(sound, twins)])),
        (
            *unclear,
            *_unfit_lines(checked),
            *(f"labels: {line}" for line in similar_label_lines(catalog, config.label_map)),
            *_contradiction_lines(sound, doubtful),
            *_class_lines(relabel(sound, merged)),
        ),
        (*_reading_options(config.reading, reading), *_repairs(merged, doubtful)),
        _can_be_planned(relabel(equal[0], merged)),
        (
            *split_overlap(checked),
            *(overlap(checked, names, against, config, progress) if against else ()),
        ),
    )


def _opened(path: Path, reading: Reading) -> tuple[Catalog, tuple[str, ...], Reading]:
    """A data set, the doubts in it, and how it can be read in spite of them.

    Columns that are only likely, and what can be left out as unclear, are such doubts.
    """
    try:
        return open_catalog(path, reading), (), reading
    except UnclearError as error:
        without = replace(reading, unclear="leave_out")
        try:
            return open_catalog(path, without), error.details, without
        except DermaugError as other:
            then = f"with {LEAVE_OUT_UNCLEAR}: {other.message}"
            raise DermaugError(error.message, (*error.details, then, *other.details)) from None
    except DermaugError as error:
        columns, others = ({}, []) if reading.columns else likely_table(path)
        if not columns:
            raise
        try:
            catalog, unclear, read = _opened(path, replace(reading, columns=columns))
        except DermaugError:
            raise error from None
        options = shlex.join(DataConfig().with_columns(columns).as_options)
        also = f" (or {', '.join(map(repr, others))} for the labels)" if others else ""
        line = f"columns: it is open which hold the images and the labels; likely {options}{also}"
        return catalog, (line, *unclear), read


def _reading_options(asked: Reading, read: Reading) -> list[str]:
    """Options of the command line that read data as they were read, besides those asked for."""
    more = {key: name for key, name in read.columns.items() if key not in asked.columns}
    unclear = "stop" if read.unclear == asked.unclear else read.unclear
    return DataConfig(unclear=unclear).with_columns(more).as_options


def _reading_sentences(
    catalog: Catalog, united: Catalog, path: Path, columns: Mapping[str, str]
) -> list[str]:
    """What the data were recognised as, how they are read, and which files are not."""
    said = [recognised_as(path, columns), grouping_sentence(united), *catalog.notes]
    return [*said, *filter(None, [tone_sentence(catalog), unread_sentence(catalog, said)])]


def tone_sentence(catalog: Catalog) -> str:
    """Images of each skin tone, and its scale where that is not Fitzpatrick's; "" if unknown."""
    counts = Counter(catalog.table["skin_tone"])
    if not set(counts) - {UNKNOWN}:
        return ""
    scales = [note for scale, note in TONE_NOTES.items() if any(scale in tone for tone in counts)]
    return f"Skin tone: {counted(counts)}{''.join(f'; {note}' for note in scales)}."


def grouping_sentence(catalog: Catalog) -> str:
    """State how a run groups the images by default."""
    number = len(set(catalog.groups))
    unknown = int((catalog.table["patient_id"] == "").sum())
    if catalog.unit == "patient":
        images = f"{unknown:,} image{'s' * (unknown != 1)}"
        rest = f", {images} without one by lesion" if unknown else ""
        return f"A run groups the images by patient{rest}: {number:,} groups."
    lesions = "lesion" if catalog.grouped else "image, since lesions are unknown"
    return f"A run groups by {lesions}: {number:,} groups. The data name no patients."


def _equal_lines(catalog: Catalog, pixels: Sequence[str]) -> list[str]:
    """One line for all images of equal pixels, if they are of several groups."""
    table = pd.DataFrame({"pixels": pixels, "group": catalog.groups})
    apart = table[table.groupby("pixels")["group"].transform("nunique") > 1]
    return [
        f"equal pixels: {_told(catalog, rows.tolist())}"
        for rows in apart.groupby("pixels", sort=False).groups.values()
    ]


def _twin_lines(catalog: Catalog, twins: Twins) -> list[str]:
    return [
        f"near-duplicates: {_told(catalog, catalog.rows(pair).tolist())}, correlation of detail "
        f"{value:.2f}"
        for *pair, value in twins.pairs
    ]


def _told(catalog: Catalog, rows: Iterable[int]) -> str:
    """Some images with their labels and groups."""
    ids, labels, groups = catalog.image_ids, catalog.table["label"], catalog.groups
    return " and ".join(f"{ids[row]} ({labels[row]}, {groups[row]})" for row in rows)


def _unfit_lines(checked: Checked) -> list[str]:
    lines = [f"unfit file: {bad}" for bad in checked.bad]
    advice = '`dermaug plan` leaves unfit files out (data.on_bad = "skip")'
    return [*lines, advice] if lines else []


def _contradiction_lines(catalog: Catalog, found: Sequence[tuple[str, ...]]) -> list[str]:
    return [
        f"equal images with different labels: {line}; correct the wrong label, or leave them out: "
        f"{exclusion(images)}"
        for images, line in zip(found, contradiction_lines(catalog, found), strict=True)
    ]


def _class_lines(catalog: Catalog) -> list[str]:
    """Too few classes, and classes with too few groups."""
    lines = []
    if catalog.num_classes < 2:
        lines.append(f"classes: expected at least two, found {', '.join(catalog.classes)}")
    groups = pd.Series(catalog.groups).groupby(catalog.table["label"].to_numpy()).nunique()
    for label in catalog.classes:
        if (number := int(groups.get(label, 0))) < FEWEST:
            units = catalog.unit + "s" * (number != 1)
            lines.append(
                f"class {label!r}: {number} {units}, a run needs {FEWEST}; leave it out with "
                f"{leave_out(label)}, or merge it with another class: --labels "
                f"{shlex.quote(label)}=CLASS"
            )
    return lines


def _repairs(merged: Mapping[str, str], doubtful: Sequence[tuple[str, ...]]) -> list[str]:
    """Options that merge names of one class, and leave out images of contradictory labels."""
    options = merging_options(merged)
    if images := list(chain(*doubtful)):
        options += ["--set", f"data.exclude={json.dumps(images, ensure_ascii=False)}"]
    return options


def _can_be_planned(catalog: Catalog) -> bool:
    groups = pd.Series(catalog.groups).groupby(catalog.table["label"].to_numpy()).nunique()
    return int((groups >= FEWEST_LESIONS).sum()) > 1


def leave_out(label: str) -> str:
    """The option that leaves out a label."""
    return f"--leave-out {shlex.quote(label)}"


def _cut(lines: list[str]) -> list[str]:
    hidden = len(lines) - LISTED
    return lines if hidden <= 0 else [*lines[:LISTED], f"and {hidden:,} more pairs"]
