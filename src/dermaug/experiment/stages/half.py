"""Halves of a training split, for arms with `half = true` and for reference classifiers."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool

from dermaug.data.splits import Fold
from dermaug.experiment.plan.jobs import ClassifierJob
from dermaug.experiment.run.run import Run
from dermaug.seeding import derive_seed


def fold_of(run: Run, job: ClassifierJob) -> Fold:
    """The fold of a trial, with its training split reduced or halved as the job requires.

    A reference classifier is trained on one half and predicts the other half in place of the
    validation split; it does not use the test split.
    """
    fold = run.fold(job.fold, job.lesions)
    if job.half is not None:
        kept, left = (halved(run, fold, half) for half in (job.half, 1 - job.half))
        return replace(kept, validation=left.train)
    return halved(run, fold) if job.mixture.half else fold


def halved(run: Run, fold: Fold, half: int = 0) -> Fold:
    """Keep one half of a fold's training split; validation and test are unchanged.

    The halves depend only on the fold and on the seed of the splits.

    Args:
        run: The run.
        fold: Whole, or reduced to some lesions per class.
        half: 0 or 1; half 0 has one group more if their number is odd.

    Raises:
        DermaugError: No class has two groups, so that half 1 is empty.
    """
    catalog, rows = run.catalog, run.catalog.rows(fold.train)
    groups = catalog.groups[rows]
    seed = derive_seed("half", run.experiment.splits.seed, fold.index)
    kept = first_half(groups, catalog.labels[rows], seed) == (half == 0)
    return Fold(fold.index, tuple(catalog.image_ids[rows[kept]]), fold.validation, fold.test)


def first_half(groups: np.ndarray, labels: np.ndarray, seed: int) -> Bool[np.ndarray, " n"]:
    """Mark the images in the first half of each class's groups, rounded up.

    A group with images of several classes goes to one half as a whole: the class with the fewest
    groups is halved first, and each further class with its remaining groups.

    Example:
        >>> groups, labels = np.array(["a", "b", "b", "c"]), np.array([0, 0, 0, 1])
        >>> first_half(groups, labels, seed=0)
        array([ True, False, False,  True])
    """
    order = {group: derive_seed(seed, str(group)) for group in np.unique(groups)}
    of_class = {label: np.unique(groups[labels == label]) for label in np.unique(labels)}
    first: dict[str, bool] = {}
    for members in sorted(of_class.values(), key=len):
        wanted = -(-len(members) // 2) - sum(first.get(group, False) for group in members)
        undecided = sorted(
            (group for group in members if group not in first), key=order.__getitem__
        )
        first |= {group: place < wanted for place, group in enumerate(undecided)}
    return np.array([first[group] for group in groups], dtype=bool)
