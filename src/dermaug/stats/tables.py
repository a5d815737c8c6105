"""A table of predictions of any origin, read and checked."""

import difflib
from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

import numpy as np
import pandas as pd
from jaxtyping import Bool

from dermaug.data.class_names import ALL
from dermaug.data.metadata import Sheet
from dermaug.errors import DermaugError

KEYS = ("image", "lesion", "label")
PLACE = ("fold", "seed")
OTHERS = f"every column but {', '.join((*KEYS, *PLACE))} is taken for a class"
TOLERANCE = 1e-3
"""Tolerance of the sum of a row's probabilities."""
A, B = "A", "B"


@dataclass(frozen=True, eq=False)
class Predictions:
    """A checked table.

    Args:
        name: Name of the table in messages.
        table: image, lesion, label, fold, seed (text) and one column of numbers per class.
        classes: Names of the columns with probabilities, in alphabetical order, so that no result
            depends on the order of columns; of equal probabilities, the first counts.
    """

    name: str
    table: pd.DataFrame
    classes: tuple[str, ...]

    @classmethod
    def of(cls, table: pd.DataFrame, name: str) -> "Predictions":
        """Check a table.

        Args:
            table: Columns image, lesion, label and one per class; fold and seed if there are any.
                Class columns may be called p_<class>.
            name: Name of the table in messages.

        Raises:
            DermaugError: A column or row is invalid.
        """
        if missing := [key for key in KEYS if key not in table]:
            columns = list(map(str, table.columns))
            close = [near for key in missing for near in difflib.get_close_matches(key, columns, 1)]
            raise DermaugError(
                f"predictions {name}: expected the columns {', '.join(KEYS)} and one column of "
                f"probabilities per class, found no {', '.join(missing)}; columns are "
                f"{', '.join(columns)} (where lesions are not known, repeat image as lesion)",
                [f"rename {near}, if that is it" for near in close],
            )
        given = [column for column in table if column not in (*KEYS, *PLACE)]
        is_prefixed = all(str(column).startswith("p_") for column in given)
        renamed = {
            old: normalize("NFC", str(old).removeprefix("p_") if is_prefixed else str(old))
            for old in given
        }
        made = table.rename(columns=renamed).reset_index(drop=True)
        if len(twice := made.columns[made.columns.duplicated()]):
            raise DermaugError(
                f"predictions {name}: expected a name of its own for each column (p_ is left out), "
                f"found {twice[0]} twice; remove or rename one"
            )
        if empty := [key for key in (*KEYS, *PLACE) if key in made and made[key].isna().any()]:
            raise DermaugError(f"predictions {name}: empty cells in {', '.join(empty)}")
        for key in (*KEYS, *PLACE):
            made[key] = made[key].astype(str).str.normalize("NFC") if key in made else "0"
        for label in renamed.values():
            numbers = _numbers(made[label])
            if (numbers.notna() | made[label].isna()).all():
                made[label] = numbers
        found = cls(name, made, tuple(sorted(renamed.values())))
        if findings := found._findings():
            raise DermaugError(f"predictions {name} cannot be used", findings)
        return found

    def _findings(self) -> list[str]:
        table, classes = self.table, list(self.classes)
        if table.empty or len(classes) < 2:
            return [
                f"expected rows and at least two classes, found {len(table):,} rows and columns of "
                f"probabilities for {', '.join(classes) or 'no class'}"
            ]
        if textual := [each for each in classes if not pd.api.types.is_numeric_dtype(table[each])]:
            return [self._text_in(textual[0])]
        findings = [f"class {ALL}: the name of all classes together; rename it"] * (ALL in classes)
        if strange := sorted(set(table["label"]) - set(classes)):
            findings.append(
                f"label: found {', '.join(strange[:5])}, which has no column of probabilities; "
                f"there are {', '.join(classes)}"
            )
        elif table["label"].nunique() < 2:
            findings.append(
                f"label: expected images of at least two classes, found {table['label'].iloc[0]} "
                "alone"
            )
        values = table[classes].to_numpy(dtype=float)
        wrong = ~np.isfinite(values).all(axis=1) | (values < -TOLERANCE).any(axis=1)
        wrong |= np.abs(values.sum(axis=1) - 1) > TOLERANCE
        if wrong.any():
            findings.append(self._sums(wrong))
        if (doubles := table.duplicated(["image", *PLACE])).any():
            findings.append(
                f"image {table['image'][doubles].iloc[0]} occurs twice in one fold and seed; give "
                "fold and seed columns where there are several trainings"
            )
        return [*findings, *self._contradictions()]

    def _contradictions(self) -> list[str]:
        """Images that have several labels or lesions, a line for each of both."""
        findings = []
        for key in ("label", "lesion"):
            numbers = self.table.groupby("image")[key].nunique()
            if len(several := numbers.index[numbers > 1]):
                told = self.table.loc[self.table["image"] == several[0], key].unique()[:3]
                findings.append(
                    f"image {several[0]}: expected one {key} in all folds and seeds, found "
                    f"{', '.join(told)} (so for {len(several):,} of {len(numbers):,} images)"
                )
        return findings

    @property
    def ties(self) -> list[str]:
        """How often classes share the highest probability, as a list of one sentence or none."""
        values = self.table[list(self.classes)].to_numpy(dtype=float)
        tied = int(((values == values.max(axis=1, keepdims=True)).sum(axis=1) > 1).sum())
        told = (
            f"{self.name}: {tied:,} of {len(values):,} rows have several classes of equal, highest "
            "probability: the first in alphabetical order is taken as the decision."
        )
        return [told] if tied else []

    @property
    def notes(self) -> list[str]:
        """What seems odd in the classes and lesions and may be right, one sentence each."""
        table, notes = self.table, []
        if unused := [name for name in self.classes if name not in set(table["label"])]:
            notes.append(
                f"No image has the label {', '.join(unused)}: means are over the other classes "
                f"({OTHERS})."
            )
        labels = table.groupby("lesion")["label"].unique()
        if len(several := labels[labels.map(len) > 1]):
            notes.append(
                f"{len(several):,} of {len(labels):,} lesions have images with different labels "
                f"({several.index[0]}: {', '.join(several.iloc[0])}, ...): right if the column "
                "lesion names patients; a lesion has one label."
            )
        return notes

    def _text_in(self, column: str) -> str:
        cells = self.table[column]
        row = self.table[_numbers(cells).isna() & cells.notna()].iloc[0]
        return (
            f"expected probabilities in {column}, found text ({row[column]!r}, image "
            f"{row['image']}); {OTHERS}"
        )

    def _sums(self, wrong: Bool[np.ndarray, " n"]) -> str:
        """Which rows are no probabilities, what they are, and which column may be no class."""
        row = self.table[wrong].iloc[0]
        values = row[list(self.classes)].to_numpy(dtype=float)
        pairs = zip(self.classes, values, strict=True)
        cells = ", ".join(f"{name} {value:.4g}" for name, value in pairs)
        unused = sorted(set(self.classes) - set(self.table["label"]))
        return (
            f"{wrong.sum():,} of {len(wrong):,} rows: expected probabilities from 0 to 1 with sum "
            f"1, found for image {row['image']} the sum {values.sum():.4g} ({cells}); {OTHERS}"
            + (f", and no image has the label {' or '.join(unused[:5])}" if unused else "")
        )


def table_of(sheet: Sheet) -> pd.DataFrame:
    """The table of a file, as text.

    Args:
        sheet: The cells of the file; an empty one is a missing value. A column without a name,
            as pandas and R write numbers of rows, is left out.
    """
    named = [column for column in sheet.columns if column]
    text = pd.DataFrame([[row[column] for column in named] for row in sheet.rows], columns=named)
    return text.mask(text == "")


def _numbers(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """The numbers of a column, also of text with decimal commas; NaN for what is none."""
    plain = column
    if not pd.api.types.is_numeric_dtype(column):
        plain = column.map(lambda cell: cell.replace(",", ".") if isinstance(cell, str) else cell)
    return pd.to_numeric(plain, errors="coerce").astype(float)
