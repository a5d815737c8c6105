"""Folds by lesion: stratified by class, the same for any order of the rows, never overlapping."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from dermaug.config import SplitConfig
from dermaug.data.catalog import Catalog
from dermaug.data.grouping import lesion_groups
from dermaug.errors import DermaugError
from dermaug.files import read_json, write_json
from dermaug.seeding import derive_seed

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Fold:
    """Image ids of one cross-validation fold; no lesion occurs in two parts.

    Args:
        index: Number of the fold, from 0.
        train: What classifiers, generators and every constant learn from.
        validation: What picks the checkpoint and the dose.
        test: What is read once, for the scores.

    Raises:
        DermaugError: An image is in two parts, or twice in one, or a part is empty.
    """

    index: int
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        for part in PARTS:
            ids = getattr(self, part)
            if not ids:
                raise DermaugError(f"fold {self.index}: the {part} part is empty")
            if len(set(ids)) != len(ids):
                raise DermaugError(f"fold {self.index}: an image is twice in the {part} part")
        for one, other in combinations(PARTS, 2):
            if shared := sorted(set(getattr(self, one)) & set(getattr(self, other))):
                raise DermaugError(
                    f"fold {self.index}: {len(shared)} images are in both {one} and {other}", shared
                )

    @property
    def key(self) -> str:
        """Hash of the three parts, whatever their order: what a synthetic set is tied to."""
        parts = [sorted(getattr(self, part)) for part in PARTS]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def make_folds(
    catalog: Catalog, config: SplitConfig, digests: Sequence[str] | None = None
) -> tuple[Fold, ...]:
    """Part the lesions of a catalog into the folds of `config.indices`.

    Each class is dealt out by itself, lesions with many images first, so that every part holds
    its share of each class's lesions and, nearly, of its images. Depends on ids, labels and the
    seed only.

    Args:
        catalog: The data set.
        config: Folds or hold-out, the validation fraction and the seed.
        digests: One a row, as in `PixelStore.digests`; lesions that share a byte-equal image are
            then kept together. None leaves that to `refuse_shared_bytes`.

    Returns:
        Folds with sorted image ids. With `holdout` there is one, of index 0.

    Raises:
        DermaugError: Fewer than two classes, or too few lesions of a class for every part.
    """
    lesions = _lesions(catalog, digests)
    _require_enough(catalog, lesions, config)
    image_ids, groups = catalog.image_ids, lesion_groups(catalog, digests)
    folds = []
    for index in config.indices:
        part_of = _assign(lesions, config, index)
        parts = pd.Series(groups).map(part_of).to_numpy()
        members = {part: tuple(sorted(image_ids[parts == part])) for part in PARTS}
        folds.append(Fold(index, **members))
    for fold in folds:
        refuse_overlap(catalog, fold)
        if digests is not None:
            refuse_shared_bytes(catalog, fold, digests)
    return tuple(folds)


def reduce_training(catalog: Catalog, fold: Fold, lesions: int, seed: int) -> Fold:
    """Keep some lesions of each class in the training part; validation and test stay.

    Args:
        catalog: The data set.
        fold: The whole fold.
        lesions: Lesions a class; a class with fewer keeps all; 0 keeps all of every class.
        seed: Chooses the lesions; a smaller number keeps some of those of a larger one.
    """
    if not lesions:
        return fold
    table = catalog.table.iloc[catalog.rows(fold.train)]
    order = {
        lesion: derive_seed("reduce", seed, fold.index, lesion)
        for lesion in table["lesion_id"].unique()
    }
    place = table.assign(order=table["lesion_id"].map(order)).groupby("label")["order"]
    kept = table[place.rank("dense") <= lesions]
    return replace(fold, train=tuple(sorted(kept["image_id"])))


def refuse_overlap(catalog: Catalog, fold: Fold) -> None:
    """Raise when a lesion is in two parts of a fold.

    Raises:
        DermaugError: Names each such lesion with its parts; or an image the catalog lacks.
    """
    _refuse_shared(catalog, fold, lesion_groups(catalog), "lesion")


def refuse_shared_bytes(catalog: Catalog, fold: Fold, digests: Sequence[str]) -> None:
    """Raise when byte-equal images are in two parts of a fold.

    Args:
        catalog: The data set.
        fold: Some or all of its images.
        digests: SHA-256 of each row's file, as in `PixelStore.digests`.

    Raises:
        DermaugError: Names the images.
    """
    _refuse_shared(catalog, fold, np.asarray(digests, dtype=object), "byte-equal image")


def write_folds(path: Path, folds: Sequence[Fold]) -> None:
    """Write folds as JSON, whole or not at all."""
    write_json(path, [asdict(fold) | {"key": fold.key} for fold in folds])


def read_folds(path: Path) -> tuple[Fold, ...]:
    """Read what `write_folds` wrote.

    Raises:
        DermaugError: The file is missing or damaged, or a fold does not match its key.
    """
    try:
        entries = [
            (Fold(int(entry["index"]), *(tuple(entry[part]) for part in PARTS)), entry["key"])
            for entry in read_json(path)
        ]
    except (KeyError, TypeError, ValueError):
        raise DermaugError(f"{path}: expected folds with index, {', '.join(PARTS)}, key") from None
    for fold, key in entries:
        if fold.key != key:
            raise DermaugError(f"{path}: fold {fold.index} was changed after it was written")
    return tuple(fold for fold, _ in entries)


def _lesions(catalog: Catalog, digests: Sequence[str] | None) -> pd.DataFrame:
    """One row a group, sorted by name: its most frequent label and its number of images."""
    table = pd.DataFrame(
        {"group": lesion_groups(catalog, digests), "label": catalog.table["label"]}
    )
    counts = table.value_counts(["group", "label"]).reset_index(name="images")
    # Byte-equal images may carry two diagnoses; such a group is dealt with its commoner one.
    counts = counts.sort_values(["group", "images", "label"], ascending=[True, False, True])
    grouped = counts.groupby("group", sort=True)
    return pd.DataFrame({"label": grouped["label"].first(), "images": grouped["images"].sum()})


def _require_enough(catalog: Catalog, lesions: pd.DataFrame, config: SplitConfig) -> None:
    if catalog.num_classes < 2:
        raise DermaugError(
            f"{catalog.name}: expected at least two classes to tell apart, found "
            f"{', '.join(catalog.classes) or 'none'}; see data.classes and data.groups"
        )
    needed = 3 if config.holdout is not None else max(config.folds, 4 if config.folds == 2 else 3)
    counts = lesions["label"].value_counts()
    few = [(label, int(counts.get(label, 0))) for label in catalog.classes]
    few = [(label, number) for label, number in few if number < needed]
    if few:
        kind = "a hold-out" if config.holdout is not None else f"{config.folds} folds"
        raise DermaugError(
            f"{catalog.name}: train, validation and test parts of {kind} need at least {needed} "
            "lesions of every class; drop the class from data.classes, merge it in data.groups, "
            "or lower splits.folds",
            [f"class {label!r} has {number} lesions" for label, number in few],
        )


def _assign(lesions: pd.DataFrame, config: SplitConfig, index: int) -> dict[str, str]:
    """Part of every group in one fold."""
    part_of: dict[str, str] = {}
    for label, members in lesions.groupby("label", sort=True):
        order = _shuffled(members, derive_seed("split", config.seed, str(label)))
        if config.holdout is None:
            # Another class starts with another fold, so that remainders do not pile up in fold 0.
            start = derive_seed("start", config.seed, str(label)) % config.folds
            tested = (np.arange(len(order)) + start) % config.folds == index
        else:
            tested = _spread(len(order), config.holdout, at_most=len(order) - 2)
        rest = order[~tested]
        seed = derive_seed("validation", config.seed, str(label), index)
        rest = _shuffled(members.loc[rest], seed)
        validated = _spread(len(rest), config.validation, at_most=len(rest) - 1)
        part_of |= dict.fromkeys(order[tested], "test")
        part_of |= dict.fromkeys(rest[validated], "validation")
        part_of |= dict.fromkeys(rest[~validated], "train")
    return part_of


def _shuffled(members: pd.DataFrame, seed: int) -> np.ndarray:
    """Names of the groups in random order, those with many images first."""
    order = np.random.default_rng(seed).permutation(len(members))
    images = members["images"].to_numpy()[order]
    order = order[np.argsort(-images, kind="stable")]
    return members.index.to_numpy(dtype=object)[order]


def _spread(number: int, fraction: float, at_most: int) -> np.ndarray:
    """Mask of evenly spaced positions: `fraction` of `number`, at least 1, at most `at_most`.

    Example:
        >>> _spread(6, 1 / 3, at_most=5).astype(int)
        array([0, 1, 0, 0, 1, 0])
    """
    chosen = min(max(1, round(number * fraction)), at_most)
    mask = np.zeros(number, dtype=bool)
    mask[((np.arange(chosen) + 0.5) * number / chosen).astype(int)] = True
    return mask


def _refuse_shared(catalog: Catalog, fold: Fold, keys: np.ndarray, what: str) -> None:
    frames = [
        pd.DataFrame({"key": keys[rows], "image": catalog.image_ids[rows], "part": part})
        for part in PARTS
        for rows in [catalog.rows(getattr(fold, part))]
    ]
    table = pd.concat(frames, ignore_index=True)
    parts = table.groupby("key")["part"].nunique()
    shared = table[table["key"].isin(parts.index[parts > 1])].sort_values(["key", "image"])
    if len(shared):
        where = shared["image"] + " (" + shared["part"] + ")"
        found = where.groupby(shared["key"]).agg(", ".join)
        lines = [f"{what} {str(key)[:20]}: {images}" for key, images in found.items()]
        raise DermaugError(
            f"fold {fold.index}: {len(lines)} {what}s occur in more than one part; "
            "that would leak test lesions into training. Make the folds anew",
            lines,
        )
