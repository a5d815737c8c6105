"""What the splits hold (table 1)."""

from collections.abc import Iterator

import pandas as pd

from dermaug.data.catalog import Catalog
from dermaug.data.class_names import class_words
from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Table
from dermaug.scoring.verdict_words import NONE

UNKNOWN = "unknown"
MOST_SITES = 5
"""Body sites in the table; the others are counted together."""


def split_characteristics(results: RunResults) -> Table:
    """Table 1: what is known of the images of each split of the first fold."""
    catalog, fold = results.catalog, results.folds[0]
    splits = [catalog.take(catalog.rows(ids)) for ids in fold.parts.values()]
    rows = [(name, *values) for name, values in _lines(catalog, splits)]
    header = ("", *(name.capitalize() for name in fold.parts))
    caption = (
        f"Characteristics of the splits of fold {fold.index}: images (share of the split). Age is "
        "the mean ± SD over images of known age."
    )
    return Table(caption, header, tuple(rows))


def _lines(catalog: Catalog, splits: list[Catalog]) -> Iterator[tuple[str, list[str]]]:
    yield "Images", [f"{len(one):,}" for one in splits]
    lesions = [f"{one.table['lesion_id'].nunique():,}" for one in splits]
    yield "Lesions", lesions if catalog.grouped else [UNKNOWN] * len(splits)
    if (catalog.table["patient_id"] != "").any():
        known = [one.table.loc[one.table["patient_id"] != "", "patient_id"] for one in splits]
        yield "Patients", [f"{one.nunique():,}" for one in known]
    for label in catalog.classes:
        yield f"Class {class_words(label)}", [_share(one.table["label"] == label) for one in splits]
    if catalog.table["age"].notna().any():
        yield "Age in years", [_age(one.table["age"].astype(float)) for one in splits]
        yield "Age unknown", [_share(one.table["age"].isna()) for one in splits]
    words = {"sex": "Sex", "localization": "Body site", "dx_type": "Diagnosis by"}
    for column, name in (words | {"skin_tone": "Skin tone"}).items():
        values = catalog.table[column].astype(str)
        if set(values) == {UNKNOWN}:
            yield f"{name}: {UNKNOWN}", [_share(one.table[column] == UNKNOWN) for one in splits]
            continue
        kept = [value for value in values.value_counts().index if value != UNKNOWN][:MOST_SITES]
        for value in kept:
            yield f"{name}: {value}", [_share(one.table[column] == value) for one in splits]
        rest = [~one.table[column].isin(kept) for one in splits]
        if any(each.any() for each in rest):
            yield f"{name}: other or {UNKNOWN}", [_share(each) for each in rest]


def _share(there: pd.Series) -> str:
    return f"{int(there.sum()):,} ({100 * there.mean():.1f} %)"


def _age(years: pd.Series) -> str:
    return f"{years.mean():.1f} ± {years.std():.1f}" if years.notna().sum() > 1 else NONE
