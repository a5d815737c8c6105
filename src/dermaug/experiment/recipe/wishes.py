"""What the user has decided before a study is planned."""

from collections.abc import Sequence
from dataclasses import dataclass

from dermaug.config.data import AS_IT_IS, Reading


@dataclass(frozen=True)
class Wishes:
    """Decisions of the user, which a plan keeps.

    Args:
        settings: `key=value` each, entries of the file.
        reading: How the tables of the data are read.
    """

    settings: Sequence[str] = ()
    reading: Reading = AS_IT_IS
