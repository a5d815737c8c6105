"""The validation images of an audit: those on which the generator's snapshot was not selected."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from dermaug.synthesis.synthetic_set import Provenance


@dataclass(frozen=True, eq=False)
class Judging:
    """The images of one class with which a synthetic set is compared.

    Args:
        rows: Rows of the data set.
        chosen_by: Whether the snapshot was, or may have been, selected on them; the audit is then
            too favourable.
    """

    rows: Int[np.ndarray, " m"]
    chosen_by: bool


def judging(
    rows: Int[np.ndarray, " n"], ids: np.ndarray, groups: np.ndarray, provenance: Provenance | None
) -> Judging:
    """Leave out the lesions on which a snapshot was selected, unless no lesion would be left.

    Args:
        rows: Real images of one class that the generator was not trained on.
        ids: Image id of each row of the data set.
        groups: Lesion of each row of the data set.
        provenance: Provenance of the synthetic set; None if unknown, for which no selection on
            these images is assumed.
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
