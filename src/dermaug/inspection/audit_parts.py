"""The real images of an audit: those that a generator may have copied, and those that judge it."""

import numpy as np
from jaxtyping import Bool

from dermaug.data.catalog import Catalog
from dermaug.data.splits import Fold
from dermaug.errors import DermaugError
from dermaug.experiment.run.artefacts import StoredClassifier, folds_of, generator_of
from dermaug.experiment.run.layout import RunFolder, run_above
from dermaug.experiment.run.records import GeneratorRecord, TrialRecord
from dermaug.seeding import derive_seed
from dermaug.synthesis.synthetic_set import Provenance

UNKNOWN = "provenance unknown: leakage not excluded"
FIFTH = 5
"""One group in so many validates, where neither manifest nor classifier names any."""


def fold_of(
    run: RunFolder | None, provenance: Provenance | None, stored: StoredClassifier | None
) -> Fold | None:
    """The fold of a set or, failing that, of a classifier; None if it is unknown.

    Raises:
        DermaugError: The folds are not those by which the networks of the run were trained.
    """
    folds = folds_of(run)
    known = _known_fold(run, folds, provenance, stored)
    return known or _likely_fold(folds, provenance, stored)


def part_images(
    catalog: Catalog,
    provenance: Provenance | None,
    stored: StoredClassifier | None,
    fold: Fold | None,
) -> tuple[Bool[np.ndarray, " n"], Bool[np.ndarray, " n"], list[str]]:
    """Real images that the generator may have copied, and those that it cannot have seen.

    Args:
        catalog: The real images.
        provenance: Provenance of the synthetic set; None if unknown.
        stored: The classifier that serves as judge, whose training images are not used as
            validation; None for another judge.
        fold: The fold of the set or classifier; None if it is unknown.

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
    """The fold of a set or, failing that, of a classifier, by the records of their run."""
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


def _likely_fold(
    folds: tuple[Fold, ...], provenance: Provenance | None, stored: StoredClassifier | None
) -> Fold | None:
    """The fold of a set or, failing that, of a classifier, by what they say of themselves.

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
