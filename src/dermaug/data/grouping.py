"""Groups of images that must stay in one split of a fold: lesions, patients, merged groups."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def group_names(lesions: pd.Series, patients: pd.Series | None = None) -> np.ndarray:
    """Name of the group of each image.

    Args:
        lesions: Lesion of each image.
        patients: Patient of each, "" when unknown; such images are grouped by lesion. None groups
            all by lesion.

    Example:
        >>> group_names(pd.Series(["a", "a", "b"]), pd.Series(["7", "", ""])).tolist()
        ['patient 7', 'patient 7', 'b']
    """
    lesions = lesions.astype(str).reset_index(drop=True)
    if patients is None:
        return np.asarray(lesions, dtype=object)
    patients = patients.astype(str).reset_index(drop=True)
    known = patients.where(patients != "")
    # A lesion belongs to its patient in every row, also in those that do not name the patient.
    known = known.fillna(known.groupby(lesions).transform("first"))
    names = np.asarray(lesions.where(known.isna(), "patient " + known), dtype=object)
    rows = pd.Series(np.arange(len(lesions)))
    return united_names(names, rows.groupby(lesions).transform("first").to_numpy(), rows.to_numpy())


def united_names(
    names: np.ndarray, first: Int[np.ndarray, " m"], second: Int[np.ndarray, " m"]
) -> np.ndarray:
    """Names of the groups after merging; merged groups take the smallest of their names.

    Args:
        names: Group of each row.
        first: Row on one side of each link.
        second: Row on the other side.

    Example:
        >>> united_names(np.array(["c", "a", "b"], object), np.array([0]), np.array([2])).tolist()
        ['b', 'a', 'b']
    """
    codes, known = pd.factorize(np.asarray(names, dtype=object), sort=True)
    size = len(known)
    edges = coo_array((np.ones(len(first)), (codes[first], codes[second])), shape=(size, size))
    _, component = connected_components(edges, directed=False)
    _, least, place = np.unique(component, return_index=True, return_inverse=True)
    return np.asarray(known, dtype=object)[least[place[codes]]]


def equal_links(digests: Sequence[str]) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"]]:
    """Pairs of rows with equal digests: the first row of each digest, and each later one.

    Example:
        >>> first, second = equal_links(["1", "2", "1", "1"])
        >>> first.tolist(), second.tolist()
        ([0, 0], [2, 3])
    """
    codes, _ = pd.factorize(np.asarray(digests, dtype=object))
    rows = np.arange(len(codes))
    first = pd.Series(rows).groupby(codes).transform("first").to_numpy()
    later = rows != first
    return first[later], rows[later]
