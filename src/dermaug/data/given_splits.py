"""Folds that are not dealt anew: the splits that the data come with, and those of a CSV file."""

from collections import Counter

import numpy as np

from dermaug.config import SplitConfig
from dermaug.data.catalog import Catalog
from dermaug.data.findings import Findings
from dermaug.data.fold_files import COLUMNS
from dermaug.data.metadata import read_given
from dermaug.data.sources.split_folders import split_name
from dermaug.data.splits import PARTS, Fold, make_folds, missing_classes, reserve, shared_groups
from dermaug.errors import DermaugError
from dermaug.files import expanded
from dermaug.whole_numbers import whole_number

NEW = 'this would leak test images into training; set splits.use = "new" to split anew'


def chosen_folds(catalog: Catalog, config: SplitConfig, data: str = "") -> tuple[Fold, ...]:
    """The folds that an experiment asks for: dealt anew, given with the data, or of a file.

    Args:
        catalog: The data set, its groups united where they share an image.
        config: The experiment's section on splits.
        data: Fingerprint of the data set, which the folds' keys depend on.

    Raises:
        DermaugError: The data or the file do not allow it, or their splits leak.
    """
    if config.use == "given":
        return (_given_fold(catalog, config, data),)
    if config.file:
        return _folds_of_file(catalog, config, data)
    return make_folds(catalog, config, data)


def _given_fold(catalog: Catalog, config: SplitConfig, data: str) -> Fold:
    if "split" not in catalog.table:
        raise DermaugError(
            f"{catalog.name}: splits.use is given, but the data come with no training and test "
            "split; they are read from folders or files named train and test, or from a column "
            'split; set splits.use = "new"'
        )
    splits = catalog.table["split"].to_numpy(dtype=object)
    several = [name for name in splits if "+" in name]
    if several:
        counted = ", ".join(f"{number:,} in {name}" for name, number in Counter(several).items())
        raise DermaugError(
            f"{catalog.name}: images occur in several given splits ({counted}); {NEW}"
        )
    if lost := int((splits == "").sum()):
        raise DermaugError(
            f"{catalog.name}: {lost:,} images are in none of the given splits {', '.join(PARTS)}; "
            "leave them out with data.exclude, or complete the column split"
        )
    if not (splits == "validation").any():
        train = splits == "train"
        splits = np.where(train & reserve(catalog, config, train), "validation", splits)
    return _checked(catalog, Fold(0, **_members(catalog.image_ids, splits), data=data))


def _folds_of_file(catalog: Catalog, config: SplitConfig, data: str) -> tuple[Fold, ...]:
    path, findings = expanded(config.file, "splits.file"), Findings()
    sheet = read_given(path, "folds", COLUMNS)
    folds: dict[int, dict[str, str]] = {index: {} for index in range(config.folds)}
    for row in sheet.rows:
        index, part = whole_number(row["fold"]), split_name(row["split"])
        if index is None or index not in folds:
            findings.add(
                f"{row.where}: expected a fold from 0 to {config.folds - 1} (splits.folds is "
                f"{config.folds}), found {row['fold'][:40]!r}"
            )
        elif not part:
            findings.add(f"{row.where}: expected {', '.join(PARTS)}, found {row['split'][:40]!r}")
        elif folds[index].setdefault(row["image_id"], part) != part:
            findings.add(f"{row.where}: {row['image_id'][:100]!r} is in two splits of fold {index}")
    known = set(catalog.image_ids)
    for number, parts in folds.items():
        if lost := sorted(known - parts.keys()):
            findings.add(
                f"fold {number} lacks {len(lost):,} of {len(known):,} images, for example {lost[0]}"
            )
    findings.stop(str(path), "table of folds")
    return tuple(
        _checked(catalog, Fold(number, **_members(catalog.image_ids, splits), data=data))
        for number in config.indices
        for splits in [np.array([folds[number][name] for name in catalog.image_ids], dtype=object)]
    )


def _members(image_ids: np.ndarray, splits: np.ndarray) -> dict[str, tuple[str, ...]]:
    return {part: tuple(sorted(image_ids[splits == part])) for part in PARTS}


def _checked(catalog: Catalog, fold: Fold) -> Fold:
    """The fold, unless groups occur in two of its splits or a split lacks a class."""
    if lines := shared_groups(catalog, fold, catalog.groups, catalog.unit):
        raise DermaugError(
            f"{catalog.name}: {len(lines):,} {catalog.unit}s occur in more than one of the given "
            f"splits of fold {fold.index}; {NEW}",
            lines,
        )
    for part, lost in missing_classes(catalog, fold):
        raise DermaugError(
            f"{catalog.name}: the given {part} split of fold {fold.index} has no image of "
            f"{', '.join(lost)}; leave the class out with data.leave_out, or merge it in "
            "data.groups"
        )
    return fold
