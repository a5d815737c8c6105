"""Rows of a table that is written as JSON objects, one per line or in one list."""

import json
from collections.abc import Iterable
from pathlib import Path

from dermaug.data.findings import Findings
from dermaug.data.table_text import beginning, read_text
from dermaug.errors import DermaugError

LINES, LIST = ".jsonl", ".json"
"""Ending of tables of one JSON object per line, and of those of one list of them."""
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
    return start.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in (b"", b"[")


def json_objects(path: Path, findings: Findings) -> Objects:
    """Every object of a file that is not empty.

    Args:
        path: The file.
        findings: Gets one line for each line that is no object.

    Raises:
        DermaugError: No text, or a `.json` file that is no list of objects.
    """
    return _of_list(path) if path.suffix.lower() == LIST else _of_lines(path, findings)


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


def _of_list(path: Path) -> Objects:
    found = _parsed(read_text(path))
    if isinstance(found, list) and found and all(isinstance(each, dict) for each in found):
        return [(f"{path.name} row {place}", each) for place, each in enumerate(found, 1)]
    raise DermaugError(
        f"{path}: expected a list of JSON objects, one per image, found {_told(found)}; write such "
        "a list, or metadata.csv with one row per image, with the columns file_name,label"
        "[,lesion_id,patient_id,age,sex,localization,skin_tone]"
    )


def _told(found: object) -> str:
    """What a JSON file holds in place of rows, in words."""
    if isinstance(found, dict) and found:
        named = [f"{name} ({_kind(value)})" for name, value in list(found.items())[:SHOWN]]
        more = ", ..." if len(found) > SHOWN else ""
        return f"one object with {', '.join(named)}{more}"
    return "no readable JSON" if found is None else _kind(found)


def _kind(value: object) -> str:
    if isinstance(value, list):
        objects = "objects" if value and all(isinstance(each, dict) for each in value) else "values"
        return f"a list of {len(value):,} {objects}"
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
