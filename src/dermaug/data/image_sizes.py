"""Sizes of the photographs from which the images of a data set are made."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from dermaug.data.catalog import Catalog
from dermaug.data.containers import as_file

MOST_OPENED = 2_000
"""Number of files whose size is read, evenly spread; a data set has few sizes."""


def short_sides(catalog: Catalog) -> tuple[int, int, int]:
    """Smallest, median and largest short side in pixels; the headers of the files are enough.

    Args:
        catalog: Its paths or embedded pixels.

    Raises:
        OSError: A file is gone.
    """
    if catalog.embedded is not None:
        sides: Sequence[int] = [min(catalog.embedded.shape[1:3])]
    else:
        files = [str(path) for path in catalog.table["path"] if path]
        chosen = np.unique(np.linspace(0, len(files) - 1, MOST_OPENED).astype(int))
        sides = [_short_side(files[place]) for place in chosen]
    return min(sides), int(median(sides)), max(sides)


def _short_side(path: str) -> int:
    with Image.open(as_file(Path(path))) as image:
        return min(image.size)
