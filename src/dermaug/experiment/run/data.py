"""The data of an experiment as every command uses them: decoded, with equal images in one group.

Near-duplicates stored in a run's folder are read from there, so that a run is resumed with the
groups with which it was started.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from dermaug.config import Experiment
from dermaug.console import counting_bar
from dermaug.data.catalog import Catalog
from dermaug.data.dataset import open_dataset, read_pixels
from dermaug.data.grouping import equal_links
from dermaug.data.image_rows import ImageRows, Pixels
from dermaug.data.pixels import PixelStore
from dermaug.data.twins import equal_sentence, refuse_contradictions
from dermaug.evaluation.duplicates import near_pairs
from dermaug.experiment.run.layout import RunFolder
from dermaug.files import Record

MOST = 2_000_000
"""Largest number of images among which near-duplicates are searched, which takes some minutes."""


class Twins(Record):
    """`twins.json`: near-duplicates across groups, which a run keeps in one split."""

    pairs: tuple[tuple[str, str, float], ...] = ()
    """(image id, image id, correlation of their detail), the most similar first."""
    sought: bool = True
    """Whether near-duplicates were searched."""

    def sentence(self, unit: str) -> str:
        """One sentence on the near-duplicates, or "" without any; `unit` names a group."""
        if not self.sought:
            return (
                "Near-duplicates were not searched among so many images: one photograph under two "
                f"{unit}s may lie in two splits."
            )
        if not self.pairs:
            return ""
        one, other, _ = self.pairs[0]
        single = len(self.pairs) == 1
        number = f"{len(self.pairs):,} {'pair' if single else 'pairs'}"
        named = f"{'' if single else 'for example '}{one} and {other}"
        return (
            f"Near-duplicates: {number} of images of different {unit}s ({named}); these {unit}s "
            "stay in one split."
        )


def decoded(experiment: Experiment) -> PixelStore:
    """Open, group and decode the data of an experiment.

    Raises:
        DermaugError: Raised by `open_dataset` and `read_pixels`.
    """
    return read_pixels(open_dataset(experiment.data, experiment.splits.group), experiment.data)


def joined(store: PixelStore, twins: Twins) -> PixelStore:
    """Merge all groups that share an image or a near-duplicate.

    Raises:
        DermaugError: Equal images have different labels.
    """
    catalog, pixels = store.catalog, store.contents.pixels
    refuse_contradictions(catalog, pixels)
    said = (equal_sentence(catalog, pixels), twins.sentence(catalog.unit))
    united = with_twins(catalog, pixels, twins)
    return replace(store, catalog=replace(united, notes=(*united.notes, *filter(None, said))))


def with_twins(catalog: Catalog, pixels: Sequence[str], twins: Twins) -> Catalog:
    """A data set whose groups are united that share an image or a near-duplicate.

    `pixels` are those of the `Contents` of the images.
    """
    first = catalog.rows([one for one, _, _ in twins.pairs])
    second = catalog.rows([other for _, other, _ in twins.pairs])
    return catalog.united(*equal_links(pixels)).united(first, second)


def find_twins(catalog: Catalog, pixels: Sequence[str], details: Pixels) -> Twins:
    """Find near-duplicates across groups; of equal images, only one is compared.

    `pixels` and `details` are those of the `Contents` of the images.
    """
    _, later = equal_links(pixels)
    rows = np.setdiff1d(np.arange(len(catalog)), later)
    if len(rows) > MOST:
        return Twins(sought=False)
    groups = catalog.united(*equal_links(pixels)).groups[rows]
    with counting_bar("comparing images", "parts") as progress:
        found = near_pairs(ImageRows((details, rows)), groups, progress)
    ids = catalog.image_ids[rows]
    pairs = zip(ids[found.first], ids[found.second], found.correlations.tolist(), strict=True)
    return Twins(pairs=tuple((str(one), str(other), value) for one, other, value in pairs))


def twins_of(store: PixelStore, run: Path | None) -> Twins:
    """Near-duplicates stored in a run's folder or, without a run that was started, newly searched.

    Raises:
        DermaugError: The run's record is damaged.
    """
    if run is not None and RunFolder(run).is_begun:
        return Twins.read(RunFolder(run).twins)
    return find_twins(store.catalog, store.contents.pixels, store.contents.details)
