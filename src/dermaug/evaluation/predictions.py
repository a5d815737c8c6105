"""Predictions of one trial as a table: built, checked, written to parquet and read back."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from pandas.api.types import is_numeric_dtype

from dermaug.data.catalog import Catalog
from dermaug.errors import DermaugError
from dermaug.parquet_files import read_parquet, write_parquet

PARTS = ("validation", "test")
_KEYS = ("image_id", "lesion_id", "group", "part", "label")
"""`group` is what no split parts, a patient or a lesion: statistics draw it whole."""
_TOLERANCE = 1e-3  # of the sum of a row's probabilities: half precision rounds that far


def build_predictions(
    catalog: Catalog,
    rows: Int[np.ndarray, " n"],
    part: str,
    probabilities: Float[np.ndarray, "n k"],
) -> pd.DataFrame:
    """Build the table of one split.

    Args:
        catalog: Data set of the images.
        rows: Row of each image in the catalog.
        part: `validation` or `test`.
        probabilities: One column per class of the catalog, each row summing to 1.
    """
    if np.shape(probabilities) != (len(rows), catalog.num_classes):
        raise DermaugError(
            f"expected {len(rows)} x {catalog.num_classes} probabilities, "
            f"found {' x '.join(map(str, np.shape(probabilities)))}"
        )
    chosen = catalog.table.iloc[np.asarray(rows)].reset_index(drop=True)
    table = chosen[["image_id", "lesion_id"]].assign(
        group=catalog.groups[np.asarray(rows)], part=part, label=chosen["label"]
    )
    columns = [probability_column(label) for label in catalog.classes]
    numbers = pd.DataFrame(np.asarray(probabilities, dtype=np.float32), columns=columns)
    return checked_predictions(pd.concat([table, numbers], axis=1), catalog.classes)


def checked_predictions(
    table: pd.DataFrame, classes: Sequence[str], origin: str = "predictions"
) -> pd.DataFrame:
    """Check a table of predictions, and return it.

    Raises:
        DermaugError: The table is invalid; the message names it by `origin` and lists the faults.
    """
    columns = [*_KEYS, *map(probability_column, classes)]
    if list(table.columns) != columns:
        raise DermaugError(
            f"{origin}: expected the columns {', '.join(columns)}; "
            f"found {', '.join(map(str, table.columns))}"
        )
    if findings := _findings(table, classes):
        raise DermaugError(f"{origin}: invalid predictions; predict again", findings)
    return table


def write_predictions(path: Path, table: pd.DataFrame, classes: Sequence[str]) -> None:
    """Write a checked table as parquet, whole or not at all."""
    checked_predictions(table, classes, str(path))
    write_parquet(path, table)


def read_predictions(path: Path, classes: Sequence[str]) -> pd.DataFrame:
    """Read and check a table written by `write_predictions`.

    Raises:
        DermaugError: The file is missing, damaged, or of other classes.
    """
    try:
        table = read_parquet(path)
    except FileNotFoundError:
        raise DermaugError(f"{path}: expected predictions, found no file") from None
    return checked_predictions(table, classes, str(path))


def refuse_other_rows(
    table: pd.DataFrame, catalog: Catalog, parts: Mapping[str, Sequence[str]], origin: str
) -> None:
    """Raise unless predictions are of exactly these images, with their labels, lesions and groups.

    Args:
        table: Returned by `read_predictions`.
        catalog: The data set of the run.
        parts: `validation` and `test` -> ids of the images of that split of the fold.
        origin: Names the table in the error.

    Raises:
        DermaugError: An image is missing, is not of that part, or has another label, lesion or
            group.
    """
    keys = ["image_id", "lesion_id", "group", "label"]
    known = catalog.table.assign(group=catalog.groups)
    for part, image_ids in parts.items():
        expected = known.iloc[catalog.rows(image_ids)][keys].astype(str)
        found = table.loc[table["part"] == part, keys].astype(str)
        either = expected.merge(found, how="outer", indicator=True)
        strange = either[either["_merge"] != "both"]
        if len(strange):
            first = strange.iloc[0]
            raise DermaugError(
                f"{origin}: expected predictions of the {len(expected)} images in the {part} split "
                f"of the fold, found {len(found)}, and {strange['image_id'].nunique()} images do "
                f"not agree in id, lesion, group and label, {first['image_id']} among them; delete "
                "the trial's folder and run again"
            )


def label_indices(table: pd.DataFrame, classes: Sequence[str]) -> Int[np.ndarray, " n"]:
    """Index into `classes` of each row's label."""
    codes = pd.Categorical(table["label"], categories=list(classes)).codes
    return np.asarray(codes, dtype=np.int64)


def probabilities_of(table: pd.DataFrame, classes: Sequence[str]) -> Float[np.ndarray, "n k"]:
    """Probabilities of each row, one column per class."""
    return table[[probability_column(label) for label in classes]].to_numpy(dtype=np.float64)


def probability_column(label: str) -> str:
    """Name of the column that holds a class's probability."""
    return f"p_{label}"


def _findings(table: pd.DataFrame, classes: Sequence[str]) -> list[str]:
    findings = []
    if unnamed := [name for name in _KEYS if table[name].isna().any()]:
        findings.append(f"empty cells in {', '.join(unnamed)}")
    if doubles := table["image_id"][table.duplicated(["image_id"])].head(5).tolist():
        findings.append(f"images that occur twice: {', '.join(map(str, doubles))}")
    for column, allowed in (("part", PARTS), ("label", tuple(classes))):
        if strange := sorted({str(value) for value in table[column]} - set(allowed)):
            findings.append(f"{column}: expected {', '.join(allowed)}; found {', '.join(strange)}")
    columns = [probability_column(label) for label in classes]
    if textual := [name for name in columns if not is_numeric_dtype(table[name])]:
        return [*findings, f"expected numbers in {', '.join(textual)}"]
    values = probabilities_of(table, classes)
    wrong = ~np.isfinite(values).all(axis=1)
    wrong |= (values < -_TOLERANCE).any(axis=1) | (np.abs(values.sum(axis=1) - 1) > _TOLERANCE)
    if wrong.any():
        first = table["image_id"].iloc[int(np.flatnonzero(wrong)[0])]
        findings.append(
            f"{int(wrong.sum())} rows whose probabilities are not in [0, 1] with sum 1, "
            f"the first {first}"
        )
    return findings + _crossing(table)


def _crossing(table: pd.DataFrame) -> list[str]:
    """Lesions and groups that occur in both splits."""
    findings = []
    for column, what in (("lesion_id", "lesions"), ("group", "groups")):
        shared = table.groupby(column)["part"].nunique()
        if (shared > 1).any():
            findings.append(f"{what} in two splits: {', '.join(shared.index[shared > 1][:5])}")
    return findings
