"""Labels of a StyleGAN folder or zip: `dataset.json` beside its images (NVlabs/stylegan3)."""

import json
from collections.abc import Sequence
from pathlib import Path

from dermaug.data.findings import Findings
from dermaug.data.metadata import Row, Sheet
from dermaug.data.table_text import read_text
from dermaug.errors import DermaugError

NAME = "dataset.json"


def read_labels(path: Path, required: Sequence[str], findings: Findings) -> Sheet:
    """Read `{"labels": [["00000/img00000000.png", 6], ...]}` as a table.

    Args:
        path: The file.
        required: Names of the two columns: of the image and of its number.
        findings: Gets one line for each entry that is no pair.

    Raises:
        DermaugError: It is no such file.
    """
    try:
        pairs = json.loads(read_text(path))["labels"]
    except (ValueError, RecursionError, KeyError, TypeError):
        pairs = None
    if not isinstance(pairs, list) or not pairs:
        raise DermaugError(
            f'{path}: expected {{"labels": [["00000/img00000000.png", 6], ...]}} with a number for '
            "each image; found none; an unconditional StyleGAN set has no classes"
        )
    rows = []
    for place, pair in enumerate(pairs, start=1):
        where = f"{path.name} label {place}"
        if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str):
            rows.append(Row(where, dict(zip(required, (pair[0], str(pair[1])), strict=True))))
        else:
            findings.add(f"{where}: expected a file name and a number, found {str(pair)[:60]!r}")
    return Sheet(path, tuple(required), tuple(rows), frozenset())
