"""A data set as a table with one row per image, independent of its source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

import numpy as np
import pandas as pd
from jaxtyping import Int, UInt8

from dermaug.config import Grouping
from dermaug.data.findings import LEFT_OUT
from dermaug.data.grouping import group_names, united_names
from dermaug.errors import DermaugError

COLUMNS = (
    "image_id",  # unique text
    "lesion_id",  # text; images of one lesion share it
    "patient_id",  # text; "" when unknown
    "label",  # diagnosis, one of Catalog.classes
    "path",  # absolute path of the image file as text; "" when the pixels are embedded
    "mask_path",  # absolute path of the lesion's segmentation; "" when there is none
    "age",  # years, float; NaN when unknown
    "sex",  # female, male or unknown
    "localization",  # body site or unknown
    "skin_tone",  # value of the data's own Fitzpatrick or skin-tone column, or unknown
    "dx_type",  # how the diagnosis was made (histo, follow_up, consensus, confocal) or unknown
)
OPTIONAL = (
    "device",  # camera, dermatoscope or source of the image, or unknown; where the data tell it
    "split",  # train, validation or test as given; several joined by +
    "group",  # group of the image, where groups were united
)
"""Columns that a catalog may have, too."""


@dataclass(frozen=True, eq=False)
class Catalog:
    """One row per image.

    Args:
        name: Name of the data set for the reader, for example HAM10000.
        root: Folder or file from which it was read.
        table: The columns of `COLUMNS` and some of `OPTIONAL`, a plain 0..n-1 index, one row per
            image.
        classes: Labels in the order of the network's outputs.
        grouped: Whether lesion ids are known; False: each image counts as its own lesion, and the
            report warns of it.
        embedded: Pixels that came with the table, uint8 (n, height, width, 3), or None when every
            row has a path.
        notes: Remarks on how it was read, one sentence each.
        grouping: Unit kept in one split: `patient`, `lesion`, or `auto`, which is the patient
            if the data name one.
        written: Label as the data write it -> class, "" where its images were left out.
    """

    name: str
    root: Path
    table: pd.DataFrame
    classes: tuple[str, ...]
    grouped: bool = True
    embedded: UInt8[np.ndarray, "n h w 3"] | None = None
    notes: tuple[str, ...] = ()
    grouping: Grouping = "auto"
    written: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        missing = [column for column in COLUMNS if column not in self.table.columns]
        if missing:
            raise DermaugError(f"{self.name}: the catalog lacks {', '.join(missing)}")

    def __len__(self) -> int:
        return len(self.table)

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.classes)

    @property
    def labels(self) -> Int[np.ndarray, " n"]:
        """Index into `classes` of each row, int64."""
        return pd.Categorical(self.table["label"], categories=list(self.classes)).codes.astype(
            np.int64
        )

    @property
    def image_ids(self) -> np.ndarray:
        """Image id of each row."""
        return np.asarray(self.table["image_id"], dtype=object)

    @property
    def unit(self) -> Literal["lesion", "patient"]:
        """The unit of grouping: the patient if patients are known, unless lesions are requested.

        If only some images name a patient, the other images are grouped by lesion nevertheless.
        """
        known = bool((self.table["patient_id"] != "").any())
        return "patient" if known and self.grouping != "lesion" else "lesion"

    @cached_property
    def groups(self) -> np.ndarray:
        """Name of the group of each row, which stays in one split and is resampled as a whole."""
        if "group" in self.table:
            return np.asarray(self.table["group"], dtype=object)
        return self._named_groups

    @cached_property
    def _named_groups(self) -> np.ndarray:
        """The groups as the data name them, before some were united."""
        lesions = self.table["lesion_id" if self.grouped else "image_id"]
        patients = self.table["patient_id"] if self.unit == "patient" else None
        return group_names(lesions, patients)

    @property
    def groups_in_words(self) -> str:
        """How many patients or lesions there are, and in how many groups if some were united."""
        named, groups = len(set(self._named_groups)), len(set(self.groups))
        lone = "lesions" if self.grouped else "images counted as lesions"
        told = f"{named:,} {lone}"
        if self.unit == "patient":
            of_unknown = self.table["patient_id"] == ""
            rest = len(set(self._named_groups[of_unknown]))
            of = f" and {rest:,} {lone} of unknown patients" if rest else ""
            told = f"{named - rest:,} patients{of}"
        return f"{told} in {groups:,} groups" if groups < named else told

    def grouped_by(self, grouping: Grouping) -> Self:
        """Return the catalog with another grouping.

        Raises:
            DermaugError: The grouping is by patient, but no patient is known.
        """
        if grouping == "patient" and (self.table["patient_id"] == "").all():
            raise DermaugError(
                f"{self.name}: splits.group is patient, but the data identify no patients; add a "
                "column patient_id to metadata.csv, or set splits.group to lesion"
            )
        return replace(self, grouping=grouping)

    def united(self, first: Int[np.ndarray, " m"], second: Int[np.ndarray, " m"]) -> Self:
        """Merge the groups of some pairs of rows, under the smallest of their names."""
        groups = united_names(self.groups, first, second)
        return replace(self, table=self.table.assign(group=groups))

    @property
    def left_out(self) -> tuple[str, ...]:
        """The note on what was left out as unclear, if anything was."""
        return tuple(note for note in self.notes if note.startswith(LEFT_OUT))

    def rows(self, image_ids: Sequence[str]) -> Int[np.ndarray, " m"]:
        """Row numbers of some images, in the order given.

        Raises:
            DermaugError: An id is not in the catalog.
        """
        index = pd.Index(self.table["image_id"]).get_indexer(pd.Index(list(image_ids)))
        if (index < 0).any():
            lost = image_ids[int(np.flatnonzero(index < 0)[0])]
            raise DermaugError(f"{self.name} has no image {lost!r}")
        return np.asarray(index, dtype=np.int64)

    def take(self, rows: Int[np.ndarray, " m"] | Sequence[int]) -> Self:
        """The catalog of some rows, in the order given; classes stay."""
        rows = np.asarray(rows, dtype=np.int64)
        embedded = None if self.embedded is None else self.embedded[rows]
        table = self.table.iloc[rows].reset_index(drop=True)
        return replace(self, table=table, embedded=embedded)
