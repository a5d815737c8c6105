"""What every container offers: its members, and their content up to a limit."""

from collections.abc import Sequence
from typing import Protocol


class Container(Protocol):
    """A file that is read as a folder."""

    @property
    def names(self) -> Sequence[str]:
        """Members, with / between folders."""

    def size(self, name: str) -> int:
        """Bytes of a member."""

    def read(self, name: str, limit: int) -> bytes:
        """Content of a member.

        Raises:
            OSError: It is absent, damaged, or larger than `limit` bytes.
        """


def limited(content: bytes, limit: int) -> bytes:
    """The content, unless it is larger than `limit` bytes.

    Raises:
        OSError: It is larger.
    """
    if len(content) > limit:
        raise OSError(27, f"too large: more than {limit:,} bytes")
    return content
