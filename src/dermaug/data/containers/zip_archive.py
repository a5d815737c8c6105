"""Zip archives, read in place; those that are not to be trusted are refused as a whole."""

import stat
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PureWindowsPath

from dermaug.data.containers.content import limited
from dermaug.errors import DermaugError

LARGEST_RATIO = 100
"""Largest size of a member over its stored size, from `BULKY` bytes on; photographs reach 20."""
BULKY = 100_000_000
LISTED = 10


class ZipContainer:
    """A zip archive.

    Raises:
        DermaugError: It is damaged, or has a member whose name leads out of it, a link, an
            encrypted or doubled member, or one that is implausibly larger than it is stored.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except Exception as error:  # of zipfile, or of what it uses
            raise DermaugError(
                f"{path}: not a readable zip archive ({error}); download it again, or move it away"
            ) from None
        members = self._zip.infolist()
        faults = [f"{info.filename[:100]!r} {fault}" for info in members if (fault := _fault(info))]
        faults += [
            f"{name[:100]!r} occurs twice" for name in _doubles([info.filename for info in members])
        ]
        if faults:
            raise DermaugError(
                f"{path}: expected an archive of plain files below its own folder, found "
                f"{len(faults):,} others; unpack it yourself if you trust it",
                faults[:LISTED],
            )
        self._members = {info.filename: info for info in members if not info.is_dir()}

    @property
    def names(self) -> Sequence[str]:
        """Members, with / between folders."""
        return list(self._members)

    def size(self, name: str) -> int:
        """Bytes of a member, as the archive says."""
        return self._members[name].file_size

    def read(self, name: str, limit: int) -> bytes:
        """Content of a member, of at most `limit` bytes whatever the archive says.

        Raises:
            OSError: There is none, or it is larger than `limit` bytes.
        """
        if name not in self._members:
            raise FileNotFoundError(2, "no such file in the archive", name)
        with self._zip.open(self._members[name]) as file:
            return limited(file.read(limit + 1), limit)


def _fault(info: zipfile.ZipInfo) -> str:
    """Why a member of an archive is not to be trusted; "" if it is."""
    name, windows = info.filename, PureWindowsPath(info.filename)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if name.startswith("/") or windows.drive or "\\" in name or ".." in name.split("/"):
        return "leads out of the archive"
    if not name.isprintable():
        return "has control characters in its name"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or device"
    if info.flag_bits & 1:
        return "is encrypted"
    bulky = info.file_size > BULKY and info.file_size > LARGEST_RATIO * info.compress_size
    return f"claims {info.file_size / 1e6:,.0f} MB, which is implausible" if bulky else ""


def _doubles(names: Sequence[str]) -> list[str]:
    return sorted(name for name, number in Counter(names).items() if number > 1)
