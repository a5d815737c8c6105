"""What is wrong with a data set, collected by file and row, so that all of it is told at once."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence

from dermaug.config.data import LEAVE_OUT_UNCLEAR, Unclear
from dermaug.errors import DermaugError

LISTED_FINDINGS = 20
FOUND = ", found "
"""What a finding's text begins with, behind what was expected: findings that differ only in it are
of one kind."""
LEFT_OUT = "Left out as unclear: "
"""Beginning of the note on what was left out."""
NAMED = 3
"""Names that a sentence on what is left out shows."""
ALSO = 3
"""Texts of further findings of one kind that a line shows."""
_PLACE = re.compile(r"^(\S.*? (?:line|row)) [0-9]+:")
"""Where a finding begins with the number of its row."""


class UnclearError(DermaugError):
    """All that is wrong with a data set can be left out as unclear."""


class Findings:
    """The problems of a data set, collected so that they are reported together.

    Args:
        unclear: What to do with what can be left out: see `DataConfig.unclear`; None if that is not
            offered.
    """

    def __init__(self, unclear: Unclear | None = None) -> None:
        self.lines: list[str] = []
        self.leave_out = unclear == "leave_out"
        self._is_offered = unclear is not None
        self._can_be_left_out = 0
        self._left_out = defaultdict[str, list[str]](list)

    def add(self, line: str) -> None:
        """Add one finding, which names its file and row."""
        self.lines.append(line)

    def add_unclear(self, line: str, what: str, names: Sequence[str]) -> None:
        """Add a finding that can be left out; with `leave_out`, it is counted instead.

        Args:
            line: Names its file and row.
            what: Which rows, images or cells the reader leaves out, in the plural.
            names: Their names, or what they hold.
        """
        if self.leave_out:
            self._left_out[what] += names
        else:
            self.add(line)
            self._can_be_left_out += 1

    def excused(self, doubtful: Collection[str]) -> Collection[str]:
        """Cells of ragged rows that need no second finding; what is left out is always counted."""
        return () if self.leave_out else doubtful

    @property
    def notes(self) -> list[str]:
        """A sentence on what has been left out, as a list of one sentence or none."""
        told = [
            f"{what}: {len(names):,} ({shortened(list(dict.fromkeys(names)))})"
            for what, names in self._left_out.items()
        ]
        return [f"{LEFT_OUT}{'; '.join(told)}."] if told else []

    def stop(self, where: str, what: str = "data set") -> None:
        """Raise if there are findings.

        Args:
            where: The source, for example the data set's folder.
            what: What it should have been.

        Raises:
            DermaugError: Lists at most `LISTED_FINDINGS` findings and the number of others;
                an `UnclearError` if all of them can be left out.
        """
        if not self.lines:
            return
        told = _once(self.lines)
        shown = told[:LISTED_FINDINGS]
        if hidden := len(told) - len(shown):
            shown = [*shown, f"and {hidden:,} more"]
        number, removable = len(self.lines), self._can_be_left_out
        noun = "finding" if number == 1 else "findings"
        if removable and self._is_offered:
            part = "what was found" if removable == number else f"{removable:,} of the findings"
            shown = [*shown, f"{LEAVE_OUT_UNCLEAR} leaves out {part}, and counts it"]
        error = UnclearError if self._is_offered and removable == number else DermaugError
        raise error(
            f"{where}: expected a complete and consistent {what}, found {number:,} "
            f"{noun}; correct them and run the command again",
            shown,
        )


def shortened(names: Sequence[str]) -> str:
    """The first names of many, in short.

    Example:
        >>> shortened(["a.jpg", "b.jpg", "c.jpg", "d.jpg"])
        'a.jpg, b.jpg, c.jpg, ...'
    """
    shown = ", ".join(" ".join(name.split())[:100] or "no name" for name in names[:NAMED])
    return shown + (", ..." if len(names) > NAMED else "")


def _once(lines: Sequence[str]) -> list[str]:
    """Findings of one kind as one line: the first, how many more rows, and what they have."""
    kinds = defaultdict(list)
    for line in lines:
        kinds[_PLACE.sub(r"\1:", line).partition(FOUND)[0]].append(line)
    return [_told(of_kind) for of_kind in kinds.values()]


def _told(lines: Sequence[str]) -> str:
    first, number = lines[0], len(lines) - 1
    texts = dict.fromkeys(line.partition(FOUND)[2] for line in lines)
    others = [text for text in texts if text][1 : 1 + ALSO]
    also = f" with {', '.join(others)}{', ...' if len(texts) > 1 + ALSO else ''}" if others else ""
    return first + (f" (and {number:,} more row{'s' * (number != 1)}{also})" if number else "")
