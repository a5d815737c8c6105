"""The Kaggle set's hmnist_28_28_RGB.csv: HAM10000's pixels at 28 x 28, for want of the images."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv
from jaxtyping import Int, UInt8

from dermaug.data.catalog import Catalog
from dermaug.data.containers import is_folder
from dermaug.data.findings import Findings
from dermaug.data.image_folders import file_names
from dermaug.data.metadata import read_sheet
from dermaug.data.sources import ham10000
from dermaug.data.sources.plain_catalog import labels_alone
from dermaug.errors import DermaugError

FILE_NAME = "hmnist_28_28_rgb.csv"
LOOKS_FOR = "hmnist_28_28_RGB.csv, or the folder that holds it without the images"
LABELS = ("akiec", "bcc", "bkl", "df", "nv", "vasc", "mel")  # in the order of their codes
SIDE = 28
NUM_VALUES = SIDE * SIDE * 3
COLUMN_NAMES = (*(f"pixel{index:04d}" for index in range(NUM_VALUES)), "label")


def find_table(path: Path) -> Path | None:
    """The table of pixels: `path` itself or in it; None without one."""
    if not is_folder(path):
        return path if path.name.lower() == FILE_NAME else None
    return next((path / name for name in file_names(path) if name.lower() == FILE_NAME), None)


def recognises(path: Path) -> bool:
    """Whether this is the table of pixels, or a folder with it and no images of the set."""
    if (table := find_table(path)) is None:
        return False
    return table == path or not ham10000.find_images(path)


def read(path: Path) -> Catalog:
    """Read the table of pixels, and the metadata beside or above it if they agree in every label.

    Args:
        path: The table, or its folder.

    Raises:
        DermaugError: The columns are others, or a cell is no number from 0 to 255 (labels: to 6).
    """
    source = find_table(path)
    if source is None:
        raise DermaugError(f"{path}: expected {LOOKS_FOR}; found none")
    values = _read_values(source)
    codes = values[:, NUM_VALUES]
    _check_codes(source, codes)
    labels = [LABELS[code] for code in codes]
    table, note = _with_metadata(source, labels)
    return Catalog(
        name="HAM10000 (28 x 28)",
        root=source.parent,
        table=_without_metadata(labels) if table is None else table,
        classes=tuple(sorted(set(labels))),
        grouped=table is not None,
        embedded=np.ascontiguousarray(values[:, :NUM_VALUES]).reshape(-1, SIDE, SIDE, 3),
        notes=("The pixels are Kaggle's 28 x 28 thumbnails, not the dermoscopic images.", note),
    )


def _read_values(source: Path) -> UInt8[np.ndarray, "n 2353"]:
    """All cells as numbers from 0 to 255; in threads, for the table has 24 million of them."""
    types = dict.fromkeys(COLUMN_NAMES, pa.uint8())
    try:
        with source.open("rb") as file:
            header = file.readline().decode("utf-8-sig", "replace").strip()
        found = tuple(name.strip('"') for name in header.split(","))
        if found != COLUMN_NAMES:
            raise DermaugError(
                f"{source} line 1: expected the columns pixel0000 to pixel{NUM_VALUES - 1} and "
                f"label, found {len(found)} columns from {found[0][:40]!r} to {found[-1][:40]!r}; "
                "download the table again"
            )
        table = arrow_csv.read_csv(
            source, convert_options=arrow_csv.ConvertOptions(column_types=types, null_values=[])
        )
    except (OSError, pa.ArrowException) as error:
        _name_faulty_rows(source)
        raise DermaugError(f"{source}: not a readable table of pixels: {error}") from None
    if not len(table):
        raise DermaugError(f"{source}: expected one row per image below the header, found no rows")
    return np.stack([column.to_numpy() for column in table.columns], axis=1)


def _name_faulty_rows(source: Path) -> None:
    """Read line by line what the fast reader refused, to name each faulty row."""
    findings = Findings()
    usual = {str(value).encode() for value in range(256)}
    with source.open("rb") as file:
        next(file)
        for line, text in enumerate(file, 2):
            cells = text.strip().split(b",")
            where = f"{source.name} line {line}"
            if len(cells) != len(COLUMN_NAMES) and cells != [b""]:
                findings.add(f"{where}: expected {len(COLUMN_NAMES)} cells, found {len(cells)}")
            elif not usual.issuperset(cells):
                column, cell = next(
                    (column, cell.decode("ascii", "backslashreplace")[:40])
                    for column, cell in zip(COLUMN_NAMES, cells, strict=False)
                    if cell not in usual
                )
                findings.add(f"{where}: expected {column} from 0 to 255, found {cell!r}")
    findings.stop(str(source))


def _check_codes(source: Path, codes: Int[np.ndarray, " n"]) -> None:
    findings = Findings()
    for row in np.flatnonzero(codes >= len(LABELS)):
        findings.add(
            f"{source.name} line {row + 2}: expected a label from 0 to {len(LABELS) - 1}, "
            f"found {codes[row]}"
        )
    findings.stop(str(source))


def _with_metadata(source: Path, labels: list[str]) -> tuple[pd.DataFrame | None, str]:
    """The metadata's rows if they agree with every label, and a sentence on what was found."""
    metadata = ham10000.find_metadata(source.parent)
    if metadata is None:
        return None, "No HAM10000_metadata.csv beside the pixels: lesions are unknown."
    findings = Findings()
    table = ham10000.read_rows(read_sheet(metadata, ham10000.REQUIRED, findings), findings)
    findings.stop(str(metadata))
    expected = table["label"].tolist()
    if len(expected) != len(labels):
        return None, (
            f"{metadata.name} has {len(expected):,} rows and the pixels {len(labels):,}: they do "
            "not belong together, so lesions are unknown."
        )
    if expected != labels:
        first = next(
            row
            for row, pair in enumerate(zip(expected, labels, strict=True), 1)
            if pair[0] != pair[1]
        )
        return None, (
            f"{metadata.name} and the pixels disagree on the label of row {first:,}: they do not "
            "belong together, so lesions are unknown."
        )
    return table, f"Lesions come from {metadata.name}, which agrees in every label."


def _without_metadata(labels: list[str]) -> pd.DataFrame:
    return labels_alone([f"hmnist_{row:05d}" for row in range(len(labels))], labels)
