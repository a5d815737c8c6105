"""Parquet files with encoded images and their labels, as Hugging Face's `datasets` writes them."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from dermaug.data.catalog import Catalog
from dermaug.data.containers import is_folder
from dermaug.data.containers.parquet_file import image_column, is_damaged
from dermaug.data.findings import Findings
from dermaug.data.image_folders import files_below
from dermaug.data.metadata import Row, Sheet
from dermaug.data.sources.descriptors import Layout, layout_of
from dermaug.data.sources.labelled_rows import read_rows, stem_of
from dermaug.data.sources.split_folders import pooled_note, split_name
from dermaug.errors import DermaugError

LOOKS_FOR = (
    "parquet files with a column of images and a column label, or those of a public data set"
)
PLAIN = Layout("Hugging Face parquet", "image_id", ("label", "labels", "diagnosis", "dx", "class"))
"""Descriptor of files whose columns are those of no public data set."""


def recognises(path: Path) -> bool:
    """Whether a path is a parquet file with images, or a folder with some."""
    return any(map(_is_labelled, _files(path)))


def why(path: Path) -> str:
    """What a path was recognised as and by which columns, as a sentence."""
    files = [file for file in _files(path) if _is_labelled(file)]
    columns = _columns(_schema(files[0]))
    layout = layout_of(columns) or PLAIN
    label = next(name for name in layout.label if name in columns)
    return f"Recognised as {layout.name} by the column {label} of {len(files)} parquet files."


def read(path: Path, own: Mapping[str, str], findings: Findings) -> Catalog:
    """Read all files of a folder, or one; given splits are pooled.

    Args:
        path: The file, or its folder.
        own: Label as written, or class -> class, or "" to leave it out.
        findings: Gets one line for everything that is wrong.

    Raises:
        DermaugError: Every finding, by file and row.
    """
    files = [file for file in _files(path) if is_damaged(file) or _is_labelled(file)]
    schemas = [_schema(file) for file in files]
    columns = tuple(dict.fromkeys(name for schema in schemas for name in _columns(schema)))
    layout = layout_of(columns) or PLAIN
    rows, images = list[Row](), dict[str, str]()
    for file, schema in zip(files, schemas, strict=True):
        for number, row in enumerate(_rows(file, schema, layout)):
            rows.append(row)
            images.setdefault(stem_of(row[layout.image]), f"{file}/{number}")
    counts = Counter(row["split"] for row in rows)
    kept, notes = _once(rows, layout)
    if len(counts) > 1:
        notes = [pooled_note(counts), *notes]
    root = path if is_folder(path) else path.parent
    sheet = Sheet(root, tuple({**dict.fromkeys(columns), layout.image: 0}), kept, frozenset())
    return read_rows(sheet, layout, own, images, root, findings, notes)


def _files(path: Path) -> list[Path]:
    if not is_folder(path):
        return [path] if path.suffix.lower() == ".parquet" else []
    found = files_below(path, lambda name: name.lower().endswith(".parquet"))
    return [Path(file) for file in found if Path(file).is_file()]


def _schema(file: Path) -> Any:  # noqa: ANN401
    if is_damaged(file):
        raise DermaugError(
            f"{file}: not a readable parquet file; restore it from a copy, or move it away"
        )
    return pq.read_schema(file)


def _is_labelled(file: Path) -> bool:
    """Whether a file has images and labels; other parquet files are no data sets."""
    try:
        schema = _schema(file)
    except DermaugError:
        return False
    columns = _columns(schema)
    known = layout_of(columns) is not None or any(name in columns for name in PLAIN.label)
    return known and bool(image_column(schema))


def _columns(schema: Any) -> tuple[str, ...]:  # noqa: ANN401
    """Names of the columns other than that of the images."""
    image = image_column(schema)
    return tuple(str(name) for name in schema.names if name != image)


def _rows(file: Path, schema: Any, layout: Layout) -> list[Row]:  # noqa: ANN401
    """The rows of a file as text; classes that are stored as numbers get their names."""
    columns, names = _columns(schema), _class_names(schema)
    table = pq.read_table(file, columns=list(columns)).to_pylist() if columns else []
    split = split_name(file.parent.name) or split_name(re.split(r"[-_.]", file.name)[0])
    rows = []
    for number, cells in enumerate(table):
        texts = {name: _text(cells[name], names.get(name, ())) for name in columns}
        texts.setdefault(layout.image, f"{file.stem}-{number:06d}")
        rows.append(Row(f"{file.name} row {number + 1}", {"split": split, **texts}))
    return rows


def _text(value: object, names: Sequence[str]) -> str:
    if isinstance(value, int) and 0 <= value < len(names):
        return names[value]
    return "" if value is None else str(value).strip()


def _class_names(schema: Any) -> dict[str, Sequence[str]]:  # noqa: ANN401
    """Column -> names of its numbered classes (`ClassLabel`)."""
    stored = (schema.metadata or {}).get(b"huggingface", b"{}")
    try:
        features = json.loads(stored)["info"]["features"]
        return {
            name: list(map(str, feature["names"]))
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _once(rows: Sequence[Row], layout: Layout) -> tuple[tuple[Row, ...], list[str]]:
    """Each image once, in the first of its splits, and sentences on those of several splits."""
    splits = dict[str, list[str]]()
    for row in rows:
        splits.setdefault(stem_of(row[layout.image]), []).append(row["split"])
    kept, seen = list[Row](), set[str]()
    for row in rows:
        name = stem_of(row[layout.image])
        if name not in seen:
            seen.add(name)
            both = "+".join(dict.fromkeys(splits[name]))
            kept.append(Row(row.where, {**row.cells, "split": both}))
    if len(kept) == len(rows):
        return tuple(kept), []
    shared = Counter(
        " and ".join(found) if len(found := list(dict.fromkeys(names))) > 1 else f"{found[0]} twice"
        for names in splits.values()
        if len(names) > 1
    )
    told = ", ".join(f"{number:,} in {where}" for where, number in shared.most_common())
    sizes = Counter(name for names in splits.values() for name in set(names))
    held = [
        f"{100 * number / sizes[name]:.0f} % of the images of {name} are in train, too"
        for name in sizes
        if name not in ("", "train")
        and (number := sum({"train", name} <= set(names) for names in splits.values()))
    ]
    leak = f" {'; '.join(held)}." if held else ""
    repeated = f"{sum(shared.values()):,} images have several rows ({told}); each is read once."
    return tuple(kept), [repeated + leak]
