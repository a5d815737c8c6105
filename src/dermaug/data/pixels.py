"""All images of a catalog as uint8 squares, decoded once, cached on disk, memory-mapped."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from dermaug.config import DataConfig
from dermaug.data.catalog import Catalog
from dermaug.data.containers import locate
from dermaug.data.contents import Contents, contents_table, fingerprint
from dermaug.data.decoding import Crop, Square
from dermaug.data.image_rows import Pixels
from dermaug.data.parallel import Progress, in_parallel
from dermaug.data.pixel_cache import CachedPixels, PixelCache, ShardRecord, cache_path
from dermaug.data.signature import sign_pixels
from dermaug.data.squares import resize_square
from dermaug.data.workers import BadFile, Job, square_or_reason
from dermaug.errors import DermaugError

NAMED = 3
"""Files that a sentence on unusable ones names."""


@dataclass(frozen=True, eq=False)
class PixelStore:
    """The pixels of a catalog.

    Args:
        catalog: The rows with a valid image; its notes describe what was left out.
        images: RGB in the catalog's order, uint8 (n, size, size, 3), read-only; what is not asked
            for is not read.
        contents: Signatures of the whole images: digests of file and pixels, and detail.
        skipped: Files left out by `on_bad = "skip"`.
        uncropped: With `crop = "lesion"`: images without a segmentation, shown by their centred
            square.
    """

    catalog: Catalog
    images: Pixels
    contents: Contents
    skipped: tuple[BadFile, ...] = ()
    uncropped: int = 0

    @property
    def table(self) -> pd.DataFrame:
        """The table returned by `contents_table`, by which two data sets are compared."""
        skipped = [bad.image_id for bad in self.skipped]
        return contents_table(self.catalog, self.contents, skipped)

    @property
    def fingerprint(self) -> str:
        """Hash of content, ids, lesions, patients, labels and classes."""
        return fingerprint(self.table, self.catalog.classes)


def load_pixels(
    catalog: Catalog,
    config: DataConfig,
    *,
    cache: Path | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> PixelStore:
    """Decode a catalog's images to squares, or map the cached result of an earlier call.

    Args:
        catalog: The data set.
        config: Size, crop, margin and what to do with bad files.
        cache: Folder of the cache; None takes `$DERMAUG_CACHE`, or else `~/.cache/dermaug`.
        workers: Processes that decode; None takes all cores.
        progress: Called with (done, total) while images are decoded.

    Raises:
        DermaugError: Bad files and `config.on_bad = "stop"` (the details list all of them), no
            sound image at all, or a cache folder that cannot be written.
    """
    if catalog.embedded is not None:
        return _embedded(catalog, config)
    jobs = _jobs(catalog, with_masks=config.crop == "lesion")
    decode = partial(
        square_or_reason,
        size=config.size,
        crop=config.crop,
        margin=config.margin,
        max_pixels=config.max_pixels,
    )
    path = cache_path(
        cache or default_cache(), f"{catalog.name}-{config.size}px", _key(jobs, config)
    )

    def is_whole(record: ShardRecord) -> bool:
        return not _recovered(record.bad_files, jobs, decode)

    decode_all = partial(_decoded, decode, workers, progress)
    pixels = PixelCache(path, jobs, config.size, decode_all).read(is_whole)
    if config.on_bad == "stop":
        refuse_bad(pixels.bad, len(catalog))
    return _store(catalog, pixels, config.crop)


def refuse_bad(bad: Sequence[BadFile], number: int) -> None:
    """Raise with the list of bad files, if there are any.

    Args:
        bad: What was found.
        number: Images looked at.
    """
    if bad:
        raise DermaugError(
            f"{len(bad)} of {number} images cannot be used; replace them, or leave them out with "
            'data.on_bad = "skip"',
            [str(entry) for entry in bad],
        )


def unusable_words(bad: Sequence[BadFile]) -> str:
    """How many files cannot be used, and some of them with the reason.

    Example:
        >>> unusable_words([BadFile("a", "set/a.png", "zero bytes")])
        '1 file that cannot be used, set/a.png (zero bytes)'
    """
    told = [("/".join(Path(each.path).parts[-2:]), each.reason) for each in bad[:NAMED]]
    named = ", ".join(f"{path} ({reason})" for path, reason in told)
    if len(bad) == 1:
        return f"1 file that cannot be used, {named}"
    more = f" and {len(bad) - NAMED:,} more" if len(bad) > NAMED else ""
    return f"{len(bad):,} files that cannot be used: {named}{more}"


def refuse_uncropped(store: PixelStore, what: str) -> None:
    """Raise if lesion crops are requested and some images have no segmentation.

    Raises:
        DermaugError: The message states how many; `what` names the data.
    """
    if store.uncropped:
        raise DermaugError(
            f"{what}: {store.uncropped} of {len(store.catalog)} images have no segmentation, but "
            "the classifiers were trained on lesion crops (data.crop); add segmentations, or train "
            "with data.crop = centre"
        )


def default_cache() -> Path:
    """`$DERMAUG_CACHE`, or `~/.cache/dermaug`.

    Raises:
        DermaugError: It is no folder.
    """
    folder = Path(os.environ.get("DERMAUG_CACHE") or Path.home() / ".cache" / "dermaug")
    if folder.exists() and not folder.is_dir():
        raise DermaugError(f"DERMAUG_CACHE: expected a folder, found the file {folder}")
    return folder


def _jobs(catalog: Catalog, *, with_masks: bool) -> list[Job]:
    ids, paths, masks = (
        catalog.table[column].astype(str).tolist() for column in ("image_id", "path", "mask_path")
    )
    return list(zip(ids, paths, masks if with_masks else [""] * len(ids), strict=True))


def _key(jobs: Sequence[Job], config: DataConfig) -> object:
    """What the pixels depend on. Sizes and dates stand for content: 10,000 stats take 0.05 s.

    The date of the change of a file's entry is among them: files of equal sizes and dates, as they
    come out of an archive, may be exchanged.
    """
    margin = config.margin if config.crop == "lesion" else 0.0
    rows = [(image_id, _stamp(path), _stamp(mask)) for image_id, path, mask in jobs]
    return [config.size, config.crop, margin, rows]


def _stamp(path: str) -> tuple[int, int, int]:
    if not path:
        return (0, 0, 0)
    try:
        # Path(...).stat() costs three times as much.
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        container = locate(path)
        return _stamp(container[0]) if container else (-1, -1, -1)
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _decoded(
    decode: "partial[Square | BadFile]",
    workers: int | None,
    progress: Progress | None,
    jobs: Sequence[Job],
) -> Iterator[Square | BadFile]:
    return in_parallel(decode, jobs, workers=workers, progress=progress)


def _recovered(
    bad: Sequence[BadFile], jobs: Sequence[Job], decode: "partial[Square | BadFile]"
) -> bool:
    """Whether a file is sound now that was unreadable for a passing reason, dates unchanged."""
    ids = {entry.image_id for entry in bad}
    return any(isinstance(decode(job), Square) for job in jobs if job[0] in ids)


def _store(catalog: Catalog, pixels: CachedPixels, crop: Crop) -> PixelStore:
    if not len(pixels.images):
        raise DermaugError(
            f"{catalog.name}: none of the images can be used; expected image files under "
            f"{catalog.root}",
            [str(entry) for entry in pixels.bad],
        )
    bad_ids = {entry.image_id for entry in pixels.bad}
    kept = catalog
    if bad_ids:
        kept = catalog.take(np.flatnonzero([name not in bad_ids for name in catalog.image_ids]))
    uncropped = pixels.uncropped if crop == "lesion" else 0
    notes = _notes(len(kept), pixels.bad, uncropped)
    kept = replace(kept, notes=(*kept.notes, *notes))
    # A path that moved since the cache was written is named as the catalog names it now.
    return PixelStore(kept, pixels.images, pixels.contents, pixels.bad, uncropped)


def _notes(kept: int, bad: Sequence[BadFile], uncropped: int) -> list[str]:
    notes = []
    if bad:
        total = kept + len({entry.image_id for entry in bad})
        notes.append(f"Left out of {total:,} images: {unusable_words(bad)}.")
    if uncropped:
        notes.append(
            f"{uncropped} of {kept} images have no segmentation and show their centred square."
        )
    return notes


def _embedded(catalog: Catalog, config: DataConfig) -> PixelStore:
    assert catalog.embedded is not None
    images = np.stack([resize_square(pixels, config.size) for pixels in catalog.embedded])
    images.flags.writeable = False
    contents = Contents.of(map(sign_pixels, catalog.embedded))
    uncropped = len(catalog) if config.crop == "lesion" else 0
    kept = replace(catalog, notes=(*catalog.notes, *_notes(len(catalog), (), uncropped)))
    return PixelStore(kept, images, contents, (), uncropped)
