"""Labels that are numbers: codes of a list that lies elsewhere, and codes for unknown."""

import re
from collections.abc import Collection

NUMBER = re.compile(r"[-+]?[0-9]{1,6}(?:\.0+)?")
CODES_FOR_UNKNOWN = (-1, 9, 88, 99, 999)
"""Numbers by which tables usually say that something is unknown or does not apply."""
_CODES = frozenset((*CODES_FOR_UNKNOWN, -9, -88, -99, -999, 77, 97, 98, 777, 888, 998, 9999))


def is_number(label: str) -> bool:
    """Whether a label is a whole number.

    Example:
        >>> is_number("3"), is_number("-1"), is_number("2.0"), is_number("C43")
        (True, True, True, False)
    """
    return NUMBER.fullmatch(label) is not None


def may_be_unknown(label: str, labels: Collection[str]) -> bool:
    """Whether a label is a usual code for unknown, and does not just follow the codes before it.

    Args:
        label: One of the labels.
        labels: All of them.

    Example:
        >>> may_be_unknown("99", ["1", "2", "99"]), may_be_unknown("9", [*"0123456789"])
        (True, False)
    """
    if not is_number(label) or (number := int(float(label))) not in _CODES:
        return False
    others = {int(float(each)) for each in labels if is_number(each)} - _CODES
    return number < 0 or number - 1 not in others
