"""What must stay in one part of a fold: images of a lesion, lesions that share bytes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from dermaug.data.catalog import Catalog
from dermaug.data.pixels import byte_equal


def lesion_groups(catalog: Catalog, digests: Sequence[str] | None = None) -> np.ndarray:
    """What must stay together, one name a row: the lesion's id, or of united ones the least.

    Args:
        catalog: The data set; ungrouped, each image is its own lesion.
        digests: One a row; lesions with a byte-equal image are united. None unites none.
    """
    column = "lesion_id" if catalog.grouped else "image_id"
    lesions, names = pd.factorize(catalog.table[column].astype(str), sort=True)
    known: np.ndarray = np.asarray(names, dtype=object)
    if digests is None:
        return known[lesions]
    files, _ = pd.factorize(np.asarray(digests, dtype=object))
    # A graph of lesions and files, an edge an image: what hangs together is one group.
    size = len(names) + len(digests)
    edges = coo_array((np.ones(len(lesions)), (lesions, len(names) + files)), shape=(size, size))
    _, component = connected_components(edges, directed=False)
    _, least, group = np.unique(component[: len(names)], return_index=True, return_inverse=True)
    return known[least[group[lesions]]]


def shared_bytes_note(catalog: Catalog, digests: Sequence[str]) -> str:
    """One sentence on byte-equal images of different lesions, or "" when there are none."""
    lesion_of = dict(zip(catalog.image_ids, lesion_groups(catalog), strict=True))
    groups = byte_equal(list(catalog.image_ids), digests)
    across = [group for group in groups if len({lesion_of[name] for name in group}) > 1]
    if not across:
        return ""
    images = sum(len(group) for group in across)
    return (
        f"{images} images of different lesion ids are equal byte for byte (for example "
        f"{' and '.join(across[0][:2])}); their lesions were kept in the same part."
    )
