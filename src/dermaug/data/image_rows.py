"""Images that stay where they are: rows of one array after rows of another, read when asked for."""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from jaxtyping import Int

CHUNK = 4_096
"""Images that are read at a time where all are read."""


class Pixels(Protocol):
    """What images can be taken from: an array, a `ShardedArray`, or rows of them."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Usually (n, height, width, 3)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Usually uint8."""

    def __len__(self) -> int: ...

    def __getitem__(self, wanted: Any, /) -> npt.NDArray[Any]: ...  # noqa: ANN401


class ImageRows:
    """Some rows of several sets of images, one set after the other; nothing is copied.

    Indexed like a `ShardedArray`.

    Args:
        parts: Images, and the rows of them, each.

    Example:
        >>> images = np.arange(4, dtype=np.uint8).reshape(4, 1, 1, 1)
        >>> ImageRows((images, np.array([3, 1])), (images, np.array([0])))[[2, 0]].ravel()
        array([0, 3], dtype=uint8)
    """

    def __init__(self, *parts: tuple[Pixels, Int[np.ndarray, " _"]]) -> None:
        self._sources = [images for images, _ in parts]
        self._rows = np.concatenate([rows for _, rows in parts])
        self._part_of = np.repeat(np.arange(len(parts)), [len(rows) for _, rows in parts])
        self.shape = (len(self._rows), *self._sources[0].shape[1:])
        self.dtype = self._sources[0].dtype

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, wanted: Any) -> npt.NDArray[Any]:  # noqa: ANN401
        rows, part_of = self._rows[wanted], self._part_of[wanted]
        if np.ndim(rows) == 0:
            return self._sources[int(part_of)][int(rows)]
        found = np.empty((len(rows), *self.shape[1:]), self.dtype)
        for place, images in enumerate(self._sources):
            here = part_of == place
            if here.any():
                found[here] = images[rows[here]]
        return found

    def __array__(
        self, dtype: npt.DTypeLike | None = None, copy: bool | None = None
    ) -> npt.NDArray[Any]:
        return np.asarray(self[:], dtype=dtype)


def chunks(number: int) -> Iterator[slice]:
    """The rows of so many images, `CHUNK` at a time."""
    return (slice(start, start + CHUNK) for start in range(0, number, CHUNK))
