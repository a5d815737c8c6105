"""Generated images of a dose: the first of each class, or those that pass the arm's curation."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Bool

from dermaug.config.curation import CurationConfig
from dermaug.console import progress_bar
from dermaug.data.halves import halves
from dermaug.data.splits import Fold
from dermaug.errors import DermaugError
from dermaug.experiment.plan.doses import pool_size
from dermaug.experiment.plan.jobs import ClassifierJob
from dermaug.experiment.run.records import CurationEntry
from dermaug.experiment.run.run import Run
from dermaug.experiment.stages.references import (
    CrossFitted,
    Reference,
    cross_fitted,
    trial_reference,
)
from dermaug.synthesis.curation import copy_mask, drop_duplicates, keep_confident, keep_within
from dermaug.synthesis.synthetic_set import SyntheticSet, refuse_leakage

Removed = dict[str, CurationEntry]
"""Label -> number of images that each rule would reject."""
Mask = Bool[np.ndarray, " n"]


def take_dose(
    synthetic: Sequence[SyntheticSet], dose: Mapping[str, int], fold: Fold, origin: str
) -> tuple[np.ndarray, list[str]]:
    """Take the first images of each class, so that doses are nested.

    Args:
        synthetic: Synthetic sets that this arm may use.
        dose: Number of images of each class.
        fold: The fold of the trial; a set made for another fold is refused.
        origin: Name of the arm in error messages.

    Returns:
        uint8 images (n, size, size, 3) and their labels.

    Raises:
        DermaugError: A set leaks, or holds too few images.
    """
    parts, labels = [], []
    for given in synthetic:
        refuse_leakage(given.provenance, fold.key, fold.train, origin)
    for label, number in dose.items():
        if number == 0:
            continue
        found = [part for given in synthetic if len(part := _of_label(given, label))]
        images = np.concatenate(found)[:number] if found else np.empty((0,))
        if len(images) < number:
            raise DermaugError(
                f"{origin}: {number} synthetic images of {label} are needed, {len(images)} found"
            )
        parts.append(images)
        labels += [label] * number
    if not parts:
        return np.empty((0, 1, 1, 3), np.uint8), []
    return np.concatenate(parts), labels


def curated_dose(
    run: Run,
    job: ClassifierJob,
    fold: Fold,
    sets: Sequence[SyntheticSet],
    dose: Mapping[str, int],
    device: torch.device,
) -> tuple[np.ndarray, list[str], Removed]:
    """Take the first images of each class that pass the curation, up to the dose.

    Args:
        run: The run.
        job: The trial that uses the images; its arm has a curation.
        fold: The fold of the trial, with the same reduction of its training split.
        sets: Synthetic sets drawn by its generators.
        dose: Requested number of images of each class.
        device: Device of the reference classifiers.

    Returns:
        Images, their labels, and the numbers of rejected images.

    Raises:
        DermaugError: A set leaks or holds too few images.
    """
    synthetic = job.mixture.synthetic
    assert synthetic is not None
    assert synthetic.curation is not None
    reference = trial_reference(run, job, device)
    crossed = cross_fitted(run, job, device) if synthetic.needs_band else None
    wanted = {label: pool_size(number, synthetic) for label, number in dose.items() if number}
    images, names = take_dose(sets, wanted, fold, job.key)
    parts, labels, removed = [], [], Removed()
    with progress_bar(f"choosing images for {job.title}", sum(wanted.values())) as advance:
        for label in wanted:
            pool = images[np.asarray(names) == label]
            rules, origin = synthetic.curation, synthetic.start_class
            masks = _real_looks(run, fold, reference, pool, label, rules, origin)
            masks |= _confidences(reference, crossed, pool, label, synthetic.curation)
            judged = {name: mask for name, mask in masks.items() if mask is not None}
            kept = np.logical_and.reduce([np.ones(len(pool), bool), *judged.values()])
            left_out = {name: int((~mask).sum()) for name, mask in judged.items()}
            removed[label] = CurationEntry(
                wanted=dose[label],
                pool=len(pool),
                kept=int(kept.sum()),
                **left_out,
                **_on_real_images(run, fold, reference, label, synthetic.curation),
            )
            chosen = pool[kept][: dose[label]]
            parts.append(chosen)
            labels += [label] * len(chosen)
            advance(len(pool))
    size = run.experiment.data.size
    return np.concatenate([np.empty((0, size, size, 3), np.uint8), *parts]), labels, removed


def _real_looks(
    run: Run,
    fold: Fold,
    reference: Reference,
    pool: np.ndarray,
    label: str,
    rules: CurationConfig,
    start_class: str,
) -> dict[str, Mask | None]:
    """Apply the rules that compare images with real ones."""
    labels, trained = run.catalog.table["label"].to_numpy(), run.catalog.rows(fold.train)
    seen, others = trained[labels[trained] == label], _choosing(run, fold, label)
    masks: dict[str, Mask | None] = {}
    if rules.drop_copies:
        # A translated image may repeat the one from which it starts, of whatever class.
        used = trained[np.isin(labels[trained], (label, start_class))]
        training = np.asarray(run.images[used])
        calibrating, features = np.asarray(run.images[others]), reference.judge.features
        try:
            masks["copies"] = ~copy_mask(pool, training, calibrating, features, run.groups[others])
        except DermaugError:  # no validation lesion of this class to calibrate on
            masks["copies"] = None
    if rules.drop_duplicates:
        groups, training = run.groups[seen], np.asarray(run.images[seen])
        several = len(set(groups)) > 1
        masks["duplicates"] = drop_duplicates(pool, training, groups) if several else None
    return masks


def _choosing(run: Run, fold: Fold, label: str) -> np.ndarray:
    """Rows of the validation images of a class on which images are selected.

    Snapshots are selected on the same half of validation; the audit uses the other.
    """
    labels, validation = run.catalog.table["label"].to_numpy(), run.catalog.rows(fold.validation)
    half = validation[halves(run.groups[validation], labels[validation], fold.index).choosing]
    return np.asarray(half[labels[half] == label])


def _on_real_images(
    run: Run, fold: Fold, reference: Reference, label: str, rules: CurationConfig
) -> dict[str, int]:
    """Count the real images that the rule on confidence would reject; empty without the rule."""
    rows = _choosing(run, fold, label)
    if not rules.confidence or not len(rows):
        return {}
    own = reference.confidences(np.asarray(run.images[rows]), label)
    rejected = int((~keep_confident(own, rules.confidence)).sum())
    return {"real": len(rows), "real_unconfident": rejected}


def _confidences(
    reference: Reference,
    crossed: CrossFitted | None,
    pool: np.ndarray,
    label: str,
    rules: CurationConfig,
) -> dict[str, Mask | None]:
    """Apply the rules on the probability of an image's own class."""
    masks: dict[str, Mask | None] = {}
    if rules.confidence > 0.0:
        own = reference.confidences(pool, label)
        masks["unconfident"] = keep_confident(own, rules.confidence)
    if crossed is not None:
        band = crossed.band(label, rules.band)
        masks["outside"] = (
            None if band is None else keep_within(crossed.confidences(pool, label), *band)
        )
    return masks


def _of_label(synthetic: SyntheticSet, label: str) -> np.ndarray:
    where = np.asarray(synthetic.labels) == label
    images: np.ndarray = synthetic.images if where.all() else synthetic.images[where]
    return images
