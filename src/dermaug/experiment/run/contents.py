"""The stored content of a run's images, by which they are recognised without the data at hand.

`contents/` holds a table of digests for each data set that the run uses, and the detail of its own
images. The detail is small and grey, but it comes from images of patients and is never published.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from dermaug.aside import written_aside
from dermaug.data.contents import IDENTITY, differences
from dermaug.data.image_rows import ImageRows, Pixels, chunks
from dermaug.data.pixels import PixelStore
from dermaug.data.signature import SIDE
from dermaug.errors import DermaugError
from dermaug.experiment.run.layout import RunFolder
from dermaug.experiment.run.records import RunRecord
from dermaug.files import known_sha256, refuse_special
from dermaug.parquet_files import read_parquet, write_parquet

DATA = "data"
"""Name of the run's own data; other names are `external0` and `folder-ARM`."""


@dataclass(frozen=True, eq=False)
class Remembered:
    """The stored content of the images of a run.

    Args:
        table: Returned by `contents_table`.
        details: Detail of each row, int8 (n, 32, 32); zero for images that cannot be used.
    """

    table: pd.DataFrame
    details: Pixels

    @classmethod
    def of(cls, store: PixelStore) -> "Remembered":
        """The content of some data, to be stored."""
        table = store.table
        places = pd.Index(store.catalog.image_ids).get_indexer(pd.Index(table["image_id"]))
        number, none = len(store.catalog), np.zeros((1, SIDE, SIDE), np.int8)
        known = ImageRows((store.contents.details, np.arange(number)), (none, np.zeros(1, int)))
        return cls(table, ImageRows((known, np.where(places < 0, number, places))))


def write_remembered(run: Path, remembered: Remembered) -> None:
    """Write the content of a run's own images."""
    write_parquet(RunFolder(run).contents(DATA), remembered.table)
    with written_aside(RunFolder(run).details) as aside, aside.open("wb") as file:
        shape = remembered.details.shape
        header = {"descr": "|i1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for part in chunks(len(remembered.details)):
            file.write(remembered.details[part].tobytes())


def read_remembered(run: Path) -> Remembered:
    """Read the output of `write_remembered`.

    Raises:
        DermaugError: A file is missing or damaged, or the files do not belong together.
    """
    path = RunFolder(run).details
    table = read_contents(run, DATA)
    _refuse_others(run, path)
    try:
        details = np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # numpy's readers of headers know of many
        found = error if path.is_file() else "there is no file"
        raise DermaugError(
            f"{path}: expected the detail of the run's images ({found}); copy the whole run folder"
        ) from None
    if details.dtype != np.int8 or details.shape != (len(table), SIDE, SIDE):
        raise DermaugError(f"{path}: expected the detail of {len(table)} images, found other data")
    return Remembered(table, details)


def note_contents(run: Path, name: str, store: PixelStore) -> str:
    """Write the table of another data set that a run uses, and return its fingerprint."""
    write_parquet(RunFolder(run).contents(name), store.table)
    return store.fingerprint


def read_contents(run: Path, name: str) -> pd.DataFrame:
    """The table of a data set at the start of a run.

    Raises:
        DermaugError: It is missing or damaged.
    """
    path = RunFolder(run).contents(name)
    if not path.is_file():
        raise DermaugError(
            f"{path}: expected the stored contents of the run's images, found no file; copy the "
            "whole run folder"
        )
    table = read_parquet(path)
    _refuse_others(run, path)
    expected = (*IDENTITY, "pixels")
    if not set(expected) <= set(table.columns):
        raise DermaugError(
            f"{path}: expected the columns {', '.join(expected)}, found "
            f"{', '.join(map(str, table.columns))}; copy the whole run folder"
        )
    return table


def refuse_changed(run: Path, name: str, what: str, before: str, store: PixelStore) -> None:
    """Raise unless some data are those with which a run was started, wherever they are stored.

    The run recorded the fingerprint `before`, and the table of that name. `what` names the data in
    the error, for example `data.source`.

    Raises:
        DermaugError: Images differ; the message states how many and in which respect.
    """
    noted, now = read_contents(run, name), store.table
    found = differences(noted, now)
    if before == store.fingerprint and not found.images:
        return
    raise DermaugError(
        f"{what}: {run} was started with other data: {found.images:,} images differ (it had "
        f"{len(noted):,}, now there are {len(now):,}); pass the original data, or choose another "
        "--output",
        found.lines,
    )


def refuse_other_content(run: Path, what: str, store: PixelStore) -> None:
    """Raise if images have the names of a run's images but different content.

    The data may have more or fewer images than those of the run. `what` names them in the error.

    Raises:
        DermaugError: Images differ; the message states how many.
    """
    before, now = read_contents(run, DATA), store.table
    common = set(before["image_id"]) & set(now["image_id"])
    both = [table[table["image_id"].isin(common)] for table in (before, now)]
    changed = both[0].set_index("image_id")["file"] != both[1].set_index("image_id")["file"]
    if changed.any():
        raise DermaugError(
            f"{what}: expected the data of {run}; {int(changed.sum()):,} of {len(now):,} images "
            "have the name of one of its images but different content, for example "
            f"{changed.index[changed][0]}; pass the same data set"
        )


def _refuse_others(run: Path, path: Path) -> None:
    """Raise unless a file is the one that the run wrote; by another, known images pass as new."""
    refuse_special(path)
    record = RunFolder(run).record
    if path.is_file() and RunRecord.read(record).contents.get(path.name) != known_sha256(path):
        raise DermaugError(
            f"{path}: expected the stored contents that the run wrote, found others (by SHA-256, "
            f"which is in {record.name}); copy the whole run folder again"
        )
