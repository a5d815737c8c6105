"""What the user has decided before a study is planned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Wishes:
    """Decisions of the user, which a plan keeps.

    Args:
        settings: `key=value` each, entries of the file.
        labels: Label -> class, or "" to leave it out.
        columns: Column that is read -> its name in the table of the data.
    """

    settings: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
