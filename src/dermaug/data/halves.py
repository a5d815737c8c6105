"""Two halves of validation: one to select a generator's snapshot, the other to evaluate it.

A snapshot that is selected on some images looks better on these images than it is.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool

from dermaug.seeding import derive_seed

LEAST_GROUPS = 4
"""Groups of a class below which nothing is chosen by its images, and KID has no interval: each half
must have as many."""


@dataclass(frozen=True, eq=False)
class Halves:
    """Two halves of some images, without a group in both; masks over the images.

    Args:
        choosing: Images on which snapshots are selected.
        judging: Images on which they are evaluated. All images of a class with fewer than 8 groups
            are in both; with fewer than 4, all are here and none are used for selection.
    """

    choosing: Bool[np.ndarray, " n"]
    judging: Bool[np.ndarray, " n"]


def halves(groups: np.ndarray, labels: np.ndarray, seed: int) -> Halves:
    """Split images by group, class by class; depends on names and seed, not on the order of rows.

    A class's groups lie in an order that does not change when others come or go; the first half of
    them is judged by. A group of several classes goes with its commonest, and is in one half only.

    Args:
        groups: Group of each image, for example its lesion.
        labels: Class of each image.
        seed: Random seed.
    """
    table = pd.DataFrame({"group": groups, "label": labels})
    counts = table.value_counts(["group", "label"]).reset_index(name="images")
    counts = counts.sort_values(["group", "images", "label"], ascending=[True, False, True])
    dealt = counts.drop_duplicates("group")
    order = [derive_seed("halves", seed, str(group)) for group in dealt["group"]]
    of_class = dealt.assign(order=order).sort_values("order", kind="stable").groupby("label")
    first = of_class.cumcount() < (of_class["group"].transform("size") + 1) // 2
    judging = np.isin(groups, dealt.loc[first.index[first], "group"].to_numpy())
    choosing = ~judging
    for label in set(labels):
        rows = labels == label
        sizes = [len(np.unique(groups[rows & half])) for half in (choosing, judging)]
        if min(sizes) < LEAST_GROUPS:
            judging[rows] = True
            choosing[rows] = len(np.unique(groups[rows])) >= LEAST_GROUPS
    return Halves(choosing, judging)
