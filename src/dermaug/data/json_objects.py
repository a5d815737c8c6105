"""Rows of a table that is written as JSON objects, one per line or in one file."""

import json
from collections.abc import Iterable
from pathlib import Path

from dermaug.data.findings import Findings
from dermaug.data.table_text import beginning, read_text
from dermaug.errors import DermaugError

LINES, LIST = ".jsonl", ".json"
"""Ending of tables of one JSON object per line, and of those of a list, or of nested objects."""
SHOWN = 6
"""Names of a nested file that are shown."""

Objects = list[tuple[str, dict[str, object]]]
"""Where each stands, and its values."""


def is_json(path: Path) -> bool:
    """Whether a file bears the ending of such a table."""
    return path.suffix.lower() in (LINES, LIST)


def may_have_rows(path: Path) -> bool:
    """Whether a file may be a table: other JSON may be large, or of thousands of files."""
    start = b"" if path.suffix.lower() == LINES else beginning(path)
    return start.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in (b"", b"[", b"{")


def json_objects(path: Path, findings: Findings) -> Objects:
    """Every object of a file that is not empty.

    Args:
        path: The file.
        findings: Gets one line for each line that is no object.

    Raises:
        DermaugError: No text, or a `.json` file of which it is open what its rows are.
    """
    return _of_file(path) if path.suffix.lower() == LIST else _of_lines(path, findings)


def _of_lines(path: Path, findings: Findings) -> Objects:
    objects: Objects = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        where = f"{path.name} line {number}"
        cells = _parsed(line or "{}")
        if not isinstance(cells, dict):
            findings.add(
                f"{where}: expected a JSON object with each name once, found {line[:40]!r}"
            )
        elif cells:
            objects.append((where, cells))
    return objects


def _of_file(path: Path) -> Objects:
    found = _parsed(read_text(path))
    if rows := _rows(found):
        return [(f"{path.name} row {place}", each) for place, each in enumerate(rows, 1)]
    raise DermaugError(
        f"{path}: expected a list of JSON objects, one per image, found {_told(found)}; write such "
        "a list, or metadata.csv with one row per image, with the columns file_name,label"
        "[,lesion_id,patient_id,age,sex,localization,skin_tone]"
    )


def _rows(found: object) -> list[dict[str, object]]:
    """One row for each of the innermost objects in a list; none where there are several lists.

    What stands in the objects around is in each of its rows, under the names that lead to it.
    """
    if isinstance(found, dict):
        values, lists = _flat(found)
        if len(lists) != 1:
            return []
        ((_, found),) = lists.items()
        return [{**values, **row} for row in _rows(found)]
    rows: list[dict[str, object]] = []
    for each in _objects(found):
        values, lists = _flat(each)
        if len(lists) > 1:
            return []
        inner = [
            {f"{name}.{key}": value for key, value in row.items()}
            for name, entries in lists.items()
            for row in _rows(entries)
        ]
        rows += [{**values, **row} for row in inner or [{}]]
    return rows


def _flat(entry: dict[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """The values of nested objects and the lists of objects in them, by names joined by points."""
    values, lists = dict[str, object](), dict[str, object]()
    for name, each in entry.items():
        if isinstance(each, dict):
            for found, own in zip((values, lists), _flat(each), strict=True):
                found |= {f"{name}.{key}": value for key, value in own.items()}
        elif _objects(each):
            lists[name] = each
        elif each != []:
            values[name] = each
    return values, lists


def _objects(value: object) -> list[dict[str, object]]:
    """The entries of a list of objects; none of other values."""
    is_list = isinstance(value, list) and all(isinstance(each, dict) for each in value)
    return value if is_list else []  # type: ignore[return-value]


def _told(found: object) -> str:
    """What a JSON file holds in place of rows, in words."""
    if isinstance(found, dict) and found:
        named = [f"{name} ({_kind(value)})" for name, value in list(found.items())[:SHOWN]]
        more = ", ..." if len(found) > SHOWN else ""
        return f"one object with {', '.join(named)}{more}"
    return "no readable JSON" if found is None else _kind(found)


def _kind(value: object) -> str:
    if isinstance(value, list):
        return f"a list of {len(value):,} {'objects' if _objects(value) else 'values'}"
    return "an object" if isinstance(value, dict) else "one value"


def _parsed(text: str) -> object:
    """The value that a text holds; None if it is no JSON, or an object has a name twice."""
    try:
        return json.loads(text, object_pairs_hook=_of_pairs)
    except (ValueError, RecursionError):
        return None


def _of_pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if doubles(name for name, _ in pairs):
        raise ValueError
    return dict(pairs)


def doubles(names: Iterable[str]) -> set[str]:
    """The names that occur twice.

    Example:
        >>> doubles(["age", "sex", "age"])
        {'age'}
    """
    seen = set[str]()
    return {name for name in names if name in seen or seen.add(name)}  # type: ignore[func-returns-value]
