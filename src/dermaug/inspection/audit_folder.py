"""The audit of one synthetic set against a data set; the set may come from another tool."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool

from dermaug.config.data import AS_IT_IS, Reading
from dermaug.data.catalog import Catalog
from dermaug.data.orientations import oriented
from dermaug.data.pixels import PixelStore
from dermaug.data.splits import Fold
from dermaug.errors import DermaugError
from dermaug.experiment.run.artefacts import (
    StoredClassifier,
    drawn_set,
    folds_of,
    generator_of,
    run_of,
    translation_of,
)
from dermaug.experiment.run.layout import RunFolder, run_above
from dermaug.experiment.run.records import GeneratorRecord, TrialRecord
from dermaug.experiment.stages.judges import Judge
from dermaug.inspection.audit_class import PAIR_COLUMNS, PAIRS_KEPT, Subjects, audit_class
from dermaug.inspection.audit_halves import judging
from dermaug.inspection.audit_instances import instance_table
from dermaug.inspection.audit_run import StoredAudit
from dermaug.inspection.subject import GivenImages, read_given, real_images
from dermaug.seeding import derive_seed
from dermaug.synthesis.origin import read_origin
from dermaug.synthesis.synthetic_set import Provenance

UNKNOWN = "provenance unknown: leakage not excluded"
BY_NAME = (
    "images were matched with the training images by name, because the run that stores their "
    "content is not available"
)
SEED = 0
"""Of subsets and resampling."""
FIFTH = 5
"""One group in so many validates, where neither manifest nor classifier names any."""


@dataclass(frozen=True, eq=False)
class FolderAudit:
    """The audit of a synthetic set.

    Args:
        audit: Numbers (one row per class) and worst pairs.
        notes: Remarks on the method of this audit, one sentence each.
        pictures: Label -> synthetic images of the pairs, rotated to fit, and training images.
        instances: One row per examined image: `instance_table`.
    """

    audit: StoredAudit
    notes: tuple[str, ...]
    pictures: dict[str, tuple[np.ndarray, np.ndarray]]
    instances: pd.DataFrame


def audit_folder(
    synthetic: Path,
    data: Path,
    judge: Judge,
    *,
    stored: StoredClassifier | None = None,
    size: int | None = None,
    label: str = "",
    reading: Reading = AS_IT_IS,
) -> FolderAudit:
    """Audit every class of a synthetic set.

    Args:
        synthetic: A synthetic set of dermaug, or images in any layout of data sets.
        data: The real images.
        judge: Network that assesses the images.
        stored: The judge on disk, if it is a classifier of a run.
        size: Side of the images in pixels; None takes that of the judge, of the set, or 64.
        label: Class of all images of a folder without a layout.
        reading: How the table of the real images is read; its labels, besides those of the judge's
            training, are those of the synthetic images, too.

    Raises:
        DermaugError: A path is not a data set, the data lack a label, or a class has no real
            images for comparison.
    """
    if size and judge.size not in (None, size):
        raise DermaugError(
            f"--size {size}: the network was trained on images of {judge.size} px, and the images "
            "are compared at that size; leave it out"
        )
    given = read_given(synthetic, judge.size or size, reading.labels, label)
    run = run_of(synthetic, *([stored.path] if stored else []))
    given = replace(given, provenance=given.provenance or _exported(synthetic, given, run))
    store = real_images(data, given, stored, run, reading)
    folds = folds_of(run)
    known = _known_fold(run, folds, given.provenance, stored)
    parted = part_images(store.catalog, given.provenance, stored, folds, known)
    training, validation, notes = parted
    notes += _about_drawing(given.provenance)
    if run is None and (given.provenance or stored):
        notes.append(BY_NAME)
    notes += [f"Real images: {note}" for note in store.catalog.left_out]
    if store.uncropped:
        notes.append(f"{store.uncropped:,} real images have no segmentation and are not cropped")
    rows, pairs, instances, pictures = [], [], [], {}
    for name in sorted(set(given.labels)):
        subjects = _subjects(given, store, name, training, validation)
        found = audit_class(subjects, judge, SEED)
        family = given.provenance.family if given.provenance else synthetic.name
        rows.append({"family": family, "label": name} | dict(found.numbers))
        pairs.append(found.pairs.assign(label=name))
        names = given.names[given.labels == name]
        instances.append(instance_table(subjects, names, judge, SEED))
        pictures[name] = _pictures(subjects, store, found.pairs.head(PAIRS_KEPT))
    table = pd.concat(pairs, ignore_index=True)[["label", *PAIR_COLUMNS]]
    single = pd.concat(instances, ignore_index=True)
    return FolderAudit(StoredAudit(pd.DataFrame(rows), table), tuple(notes), pictures, single)


def _about_drawing(provenance: Provenance | None) -> Iterator[str]:
    """What the manifest says of how the images were drawn, other than from noise alone."""
    if provenance is not None and provenance.note:
        yield f"how the images were drawn or chosen: {provenance.note}"
    if provenance is not None and (number := len(provenance.started_from)):
        yield f"copies were searched among the {number:,} images that were translated, too"


def _exported(synthetic: Path, given: GivenImages, run: RunFolder | None) -> Provenance | None:
    """Provenance of images that dermaug has exported, from the run of their generator.

    None where the run is not that of the generator, or where an image is not one of those exported
    as they were drawn: JPEG files, images that are scaled, or others that were put beside them.
    """
    origin = read_origin(synthetic)
    if origin is None or run is None or not origin.holds(given.images):
        return None
    job = generator_of(run, origin.generator)
    if job is None or origin.fold_key != GeneratorRecord.read(job.record).fold_key:
        return None
    return drawn_set(job, translation_of(job, origin.note)).provenance


def part_images(
    catalog: Catalog,
    provenance: Provenance | None,
    stored: StoredClassifier | None,
    folds: tuple[Fold, ...],
    known: Fold | None = None,
) -> tuple[Bool[np.ndarray, " n"], Bool[np.ndarray, " n"], list[str]]:
    """Real images that the generator may have copied, and those that it cannot have seen.

    Args:
        catalog: The real images.
        provenance: Provenance of the synthetic set; None if unknown.
        stored: The classifier that serves as judge, whose training images are not used as
            validation; None for another judge.
        folds: Folds of the run of the set or classifier; empty if the run is not available.
        known: The fold of the generator or, failing that, of the classifier; None if their run does
            not know them.

    Returns:
        Masks of training and validation rows, without a group in both, and notes for the reader.

    Raises:
        DermaugError: No image is left for validation, or the classifier's training images are
            unknown.
    """
    ids, groups = catalog.image_ids, catalog.groups
    learnt = set(stored.record.training_images) if stored else set()
    seen = np.isin(ids, list(provenance.training_images)) if provenance else np.zeros(len(ids), "?")
    notes = [] if seen.any() else [UNKNOWN]
    if provenance is not None and not seen.any():
        notes.append("the set's generator was trained on none of these images (from its manifest)")
    fold = known or _fold_of(folds, provenance, stored)
    if fold is not None:
        validation = np.isin(ids, fold.validation)
        notes.append(f"validation images: from the validation split of fold {fold.index}")
    elif seen.any() or np.isin(ids, list(learnt)).any():
        used = set(groups[seen | np.isin(ids, list(learnt))])
        validation = ~np.isin(groups, list(used))
        notes.append(
            f"validation images: all {catalog.unit}s unseen by generator and judge in training"
        )
    else:
        fifth = [one for one in set(groups) if derive_seed("audit", str(one)) % FIFTH == 0]
        validation = np.isin(groups, fifth)
        notes.append(
            f"validation images: those of a fifth of the {catalog.unit}s, chosen by their ids"
        )
    if provenance is not None and provenance.validation_images:
        notes.append(
            f"{catalog.unit}s on which the generator's snapshot was selected are left out, where "
            "the class has others"
        )
    training = seen if seen.any() else ~np.isin(groups, list(set(groups[validation])))
    if not validation.any() or not training.any():
        raise DermaugError(
            f"{catalog.name}: expected real images that the generator and the classifier were "
            "trained on, and images of other lesions; found only one kind. Pass the whole data set"
        )
    return training, validation & ~training, notes


def _known_fold(
    run: RunFolder | None,
    folds: tuple[Fold, ...],
    provenance: Provenance | None,
    stored: StoredClassifier | None,
) -> Fold | None:
    """The fold of a set or, failing that, of a classifier, by the records of their run.

    Raises:
        DermaugError: The folds are not those by which the networks of the run were trained.
    """
    job = generator_of(run, provenance.generator) if run and provenance else None
    record: GeneratorRecord | TrialRecord | None = None
    if job is not None:
        record = GeneratorRecord.read(job.record)
    elif run is not None and provenance is None and stored and run_above(stored.path) == run:
        record = stored.record
    if run is None or record is None:
        return None
    fold = next((each for each in folds if each.index == record.fold), None)
    if fold is None or (not record.lesions and fold.key != record.fold_key):
        raise DermaugError(
            f"{run.folds}: expected the folds of this run, found others; the file was changed or "
            "is that of another run: restore it"
        )
    return fold


def _fold_of(
    folds: tuple[Fold, ...], provenance: Provenance | None, stored: StoredClassifier | None
) -> Fold | None:
    """The fold of a set or, failing that, of a classifier; None if it is unknown.

    A reduced training split has its own key, but it is a subset of the training split of one fold,
    and the validation images that selected the snapshot are a subset of that fold's validation.
    """
    key = provenance.fold_key if provenance else stored.record.fold_key if stored else None
    chosen_by = set(provenance.validation_images or ()) if provenance else set()
    seen = set(provenance.training_images) if provenance else set()
    for fold in folds:
        parted = chosen_by and chosen_by <= set(fold.validation) and seen <= set(fold.train)
        if fold.key == key or parted:
            return fold
    return None


def _subjects(
    given: GivenImages, store: PixelStore, label: str, training: np.ndarray, validation: np.ndarray
) -> Subjects:
    of_class = store.catalog.table["label"].to_numpy() == label
    rows, found = (np.flatnonzero(of_class & part) for part in (training, validation))
    ids = store.catalog.image_ids
    kept = judging(found, ids, store.catalog.groups, given.provenance)
    started_from = given.provenance.started_from if given.provenance else ()
    drawn = given.images[given.labels == label]
    subjects = Subjects.of(label, drawn, store, rows, kept, started_from)
    if given.provenance is not None:
        return subjects
    # The generator's training images are unknown, so a copy of any real image counts.
    everything = np.flatnonzero(of_class)
    return replace(subjects, searched=(np.asarray(store.images[everything]), ids[everything]))


def _pictures(
    subjects: Subjects, store: PixelStore, pairs: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    drawn = [
        oriented(subjects.synthetic[[row["synthetic"]]], int(row["orientation"]))
        for _, row in pairs.iterrows()
    ]
    if not drawn:
        empty = np.empty((0, *store.images.shape[1:]), np.uint8)
        return empty, empty
    real = store.images[store.catalog.rows(pairs["training_image"].tolist())]
    return np.concatenate(drawn), np.asarray(real)
