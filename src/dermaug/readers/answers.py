"""The answers that readers send back, checked against the key."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from dermaug.data.metadata import Row, read_given
from dermaug.errors import DermaugError
from dermaug.readers.key import ORIGINS, ReaderKey
from dermaug.whole_numbers import whole_number

SENT = ("test", "reader", "image", "origin", "diagnosis", "seconds", "answered")
"""Columns of a file of answers."""
COLUMNS = ("reader", "case", "origin", "label", "generator", "said", "diagnosis", "seconds")

MOST_SECONDS = 1e6
"""Longest time for an image; a page that stays in view for days is one."""


def read_answers(key: ReaderKey, paths: Sequence[Path]) -> pd.DataFrame:
    """Read the files of all readers.

    Args:
        key: The key of the test.
        paths: One CSV file per reader, as the page downloads it.

    Returns:
        One row per reader and image with both answers: reader, case (place in the key), origin,
        label, generator (these three from the key), said (real or synthetic), diagnosis, seconds.

    Raises:
        DermaugError: Lists every row that does not belong to the test, is out of range, or occurs
            twice, and how many rows of a reader are missing; or nothing is answered.
    """
    rows: dict[tuple[str, int], dict[str, object]] = {}
    wrong: list[str] = []
    for path in paths:
        for row in read_given(path, "answers, as the page downloads it", SENT).rows:
            fault = _fault(key, row)
            place = (row["reader"], int(row["image"])) if not fault else ("", 0)
            if not fault and place in rows:
                fault = f"image {place[1]} of {place[0]} is answered twice"
            if fault:
                wrong.append(f"{path.with_name(row.where)}: {fault}")
            else:
                rows[place] = _answer(key, row)
    wrong += _lost_rows(key, rows)
    if wrong:
        raise DermaugError(
            "expected the answers of this test, as its pages download them; found others; take "
            "each reader's file as it was sent, and only once",
            [*wrong[:10], *([f"and {len(wrong) - 10} more"] if len(wrong) > 10 else [])],
        )
    # In one order, so that the draws of intervals do not depend on that of the files.
    found = [row for _, row in sorted(rows.items()) if row["said"] and row["diagnosis"]]
    if silent := sorted({reader for reader, _ in rows} - {str(row["reader"]) for row in found}):
        raise DermaugError(
            f"expected files with answers, found none that answers an image of "
            f"{', '.join(silent)}; leave that file out"
        )
    return pd.DataFrame(found, columns=list(COLUMNS))


def _lost_rows(key: ReaderKey, rows: Iterable[tuple[str, int]]) -> list[str]:
    """One line for each reader whose file lacks rows: the page writes one for every image."""
    found, number = Counter(reader for reader, _ in rows), len(key.cases)
    return [
        f"{reader}: {rows} of the {number} rows that the page downloads, answered or not"
        for reader, rows in found.items()
        if rows < number
    ]


def _fault(key: ReaderKey, row: Row) -> str:
    """What is wrong with a row; "" if nothing is."""
    number = len(key.cases)
    if row["test"] != key.test:
        return "from another reader test"
    if row["reader"] not in key.orders:
        return f"unknown reader {row['reader']!r}; expected {', '.join(key.orders)}"
    if not 1 <= (whole_number(row["image"]) or 0) <= number:
        return f"image {row['image']!r}: expected 1 to {number}"
    if row["origin"] not in ("", *ORIGINS):
        return f"origin {row['origin']!r}: expected real or synthetic"
    if row["diagnosis"] not in ("", *key.classes):
        return f"diagnosis {row['diagnosis']!r}: expected {', '.join(key.classes)}"
    if not _seconds(row).replace(".", "", 1).isdecimal() or float(_seconds(row)) > MOST_SECONDS:
        return f"seconds {row['seconds'][:40]!r}: expected a number up to {MOST_SECONDS:,.0f}"
    return ""


def _answer(key: ReaderKey, row: Row) -> dict[str, object]:
    place = key.orders[row["reader"]][int(row["image"]) - 1]
    case = key.cases[place]
    return {
        "reader": row["reader"],
        "case": place,
        "origin": case.origin,
        "label": case.label,
        "generator": case.generator,
        "said": row["origin"],
        "diagnosis": row["diagnosis"],
        "seconds": float(_seconds(row)),
    }


def _seconds(row: Row) -> str:
    return row["seconds"].replace(",", ".")
