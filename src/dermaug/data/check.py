"""Decode every image and segmentation of a catalog at full size."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from dermaug.data.catalog import Catalog
from dermaug.data.contents import Contents
from dermaug.data.image_files import MAX_PIXELS
from dermaug.data.parallel import Progress, in_parallel
from dermaug.data.signature import Signature, sign_pixels
from dermaug.data.workers import BadFile, signature_or_reason


@dataclass(frozen=True, eq=False)
class Checked:
    """The result of decoding a data set.

    Args:
        bad: Files that cannot be used, images before segmentations, in the catalog's order.
        catalog: The rows with a valid image.
        contents: Signatures of these images.
    """

    bad: tuple[BadFile, ...]
    catalog: Catalog
    contents: Contents


def check_catalog(
    catalog: Catalog,
    workers: int | None = None,
    progress: Progress | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Checked:
    """Decode every image and segmentation on all cores.

    Args:
        catalog: The data set; pixels that came with a table need no decoding.
        workers: Number of processes; None uses all cores.
        progress: Called with (done, total) files.
        max_pixels: Images with more pixels in their header are refused.
    """
    if catalog.embedded is not None:
        return Checked((), catalog, Contents.of(map(sign_pixels, catalog.embedded)))
    files = [*_files(catalog, "path"), *_files(catalog, "mask_path")]
    signed = partial(signature_or_reason, max_pixels=max_pixels)
    found = list(in_parallel(signed, files, workers=workers, progress=progress))
    images = found[: len(catalog)]
    sound = np.array([isinstance(each, Signature) for each in images], dtype=bool)
    contents = Contents.of(each for each in images if isinstance(each, Signature))
    bad = tuple(each for each in found if isinstance(each, BadFile))
    return Checked(bad, catalog.take(np.flatnonzero(sound)), contents)


def _files(catalog: Catalog, column: str) -> list[tuple[str, str]]:
    pairs = zip(catalog.table["image_id"], catalog.table[column], strict=True)
    # An image must have a file; a segmentation may be missing.
    return [(str(name), str(path)) for name, path in pairs if path or column == "path"]
