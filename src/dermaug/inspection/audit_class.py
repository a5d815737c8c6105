"""The audit of the synthetic images of one class: fidelity, copies and recognisability."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from jaxtyping import Int, UInt8

from dermaug.data.pixels import PixelStore
from dermaug.errors import DermaugError
from dermaug.evaluation.features import common_scale
from dermaug.evaluation.memorisation import Thresholds, calibrate, copy_rate, copy_scores, nearest
from dermaug.experiment.stages.judges import Judge
from dermaug.inspection.audit_fidelity import Cloud, compare_clouds
from dermaug.inspection.audit_halves import Judging
from dermaug.seeding import derive_seed

MOST_IMAGES = 1_000
"""Largest number of images examined of each kind; more would cost time without use."""
PAIRS_KEPT = 8
"""Number of pairs that are reported even if none is a copy; copies are always reported."""
PAIR_COLUMNS = (
    "synthetic",  # row of the image in its class
    "training_image",  # id of the nearest training image
    "orientation",  # of the synthetic image, where it is nearest
    "pixel_distance",
    "feature_distance",
    "score",  # below 1: a copy
)


@dataclass(frozen=True, eq=False)
class Subjects:
    """The images of one class that an audit compares, uint8 and of one size.

    Args:
        label: The class.
        synthetic: Images drawn by a generator.
        training: Its training images.
        training_ids: Ids of `training`.
        training_lesions: Lesion of each training image.
        validation: Real images of other lesions, never of the test split.
        lesions: Lesion, or patient, of each validation image.
        chosen_by: Whether the generator's snapshot was, or may have been, selected on `validation`.
        searched: Images among which copies are searched, and their ids; None searches `training`
            and `starts`.
        starts: Training images of other classes from which the synthetic ones were translated, and
            their ids; None without any.
    """

    label: str
    synthetic: UInt8[np.ndarray, "n s s 3"]
    training: UInt8[np.ndarray, "m s s 3"]
    training_ids: np.ndarray
    training_lesions: np.ndarray
    validation: UInt8[np.ndarray, "v s s 3"]
    lesions: np.ndarray
    chosen_by: bool = False
    searched: tuple[UInt8[np.ndarray, "w s s 3"], np.ndarray] | None = None
    starts: tuple[UInt8[np.ndarray, "t s s 3"], np.ndarray] | None = None

    @classmethod
    def of(
        cls,
        label: str,
        synthetic: UInt8[np.ndarray, "n s s 3"],
        store: PixelStore,
        seen: Int[np.ndarray, " m"],
        kept: Judging,
        started_from: Collection[str] = (),
    ) -> Self:
        """Images of one class: the synthetic ones, the training rows, and those that judge.

        The synthetic ones may be translations of the images with the ids `started_from`.
        """
        ids, groups = store.catalog.image_ids, store.catalog.groups
        others = np.setdiff1d(np.flatnonzero(np.isin(ids, list(started_from))), seen)
        return cls(
            label=label,
            synthetic=synthetic,
            training=np.asarray(store.images[seen]),
            training_ids=ids[seen],
            training_lesions=groups[seen],
            validation=np.asarray(store.images[kept.rows]),
            lesions=groups[kept.rows],
            chosen_by=kept.chosen_by,
            starts=(np.asarray(store.images[others]), ids[others]) if len(others) else None,
        )

    @property
    def used(self) -> tuple[UInt8[np.ndarray, "w s s 3"], np.ndarray]:
        """Images that the synthetic ones may repeat, learnt or started from, and their ids."""
        own = (self.training, self.training_ids)
        if self.starts is None:
            return own
        images, ids = (np.concatenate(parts) for parts in zip(own, self.starts, strict=True))
        return images, ids

    @property
    def originals(self) -> tuple[UInt8[np.ndarray, "w s s 3"], np.ndarray]:
        """Images among which copies are searched, and their ids."""
        return self.searched or self.used


@dataclass(frozen=True, eq=False)
class ClassAudit:
    """The audit of one class.

    Args:
        numbers: Value by name; NaN if there are too few images.
        pairs: The synthetic images most similar to a training image, with the columns of
            `PAIR_COLUMNS`, worst first: all copies, and at least `PAIRS_KEPT` pairs.
    """

    numbers: Mapping[str, object]
    pairs: pd.DataFrame


def audit_class(subjects: Subjects, judge: Judge, seed: int) -> ClassAudit:
    """Audit one class.

    Args:
        subjects: The images; at most 1,000 of each kind are examined, drawn at random, but copies
            are searched among all training images of the class, and those that were translated.
        judge: Network that computes the features and, if it is a classifier, predicts classes.
        seed: Seed of the subsets and the resampling.

    Returns:
        Numbers: images, training_images, validation_images, validation_lesions,
        chosen_by_validation (whether the snapshot was selected on these images), features (the
        judge's name); kid, kid_low, kid_high; fid, fid_flag; precision, recall, density, coverage;
        all of these again with `_floor`, for training images in place of the synthetic ones;
        copies, copy_examined, copy_rate, copy_low, copy_high, copy_expected (bound on the rate of
        unrelated real images), pixel_threshold, feature_threshold; visible_share and
        visible_validation (share of images assigned to the class by the classifier).

    Raises:
        DermaugError: There is no synthetic or no training image, or their sizes differ.
    """
    if not len(subjects.synthetic) or not len(subjects.training):
        raise DermaugError(
            f"{subjects.label}: expected synthetic and training images, found "
            f"{len(subjects.synthetic)} and {len(subjects.training)}"
        )
    # The images are drawn at random, because sets made by other tools may be sorted.
    random = np.random.default_rng(derive_seed("audit", subjects.label, seed))
    chosen, kept = (_some(len(part), random) for part in (subjects.synthetic, subjects.validation))
    synthetic = np.asarray(subjects.synthetic[chosen])
    numbers: dict[str, object] = {
        "images": len(synthetic),
        "training_images": len(subjects.training),
        "validation_images": len(subjects.validation),
        "validation_lesions": len(set(subjects.lesions)),
        "chosen_by_validation": subjects.chosen_by,
        "features": judge.name,
    }
    known = _some(len(subjects.training), random)
    numbers |= _fidelity(subjects, synthetic, kept, known, judge, seed)
    copies, pairs = _copies(subjects, synthetic, kept, judge)
    numbers |= copies | _visible(subjects, synthetic, judge)
    return ClassAudit(numbers, pairs.assign(synthetic=chosen[pairs["synthetic"].astype(int)]))


def _fidelity(
    subjects: Subjects,
    synthetic: np.ndarray,
    kept: np.ndarray,
    known: np.ndarray,
    judge: Judge,
    seed: int,
) -> dict[str, object]:
    shown = (subjects.validation[kept], synthetic, subjects.training[known])
    validation, drawn, floor = (
        judge.features(images) if len(images) else np.empty((0, 1)) for images in shown
    )
    if not judge.standard and len(kept):
        scale = common_scale(validation, floor)
        validation, drawn, floor = validation / scale, drawn / scale, floor / scale
    return compare_clouds(
        Cloud(validation, subjects.lesions[kept]),
        Cloud(drawn),
        Cloud(floor, subjects.training_lesions[known]),
        seed,
    )


def _copies(
    subjects: Subjects, synthetic: np.ndarray, kept: np.ndarray, judge: Judge
) -> tuple[dict[str, object], pd.DataFrame]:
    names = ("copies", "copy_examined", "copy_rate", "copy_low", "copy_high", "copy_expected")
    thresholds = copy_thresholds(subjects, kept, judge)
    if thresholds is None:
        unknown = dict.fromkeys((*names, "pixel_threshold", "feature_threshold"), np.nan)
        return dict(unknown), pd.DataFrame(columns=list(PAIR_COLUMNS))
    originals, ids = subjects.originals
    found = nearest(synthetic, originals, judge.features)
    scores = copy_scores(found, thresholds)
    rate = copy_rate(scores < 1.0)
    values = (rate.copies, rate.number, rate.share, rate.low, rate.high, thresholds.expected)
    numbers: dict[str, object] = dict(zip(names, values, strict=True))
    numbers |= {"pixel_threshold": thresholds.pixels, "feature_threshold": thresholds.features}
    worst = np.argsort(scores, kind="stable")[: max(PAIRS_KEPT, rate.copies)]
    columns = (
        worst,
        ids[found.indices[worst]],
        found.orientations[worst],
        found.pixels[worst],
        found.features[worst],
        scores[worst],
    )
    return numbers, pd.DataFrame(dict(zip(PAIR_COLUMNS, columns, strict=True)))


def copy_thresholds(subjects: Subjects, kept: np.ndarray, judge: Judge) -> Thresholds | None:
    """Thresholds of copies; None if no validation image can calibrate them."""
    if not len(kept):
        return None
    known = nearest(subjects.validation[kept], subjects.used[0], judge.features)
    try:
        return calibrate(known, subjects.lesions[kept])
    except DermaugError:
        return None


def _visible(subjects: Subjects, synthetic: np.ndarray, judge: Judge) -> dict[str, object]:
    shares: dict[str, object] = {"visible_share": np.nan, "visible_validation": np.nan}
    if subjects.label in judge.classes:
        place = judge.classes.index(subjects.label)
        shares["visible_share"] = float((judge.assigned(synthetic) == place).mean())
        if len(subjects.validation):
            validation = judge.assigned(subjects.validation)
            shares["visible_validation"] = float((validation == place).mean())
    return shares


def examined(label: str, number: int, seed: int) -> np.ndarray:
    """Rows of a class's synthetic images that its audit examines, in ascending order."""
    return _some(number, np.random.default_rng(derive_seed("audit", label, seed)))


def _some(number: int, random: np.random.Generator) -> np.ndarray:
    """At most `MOST_IMAGES` random rows, in ascending order."""
    return np.sort(random.permutation(number)[:MOST_IMAGES])
