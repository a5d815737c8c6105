"""Numbers in a table that are those at the end of the names that a camera gave."""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePath

RANGE = re.compile(r"\D{0,8}([0-9]{1,6})\s*[-–]\s*\D{0,8}([0-9]{1,6})")
"""First and last number of several photographs."""
MOST_TOGETHER = 100
"""Photographs in the longest range."""


def numbered_files(numbers: Sequence[str], files: Sequence[str]) -> dict[str, str]:
    """Number -> path of its file, where each belongs to exactly one.

    Args:
        numbers: Cells of a table.
        files: Paths of all images.

    Returns:
        Nothing unless all names of files are one word and a number (`IMG_0001.JPG`), and every cell
        is the number of one of them.

    Example:
        >>> numbered_files(["1", "02"], ["card/IMG_0001.JPG", "card/IMG_0002.JPG"])
        {'1': 'card/IMG_0001.JPG', '02': 'card/IMG_0002.JPG'}
        >>> numbered_files(["1"], ["IMG_0001.JPG", "DSC_0001.JPG"])
        {}
    """
    parts = [re.fullmatch(r"(.*?)([0-9]+)", PurePath(file).stem) for file in files]
    beginnings = {part and part[1].casefold() for part in parts}
    if len(beginnings) != 1 or None in beginnings or not all(map(str.isdecimal, numbers)):
        return {}
    by_number = defaultdict[int, list[str]](list)
    for part, file in zip(parts, files, strict=True):
        if part:
            by_number[int(part[2])].append(file)
    found = {number: by_number.get(int(number), []) for number in numbers}
    return (
        {number: each[0] for number, each in found.items()}
        if all(len(each) == 1 for each in found.values())
        else {}
    )


def range_in(cells: Sequence[str]) -> str:
    """The first range of numbers in a column of numbers and ranges; "" in another column.

    Example:
        >>> range_in(["0001", "0002-0004"]), range_in(["0001", "2021-03"])
        ('0002-0004', '')
    """
    ranges = [cell for cell in cells if _is_range(cell)]
    numbers = sum(map(str.isdecimal, cells))
    return ranges[0] if ranges and len(ranges) + numbers == len(cells) else ""


def _is_range(cell: str) -> bool:
    found = RANGE.fullmatch(cell)
    return found is not None and 0 < int(found[2]) - int(found[1]) < MOST_TOGETHER
