"""Cross-validation folds by group (lesion or patient), stratified by class.

The same images give the same folds, in any order of the rows.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
from jaxtyping import Bool

from dermaug.config import SplitConfig
from dermaug.data.catalog import Catalog
from dermaug.errors import DermaugError
from dermaug.seeding import derive_seed

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Fold:
    """Image ids of one cross-validation fold; no group occurs in two splits.

    Args:
        index: Number of the fold, from 0.
        train: Images on which classifiers, generators and all constants are trained.
        validation: Images that select the checkpoint and the dose.
        test: Images that are used once, for the scores.
        data: Fingerprint of the data set; "" if unknown.

    Raises:
        DermaugError: An image is in two splits, or twice in one, or a split is empty.
    """

    index: int
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    data: str = ""

    def __post_init__(self) -> None:
        for part, ids in self.parts.items():
            if not ids:
                raise DermaugError(f"fold {self.index}: the {part} split is empty")
            if len(set(ids)) != len(ids):
                raise DermaugError(f"fold {self.index}: an image occurs twice in the {part} split")
        for (one, here), (other, there) in combinations(self.parts.items(), 2):
            if shared := sorted(set(here) & set(there)):
                raise DermaugError(
                    f"fold {self.index}: {len(shared)} images are in both {one} and {other}", shared
                )

    @property
    def parts(self) -> dict[str, tuple[str, ...]]:
        """Image ids by split, in the order of `PARTS`."""
        return {part: getattr(self, part) for part in PARTS}

    @property
    def key(self) -> str:
        """Hash of the three splits, independent of their order, and of the data set.

        Generators and synthetic sets are tied to this key: equal names of other images give
        another key.
        """
        parts = [sorted(ids) for ids in self.parts.values()]
        return hashlib.sha256(json.dumps([*parts, self.data]).encode()).hexdigest()[:16]


def make_folds(catalog: Catalog, config: SplitConfig, data: str = "") -> tuple[Fold, ...]:
    """Split the groups of a catalog into the folds of `config.indices`.

    Each class is dealt out by itself, groups with many images first, so that every part holds its
    share of each class's groups and, nearly, of its images. A group with several classes (a patient
    with several diagnoses) is dealt with the rarest of them, as in iterative stratification
    (Sechidis et al. 2011). Depends on ids, labels, groups and the seed only.

    Args:
        catalog: The data set, its groups united where they share an image.
        config: Folds or hold-out, the validation fraction and the seed.
        data: Fingerprint of the data set, which the folds' keys depend on.

    Returns:
        Folds with sorted image ids. With `holdout` there is one, of index 0.

    Raises:
        DermaugError: Fewer than two classes, too few groups of a class for every part, or a part
            without any image of a class.
    """
    groups = _groups(catalog)
    _require_enough(catalog, config)
    image_ids = catalog.image_ids
    folds = []
    for index in config.indices:
        part_of = _assign(groups, config, index)
        parts = pd.Series(catalog.groups).map(part_of).to_numpy()
        members = {part: tuple(sorted(image_ids[parts == part])) for part in PARTS}
        folds.append(Fold(index, **members, data=data))
    for fold in folds:
        refuse_shared(catalog, fold, catalog.groups, catalog.unit)
        _require_every_class(catalog, fold)
    return tuple(folds)


def reserve(
    catalog: Catalog, config: SplitConfig, train: Bool[np.ndarray, " n"]
) -> Bool[np.ndarray, " n"]:
    """Rows of a training split that become the validation split, by group and class.

    Args:
        catalog: The data set.
        config: The validation fraction and the seed.
        train: Rows of the training split.
    """
    part = catalog.take(np.flatnonzero(train))
    chosen = set[str]()
    for label, members in _groups(part).groupby("label", sort=True):
        order = _shuffled(members, derive_seed("validation", config.seed, str(label), 0))
        if len(order) > 1:
            chosen.update(order[_spread(len(order), config.validation, at_most=len(order) - 1)])
    return train & np.isin(catalog.groups, list(chosen))


def reduce_training(catalog: Catalog, fold: Fold, number: int, seed: int) -> Fold:
    """Keep some groups of each class in the training split; validation and test do not change.

    Args:
        catalog: The data set.
        fold: The whole fold.
        number: Groups per class; a class with fewer keeps all; 0 keeps all of every class.
        seed: Chooses the groups; a smaller number keeps some of those of a larger one.
    """
    if not number:
        return fold
    rows = catalog.rows(fold.train)
    table = catalog.table.iloc[rows].assign(group=catalog.groups[rows])
    order = {
        group: derive_seed("reduce", seed, fold.index, group) for group in table["group"].unique()
    }
    place = table.assign(order=table["group"].map(order)).groupby("label")["order"]
    kept = table[place.rank("dense") <= number]
    return replace(fold, train=tuple(sorted(kept["image_id"])))


def _groups(catalog: Catalog) -> pd.DataFrame:
    """One row per group, sorted by name: the class it is dealt with and its number of images."""
    table = pd.DataFrame({"group": catalog.groups, "label": catalog.table["label"].to_numpy()})
    sizes = table.groupby("group", sort=True).size()
    counts = _groups_per_class(catalog)
    # Each class must reach every part; a common one does so anyway.
    rarity = sorted(counts, key=lambda label: (counts[label], label))
    table["label"] = pd.Categorical(table["label"], rarity, ordered=True)
    rarest = table.groupby("group", sort=True)["label"].min().astype(str)
    return pd.DataFrame({"label": rarest, "images": sizes})


def _groups_per_class(catalog: Catalog) -> dict[str, int]:
    pairs = pd.DataFrame({"group": catalog.groups, "label": catalog.table["label"].to_numpy()})
    found = pairs.drop_duplicates()["label"].value_counts()
    return {label: int(found.get(label, 0)) for label in catalog.classes}


def _require_enough(catalog: Catalog, config: SplitConfig) -> None:
    if catalog.num_classes < 2:
        raise DermaugError(
            f"{catalog.name}: expected at least two classes, found "
            f"{', '.join(catalog.classes) or 'none'}; see data.classes and data.groups"
        )
    needed = 3 if config.holdout is not None else max(config.folds, 4 if config.folds == 2 else 3)
    few = [
        (label, number) for label, number in _groups_per_class(catalog).items() if number < needed
    ]
    if few:
        kind = "a hold-out" if config.holdout is not None else f"{config.folds} folds"
        raise DermaugError(
            f"{catalog.name}: train, validation and test splits of {kind} need at least {needed} "
            f"{catalog.unit}s of every class; drop the class from data.classes, merge it in "
            "data.groups, or lower splits.folds",
            [f"class {label!r} has {number} {catalog.unit}s" for label, number in few],
        )


def _require_every_class(catalog: Catalog, fold: Fold) -> None:
    """Groups of several classes may leave a part without one of them."""
    for part, lost in missing_classes(catalog, fold):
        raise DermaugError(
            f"{catalog.name}: the {part} split of fold {fold.index} has no image of "
            f"{', '.join(lost)}, because {catalog.unit}s with several classes are kept together; "
            "choose another splits.seed, fewer splits.folds, or merge the class in data.groups"
        )


def missing_classes(catalog: Catalog, fold: Fold) -> list[tuple[str, list[str]]]:
    """Splits of a fold that lack classes, each with the classes that it lacks."""
    labels = catalog.table["label"]
    found = []
    for part, ids in fold.parts.items():
        there = set(labels.iloc[catalog.rows(ids)])
        if lost := [label for label in catalog.classes if label not in there]:
            found.append((part, lost))
    return found


def _assign(groups: pd.DataFrame, config: SplitConfig, index: int) -> dict[str, str]:
    """Part of every group in one fold."""
    part_of: dict[str, str] = {}
    for label, members in groups.groupby("label", sort=True):
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


def shared_groups(
    catalog: Catalog, fold: Fold, keys: Sequence[str] | np.ndarray, what: str
) -> list[str]:
    """One line for each key that is in two splits of a fold; arguments as for `refuse_shared`."""
    named = np.asarray(keys, dtype=object)
    frames = [
        pd.DataFrame({"key": named[rows], "image": catalog.image_ids[rows], "part": part})
        for part, ids in fold.parts.items()
        for rows in [catalog.rows(ids)]
    ]
    table = pd.concat(frames, ignore_index=True)
    parts = table.groupby("key")["part"].nunique()
    shared = table[table["key"].isin(parts.index[parts > 1])].sort_values(["key", "image"])
    where = shared["image"] + " (" + shared["part"] + ")"
    found = where.groupby(shared["key"]).agg(", ".join)
    return [f"{what} {str(key)[:20]}: {images}" for key, images in found.items()]


def refuse_shared(
    catalog: Catalog, fold: Fold, keys: Sequence[str] | np.ndarray, what: str
) -> None:
    """Raise if images with one key are in two splits of a fold.

    Args:
        catalog: The data set.
        fold: Some or all of its images.
        keys: Key of each row of the data set: its group, or a digest of its pixels.
        what: Names a key in the error, for example lesion.

    Raises:
        DermaugError: A key is in two splits, or the catalog lacks an image of the fold.
    """
    if lines := shared_groups(catalog, fold, keys, what):
        raise DermaugError(
            f"fold {fold.index}: {len(lines)} {what}s occur in more than one split; this would "
            "leak test images into training. Create the folds again",
            lines,
        )
