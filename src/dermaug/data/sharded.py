"""An array that lies in several files, each mapped and checked when it is first touched."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dermaug.console import tell
from dermaug.errors import DermaugError


@dataclass(frozen=True)
class Shard:
    """One file of the array.

    Args:
        path: A .npy file.
        rows: Number of its rows.
        crc32: Of its values.
    """

    path: Path
    rows: int
    crc32: int


class ShardedArray:
    """Rows of all shards, one after the other, read-only.

    Indexed by a row, a slice, or an array of rows or of truth values, which gives a NumPy array;
    `np.asarray` gives all rows. What is not asked for is not read. A shard is mapped when one of
    its rows is first asked for; one that is damaged is named, made anew, and checked again.

    Args:
        shards: The files.
        shape: Shape of a row.
        dtype: Type of the values.
        mend: Writes the shard of that number again.
    """

    def __init__(
        self,
        shards: Sequence[Shard],
        shape: tuple[int, ...],
        dtype: type[np.generic],
        mend: Callable[[int], None],
    ) -> None:
        self._shards, self._mend, self.dtype = tuple(shards), mend, np.dtype(dtype)
        self._ends = np.cumsum([shard.rows for shard in shards], dtype=np.int64)
        self.shape = (int(self._ends[-1]) if len(shards) else 0, *shape)
        self._rows = np.arange(len(self))
        self._mapped: dict[int, npt.NDArray[Any]] = {}

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def nbytes(self) -> int:
        """Bytes of all rows."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def __getitem__(self, wanted: Any) -> npt.NDArray[Any]:  # noqa: ANN401
        rows = self._rows[wanted]
        places = np.searchsorted(self._ends, rows, side="right")
        if np.ndim(rows) == 0:
            return self._row(int(places), int(rows))
        found = np.empty((len(rows), *self.shape[1:]), self.dtype)
        for place in np.unique(places).tolist():
            here = places == place
            found[here] = self._shard(place)[rows[here] - self._start(place)]
        return found

    def __array__(
        self, dtype: npt.DTypeLike | None = None, copy: bool | None = None
    ) -> npt.NDArray[Any]:
        whole = self._shard(0) if len(self._shards) == 1 else self[:]
        return np.array(whole, dtype=dtype, copy=copy)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_mapped": {}}  # maps are not sent to other processes

    def _row(self, place: int, row: int) -> npt.NDArray[Any]:
        return np.asarray(self._shard(place)[row - self._start(place)])

    def _start(self, place: int) -> int:
        return int(self._ends[place]) - self._shards[place].rows

    def _shard(self, place: int) -> npt.NDArray[Any]:
        if place not in self._mapped:
            self._mapped[place] = self._checked(place)
        return self._mapped[place]

    def _checked(self, place: int) -> npt.NDArray[Any]:
        shard = self._shards[place]
        mapped = self._sound(shard)
        if mapped is None:
            tell(f"{shard.path} is damaged; its images are decoded again")
            self._mend(place)
            mapped = self._sound(shard)
        if mapped is None:
            raise DermaugError(
                f"{shard.path}: expected the images that this command began with, found others: "
                "their files were changed meanwhile, or the disk does not give back what was "
                "written; run the same command again"
            )
        return mapped

    def _sound(self, shard: Shard) -> npt.NDArray[Any] | None:
        """The values of a shard; None unless they are those that were written."""
        try:
            mapped = np.asarray(np.load(shard.path, mmap_mode="r", allow_pickle=False))
        except (OSError, ValueError, EOFError):
            return None
        expected = ((shard.rows, *self.shape[1:]), self.dtype)
        is_sound = (mapped.shape, mapped.dtype) == expected
        return mapped if is_sound and zlib.crc32(mapped.data) == shard.crc32 else None
