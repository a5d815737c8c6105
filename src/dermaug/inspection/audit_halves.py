"""Which validation images an audit reads: those that the generator's snapshot was not chosen by."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from dermaug.synthesis.synthetic_set import Provenance


@dataclass(frozen=True, eq=False)
class Judging:
    """The images of one class that a synthetic set is judged by.

    Args:
        rows: Of the data set.
        chosen_by: Whether the snapshot was, or may have been, chosen by them too: they flatter it.
    """

    rows: Int[np.ndarray, " m"]
    chosen_by: bool


def judging(
    rows: Int[np.ndarray, " n"], ids: np.ndarray, groups: np.ndarray, provenance: Provenance | None
) -> Judging:
    """Leave out the lesions that a snapshot was chosen by; all stay where no lesion is left.

    Args:
        rows: Real images of one class that the generator was not trained on.
        ids: Image id of each row of the data set.
        groups: Lesion of each row of the data set.
        provenance: Of the synthetic set; None when unknown: nobody chose it by these images.
    """
    used = _chosen_by(ids[rows], provenance)
    left = ~np.isin(groups[rows], groups[rows][used])
    return Judging(rows[left], False) if left.any() else Judging(rows, bool(used.any()))


def _chosen_by(ids: np.ndarray, provenance: Provenance | None) -> Bool[np.ndarray, " n"]:
    if provenance is None:
        return np.zeros(len(ids), dtype=bool)
    if provenance.validation_images is None:
        return np.ones(len(ids), dtype=bool)
    return np.isin(ids, list(provenance.validation_images))
