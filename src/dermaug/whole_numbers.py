"""Whole numbers in text that others wrote: the digits of a table, a name or an option."""

MOST_DIGITS = 18
"""More are never meant, and `int` refuses thousands of them."""


def whole_number(text: str) -> int | None:
    """The number that a text of digits states; None for any other text.

    Example:
        >>> whole_number("12"), whole_number("-1"), whole_number("²"), whole_number("9" * 5000)
        (12, None, None, None)
    """
    is_number = text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
    return int(text) if is_number else None
