"""Every image of a catalog, and every segmentation, decoded at its full size."""

import hashlib

from dermaug.data.catalog import Catalog
from dermaug.data.image_files import BadImageError, decode_whole, read_content
from dermaug.data.parallel import Progress, in_parallel
from dermaug.data.pixel_cache import BadFile
from dermaug.data.pixels import byte_equal


def check_catalog(
    catalog: Catalog, workers: int | None = None, progress: Progress | None = None
) -> tuple[BadFile, ...]:
    """Decode every image and segmentation on all cores.

    Args:
        catalog: The data set; pixels that came with a table need no decoding.
        workers: Processes; None takes all cores.
        progress: Called with (done, total).

    Returns:
        The files that must not be used, in the catalog's order; empty when all are sound.
    """
    files = [*_files(catalog, "path"), *_files(catalog, "mask_path")]
    results = in_parallel(_check, files, workers=workers, progress=progress)
    return tuple(result for result in results if result is not None)


def equal_files(
    catalog: Catalog, workers: int | None = None, progress: Progress | None = None
) -> tuple[tuple[str, ...], ...]:
    """Groups of image ids whose files are equal byte for byte; unreadable files are left out."""
    files = _files(catalog, "path")
    digests = list(in_parallel(_digest, files, workers=workers, progress=progress))
    readable = [(image_id, digest) for (image_id, _), digest in zip(files, digests, strict=True)]
    found = [(image_id, digest) for image_id, digest in readable if digest]
    return byte_equal([image_id for image_id, _ in found], [digest for _, digest in found])


def _files(catalog: Catalog, column: str) -> list[tuple[str, str]]:
    if catalog.embedded is not None:
        return []
    pairs = zip(catalog.table["image_id"], catalog.table[column], strict=True)
    # An image must have a file; a segmentation may be missing.
    return [(str(name), str(path)) for name, path in pairs if path or column == "path"]


def _check(file: tuple[str, str]) -> BadFile | None:
    image_id, path = file
    try:
        decode_whole(path)
    except BadImageError as error:
        return BadFile(image_id, error.path, error.reason)
    return None


def _digest(file: tuple[str, str]) -> str:
    try:
        return hashlib.sha256(read_content(file[1])).hexdigest()
    except BadImageError:
        return ""
