"""Every image of a catalog, and every segmentation, decoded at its full size."""

from dermaug.data.catalog import Catalog
from dermaug.data.parallel import Progress, in_parallel
from dermaug.data.pixels import byte_equal
from dermaug.data.workers import BadFile, digest_or_empty, reason_if_bad


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
    results = in_parallel(reason_if_bad, files, workers=workers, progress=progress)
    return tuple(result for result in results if result is not None)


def equal_files(
    catalog: Catalog, workers: int | None = None, progress: Progress | None = None
) -> tuple[tuple[str, ...], ...]:
    """Groups of image ids whose files are equal byte for byte; unreadable files are left out."""
    files = _files(catalog, "path")
    paths = [path for _, path in files]
    digests = in_parallel(digest_or_empty, paths, workers=workers, progress=progress)
    found = [(name, digest) for (name, _), digest in zip(files, digests, strict=True) if digest]
    return byte_equal([name for name, _ in found], [digest for _, digest in found])


def _files(catalog: Catalog, column: str) -> list[tuple[str, str]]:
    if catalog.embedded is not None:
        return []
    pairs = zip(catalog.table["image_id"], catalog.table[column], strict=True)
    # An image must have a file; a segmentation may be missing.
    return [(str(name), str(path)) for name, path in pairs if path or column == "path"]
