"""Threats to validity that lie in the data: groups, sizes of classes, sizes of images."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from dermaug.data.catalog import Catalog
from dermaug.data.image_sizes import short_sides
from dermaug.errors import DermaugError
from dermaug.experiment.run.results import RunResults

FEW_LESIONS = 20
MUCH_SMALLER = 4
"""Sides of a photograph that are so many times those of its image are told."""


def data_threats(results: RunResults) -> Iterator[str]:
    """One sentence per weakness of the data of a run."""
    yield from _lesions(results)
    yield from _few(results)
    yield from _sizes(results)


def _lesions(results: RunResults) -> Iterator[str]:
    catalog = results.catalog
    named, by_patient = catalog.table["patient_id"] != "", catalog.unit == "patient"
    if not catalog.grouped and not (by_patient and named.all()):
        some = " nor, of some images, patients" if by_patient else ""
        yield (
            f"Lesion ids are not known{some}: each image counts as its own lesion, so views of one "
            "lesion may be in two splits of a fold, which inflates every score."
        )
    if catalog.grouped and not named.any():
        yield (
            "Patients are not known: images of different lesions of one patient may be in training "
            "and test."
        )


def _few(results: RunResults) -> Iterator[str]:
    """Find classes with few lesions; with few patients or images where lesions are unknown."""
    unit, names = _units(results.catalog)
    tested = [image for fold in results.folds for image in fold.test]
    if few := _below(results.catalog, names, tested):
        yield (
            f"Few test {unit}s of {_listed(few)}: their sensitivities, and hence the mean, "
            f"depend on a handful of {unit}s."
        )
    least: dict[str, int] = {}
    for fold in results.folds:
        for label, count in _below(results.catalog, names, fold.train).items():
            least[label] = min(count, least.get(label, count))
    if least:
        yield (
            f"Few training {unit}s of {_listed(least)} in some fold: what the networks learn of "
            f"these classes, and what generators draw of them, rests on a handful of {unit}s."
        )


def _units(catalog: Catalog) -> tuple[str, pd.Series]:
    """What is counted, and its name for each image."""
    if catalog.grouped:
        return "lesion", catalog.table["lesion_id"]
    if (catalog.table["patient_id"] != "").all():
        return "patient", catalog.table["patient_id"]
    return "image", catalog.table["image_id"]


def _below(catalog: Catalog, names: pd.Series, images: Sequence[str]) -> dict[str, int]:
    """Class -> number of names among some images, where there are few."""
    rows = catalog.rows(images)
    counts = names.iloc[rows].groupby(catalog.table["label"].iloc[rows]).nunique()
    return {str(label): int(count) for label, count in counts.items() if count < FEW_LESIONS}


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{label} ({count})" for label, count in counts.items())


def _sizes(results: RunResults) -> Iterator[str]:
    """Find images that show much less than the photographs of which they were made."""
    if results.experiment.data.crop != "centre":  # a crop shows a part of unknown size
        return
    side = results.images.shape[1]
    try:
        low, middle, high = short_sides(results.catalog)
    except (DermaugError, OSError, ValueError):  # moved since, or no files
        return
    if middle >= MUCH_SMALLER * side:
        spread = f", {low:,} to {high:,}" if low < high else ""
        yield (
            f"Images of {side} × {side} px stand for files with a median short side of "
            f"{middle:,} px{spread}: structures finer than about {2 * middle / side:.0f} px of a "
            "file are seen neither by the classifiers nor by the generators, so the answer "
            "may be another at a larger data.size."
        )
