"""HDF5 files with one encoded image per key, as ISIC 2024 has them (`train-image.hdf5`)."""

from collections.abc import Sequence
from pathlib import Path

from dermaug.errors import DermaugError

MOST_BYTES = 2_000_000_000


def is_damaged(path: Path) -> bool:
    """Whether a file is no HDF5 file that can be opened."""
    import h5py

    try:
        with h5py.File(path, "r", locking=False):
            return False
    except Exception:  # of h5py, which knows of many
        return True


class Hdf5Container:
    """An HDF5 file.

    Raises:
        DermaugError: It is damaged, or holds groups instead of images.
    """

    def __init__(self, path: Path) -> None:
        import h5py

        try:
            self._file = h5py.File(path, "r", locking=False)
            keys = list(self._file.keys())
            first = self._file.get(keys[0], getclass=True) if keys else None
        except Exception as error:  # of h5py, which knows of many
            raise DermaugError(f"{path}: not a readable HDF5 file ({error})") from None
        self._names = [key if "." in key else f"{key}.jpg" for key in keys]
        if first is not None and first is not h5py.Dataset:
            raise DermaugError(
                f"{path}: expected one encoded image (JPEG or PNG) per key, found groups; export "
                "its images as files"
            )

    @property
    def names(self) -> Sequence[str]:
        """The keys, with an ending where they lack one."""
        return self._names

    def size(self, name: str) -> int:
        """Bytes of a member."""
        return len(self.read(name, MOST_BYTES))

    def read(self, name: str, limit: int) -> bytes:
        """Encoded image of a key; links to other files are not followed.

        Raises:
            OSError: There is none, or it is larger than `limit` bytes.
        """
        import h5py
        import numpy as np

        key = name if name in self._file else name.removesuffix(".jpg")
        link = self._file.get(key, getlink=True)
        entry = self._file.get(key) if isinstance(link, h5py.HardLink) else None
        if not isinstance(entry, h5py.Dataset) or entry.external or entry.is_virtual:
            raise FileNotFoundError(
                2, f"no such image in {self._file.filename}, or the file is cut short", name
            )
        if entry.nbytes > limit:
            raise OSError(27, f"too large: more than {limit:,} bytes", name)
        value = entry[()]
        if isinstance(value, bytes):
            return value
        pixels = np.asarray(value)
        if pixels.ndim > 1:
            raise OSError(5, "expected an encoded image (JPEG or PNG), found an array", name)
        return pixels.tobytes()
