"""The content of the images of a data set, by which data sets are identified."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from jaxtyping import Int

from dermaug.data.catalog import Catalog
from dermaug.data.image_rows import Pixels, chunks
from dermaug.data.signature import SIDE, Signature

IDENTITY = ("image_id", "lesion_id", "patient_id", "label", "file", "mask")
"""Columns of `contents_table` that identify a data set; pixels also depend on the decoder."""
TRAITS = {
    "age": "ages",
    "sex": "sexes",
    "localization": "body sites",
    "skin_tone": "skin tones",
    "dx_type": "types of diagnosis",
    "device": "devices or sources",
}
"""Columns by which images are only described, and their names; no network or split depends on them,
but scores of subgroups do."""


@dataclass(frozen=True, eq=False)
class Contents:
    """Signatures of the images of a catalog, in its order.

    Args:
        files: SHA-256 of each file (of the pixels where they came with a table), hex.
        masks: SHA-256 of the segmentation's file where a square was cut by it, else "".
        pixels: `pixel_digest` of each image at the size that it is stored in.
        details: `detail_of` each image, int8 (n, 32, 32).
    """

    files: tuple[str, ...]
    masks: tuple[str, ...]
    pixels: tuple[str, ...]
    details: Pixels

    @classmethod
    def of(cls, signatures: Iterable[Signature]) -> Self:
        """Build the contents from signatures."""
        known = list(signatures)
        return cls(
            tuple(each.file for each in known),
            tuple(each.mask for each in known),
            tuple(each.pixels for each in known),
            np.array([each.detail for each in known], np.int8).reshape(-1, SIDE, SIDE),
        )

    def take(self, rows: Int[np.ndarray, " m"]) -> Self:
        """The contents of some rows, in the order given."""
        files, masks, pixels = (
            tuple(values[row] for row in rows) for values in (self.files, self.masks, self.pixels)
        )
        return type(self)(files, masks, pixels, self.details[rows])


def contents_table(
    catalog: Catalog, contents: Contents, skipped: Sequence[str] = ()
) -> pd.DataFrame:
    """One row per image, sorted by id: ids, label, traits, digests of file, mask and pixels.

    Args:
        catalog: The images that are used.
        contents: Their contents.
        skipped: Ids of images that belong to the data and cannot be used; their other cells are
            empty.
    """
    named = ["image_id", "lesion_id", "patient_id", "label", *TRAITS]
    table = catalog.table.reindex(columns=named).assign(
        file=contents.files, mask=contents.masks, pixels=contents.pixels
    )
    lost = pd.DataFrame({"image_id": list(skipped)}, columns=table.columns)
    both = pd.concat([table, lost], ignore_index=True) if len(lost) else table
    return both.astype(object).fillna("").astype(str).sort_values("image_id", ignore_index=True)


def fingerprint(table: pd.DataFrame, classes: Sequence[str]) -> str:
    """Hash of ids, lesions, patients, labels, classes and content, independent of the location.

    Args:
        table: Returned by `contents_table`.
        classes: Labels in the order of a network's outputs.
    """
    rows = table[list(IDENTITY)]
    digest = hashlib.sha256(("\n".join(classes) + "\n").encode())
    digest.update(rows.iloc[:0].to_csv(index=False).encode())
    for part in chunks(len(rows)):
        digest.update(rows.iloc[part].to_csv(index=False, header=False).encode())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Differences:
    """The differences between two data sets.

    Args:
        images: Number of images that differ in any respect, or are in one data set only.
        lines: Description of each difference, with the number of images.
    """

    images: int
    lines: tuple[str, ...]


def differences(before: pd.DataFrame, now: pd.DataFrame) -> Differences:
    """Compare two data sets, image by image.

    Args:
        before: Returned by `contents_table`.
        now: Also returned by `contents_table`.
    """
    old, new = before.set_index("image_id"), now.set_index("image_id")
    both = old.index.intersection(new.index)
    mine, theirs = old.loc[both], new.loc[both]
    names = {
        "file": "content under the same name",
        "mask": "segmentations",
        "label": "labels",
        "lesion_id": "lesions",
        "patient_id": "patients",
        **TRAITS,
    }
    found = {
        f"images have other {what}": both[mine[column] != theirs[column]]
        for column, what in names.items()
        if column in mine  # a run may be older than what is remembered of its data now
    }
    found["images are missing"] = old.index.difference(new.index)
    found["images are new"] = new.index.difference(old.index)
    lines = tuple(
        f"{len(ids):,} {what}, for example {', '.join(map(str, ids[:3]))}"
        for what, ids in found.items()
        if len(ids)
    )
    return Differences(len({name for ids in found.values() for name in ids}), lines)
