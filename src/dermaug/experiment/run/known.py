"""Find training images in another data set by their content instead of their names.

An image is known if a training image has equal pixels, whatever the file; if it shows the same
photograph re-encoded, resized, flipped or rotated; if it has the same id and ids are global; or if
it is another image of the lesion or patient of such an image. Different pixels under a known file
name are not known.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from dermaug.console import counting_bar
from dermaug.data.catalog import Catalog
from dermaug.data.contents import Contents
from dermaug.errors import DermaugError
from dermaug.evaluation.duplicates import near_between
from dermaug.experiment.run.contents import Remembered

GLOBAL_IMAGE = re.compile(r"(?:^|[^A-Za-z0-9])(ISIC_\d{7})(?!\d)")
"""Ids of the ISIC archive, each of which identifies one image everywhere, also within a longer name
as `ISIC_0000002_downsampled` of ISIC 2019."""
GLOBAL_LESION = re.compile(r"HAM_\d{7}")
EQUAL, NEAR, SAME_ID = "of equal pixels", "near-duplicates", "of an equal ISIC or HAM10000 id"
REASONS = (EQUAL, NEAR, SAME_ID)
"""In the order in which they are reported; of several reasons, the first is used."""


class WithContents(Protocol):
    """A data set whose images were decoded: a `PixelStore`, or a `Checked` data set."""

    @property
    def catalog(self) -> Catalog:
        """The images."""

    @property
    def contents(self) -> Contents:
        """Signatures of the images."""


@dataclass(frozen=True, eq=False)
class Matches:
    """Images of one data set that match images of a run.

    Args:
        found: Columns row (of `catalog`), image_id (of the run) and reason (of `REASONS`).
    """

    catalog: Catalog
    found: pd.DataFrame

    def reasons(self, trained: Collection[str]) -> np.ndarray:
        """The reason why each row matches a training image; "" if it does not match any.

        Args:
            trained: Ids of the training images among the run's images.
        """
        known = self.found[self.found["image_id"].isin(set(trained))]
        told = np.full(len(self.catalog), "", dtype=object)
        for reason in reversed(REASONS):
            told[known.loc[known["reason"] == reason, "row"].to_numpy(dtype=np.int64)] = reason
        groups = self.catalog.groups
        mates = np.isin(groups, groups[told != ""]) & (told == "")
        told[mates] = f"others of these {self.catalog.unit}s"
        return told


def match_images(store: WithContents, remembered: Remembered) -> Matches:
    """Compare every image of a data set with every image of a run."""
    table = store.catalog.table
    mine = pd.DataFrame(
        {
            "row": np.arange(len(table)),
            "pixels": store.contents.pixels,
            "image": _global_ids(table["image_id"]),
            "lesion": table["lesion_id"].where(table["lesion_id"].str.fullmatch(GLOBAL_LESION)),
        }
    )
    theirs = remembered.table[remembered.table["pixels"] != ""]
    theirs = theirs.assign(image=_global_ids(theirs["image_id"]))
    with counting_bar("comparing images", "parts") as progress:
        near = near_between(store.contents.details, remembered.details, progress)
    ids = remembered.table["image_id"].to_numpy()[near.second]
    pairs = [
        _joined(mine, theirs, "pixels", "pixels", EQUAL),
        _joined(mine, theirs, "image", "image", SAME_ID),
        _joined(mine, theirs, "lesion", "lesion_id", SAME_ID),
        pd.DataFrame({"row": near.first, "image_id": ids, "reason": NEAR}),
    ]
    return Matches(store.catalog, pd.concat(pairs, ignore_index=True))


def counted(reasons: np.ndarray) -> str:
    """Count the known images by reason, in words.

    Example:
        >>> counted(np.array([EQUAL, "", EQUAL, NEAR]))
        '2 of equal pixels, 1 near-duplicates'
    """
    counts = pd.Series(reasons[reasons != ""]).value_counts()
    order = [*REASONS, *(name for name in counts.index if name not in REASONS)]
    return ", ".join(f"{counts[name]:,} {name}" for name in order if name in counts)


def refuse_known(what: str, matches: Matches, trained: Collection[str], advice: str) -> None:
    """Raise if a data set contains known images.

    Args:
        what: Name of the test and of the trained network, for example a classifier's folder.
        matches: Matches of the data set with the run.
        trained: Ids of the training images, as for `Matches.reasons`.
        advice: What the user can do about it.

    Raises:
        DermaugError: Images are known; the message states how many, why, and an example.
    """
    reasons = matches.reasons(trained)
    known = reasons != ""
    if known.any():
        raise DermaugError(
            f"{what}: {int(known.sum()):,} of these {len(reasons):,} images match training images "
            f"({counted(reasons)}), for example {matches.catalog.image_ids[known][0]}; scores "
            f"would be inflated; {advice}"
        )


def _global_ids(image_ids: pd.Series) -> pd.Series:
    """The ISIC id in each image id; missing where there is none."""
    return image_ids.astype(str).str.extract(GLOBAL_IMAGE, expand=False)


def _joined(
    mine: pd.DataFrame, theirs: pd.DataFrame, left: str, right: str, reason: str
) -> pd.DataFrame:
    pairs = (
        mine[["row", left]]
        .dropna()
        .merge(theirs[["image_id"]].assign(key=theirs[right]), left_on=left, right_on="key")
    )
    return pairs[["row", "image_id"]].assign(reason=reason)
