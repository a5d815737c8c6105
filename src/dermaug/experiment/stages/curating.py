"""Generated images of a dose: the first of each class, or those that pass the arm's curation."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np
import torch
from jaxtyping import Bool

from dermaug.config import SyntheticConfig
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
        found = [
            given.images if where.all() else given.images[where]
            for given in synthetic
            if (where := np.asarray(given.labels) == label).any()
        ]
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

    The reference classifiers that assess them run on the device.

    Returns:
        Images and labels as `take_dose`, and the numbers of rejected images.

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
            pool, others = images[np.asarray(names) == label], _choosing(run, fold, label)
            masks = _real_looks(run, fold, reference, pool, label, others, synthetic)
            masks |= _confidences(reference, crossed, pool, label, synthetic.curation)
            kept = np.logical_and.reduce([np.ones(len(pool), bool), *masks.values()])
            counts = {name: int((~mask).sum()) for name, mask in masks.items()}
            if synthetic.curation.confidence and len(others):
                own = reference.confidences(np.asarray(run.images[others]), label)
                accepted = keep_confident(own, synthetic.curation.confidence)
                counts |= {"real": len(others), "real_unconfident": int((~accepted).sum())}
            removed[label] = CurationEntry(
                wanted=dose[label], pool=len(pool), kept=int(kept.sum()), **counts
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
    others: np.ndarray,
    synthetic: SyntheticConfig,
) -> dict[str, Mask]:
    """Apply the rules that compare images with real ones, where there are real ones."""
    labels, trained = run.catalog.table["label"].to_numpy(), run.catalog.rows(fold.train)
    masks: dict[str, Mask] = {}
    assert synthetic.curation is not None
    if synthetic.curation.drop_copies:
        # A translated image may repeat the one from which it starts, of whatever class.
        used = trained[np.isin(labels[trained], (label, synthetic.start_class))]
        training = np.asarray(run.images[used])
        calibrating, features = np.asarray(run.images[others]), reference.judge.features
        with suppress(DermaugError):  # no validation lesion of this class to calibrate on
            masks["copies"] = ~copy_mask(pool, training, calibrating, features, run.groups[others])
    if synthetic.curation.drop_duplicates:
        seen = trained[labels[trained] == label]
        groups, training = run.groups[seen], np.asarray(run.images[seen])
        if len(set(groups)) > 1:
            masks["duplicates"] = drop_duplicates(pool, training, groups)
    return masks


def _choosing(run: Run, fold: Fold, label: str) -> np.ndarray:
    """Rows of the validation images of a class on which images are selected.

    Snapshots are selected on the same half of validation; the audit uses the other.
    """
    labels, validation = run.catalog.table["label"].to_numpy(), run.catalog.rows(fold.validation)
    half = validation[halves(run.groups[validation], labels[validation], fold.index).choosing]
    return np.asarray(half[labels[half] == label])


def _confidences(
    reference: Reference,
    crossed: CrossFitted | None,
    pool: np.ndarray,
    label: str,
    rules: CurationConfig,
) -> dict[str, Mask]:
    """Apply the rules on the probability of an image's own class."""
    masks: dict[str, Mask] = {}
    if rules.confidence > 0.0:
        own = reference.confidences(pool, label)
        masks["unconfident"] = keep_confident(own, rules.confidence)
    if crossed is not None and (band := crossed.band(label, rules.band)) is not None:
        masks["outside"] = keep_within(crossed.confidences(pool, label), *band)
    return masks
