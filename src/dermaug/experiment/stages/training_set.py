"""The training set of a trial: real images of its fold, fixed variants, and its arm's dose."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float

from dermaug.config import SyntheticConfig
from dermaug.config.arms import FOLDER, ORACLE
from dermaug.data.image_rows import ImageRows, Pixels
from dermaug.data.splits import Fold
from dermaug.errors import DermaugError
from dermaug.experiment.plan.checks import training_counts
from dermaug.experiment.plan.doses import above_limit, allowed, doses
from dermaug.experiment.plan.jobs import ClassifierJob, Job
from dermaug.experiment.run.records import ImageCounts, Provenance, TrialRecord
from dermaug.experiment.run.run import Run
from dermaug.experiment.stages.curating import Removed
from dermaug.experiment.stages.fillers import FILLERS, Labels, generated, variants
from dermaug.experiment.stages.references import trial_reference
from dermaug.files import expanded
from dermaug.seeding import derive_seed
from dermaug.synthesis import synthetic_set


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """The training set of one classifier.

    Args:
        fold: The fold, with the training split from which it was assembled.
        images: Real ones, variants, dose, in this order; the real ones are not copied.
        counts: Label -> number of its images.
        provenance: `fold` if every image comes from the fold's training split or from a generator
            trained on it only; `beyond` for an oracle; `unknown` for images made by other tools.
        removed: Images rejected by curation, by class and rule; empty without curation.
        capped: Label -> generated images per real image that the arm requests, for classes where
            `max_per_real` allows fewer; empty if the limit is never reached.
        dosed: Number of images of the dose, which are the last ones.
        soft: Class probabilities used as targets for the dose; None uses its labels.
    """

    fold: Fold
    images: ImageRows
    labels: Labels
    counts: dict[str, ImageCounts]
    provenance: Provenance
    removed: Removed
    capped: dict[str, float]
    dosed: int
    soft: Float[np.ndarray, "dosed classes"] | None


def training_set(run: Run, job: ClassifierJob, device: torch.device) -> TrainingSet:
    """Assemble the images of a trial; reference classifiers for its dose run on the device.

    Raises:
        DermaugError: A synthetic set leaks or holds too few images, or a network that the trial
            needs is not trained yet.
    """
    require_needs(run, job)
    fold = fold_of(run, job)
    catalog, rows = run.catalog, run.catalog.rows(fold.train)
    labels = catalog.labels[rows]
    real = training_counts(catalog, fold)
    parts: dict[str, tuple[Pixels, Labels]] = {"real": (ImageRows((run.images, rows)), labels)}
    if job.mixture.variants:
        parts["variants"] = variants(run, job, fold)
    provenance: Provenance = "fold"
    removed, capped, soft = Removed(), dict[str, float](), None
    if synthetic := job.mixture.synthetic:
        asked = _asked(run, job, synthetic, real)
        dose = allowed(job.mixture, asked, real)
        filled = FILLERS.get(synthetic.source, generated)(run, job, fold, dose, device)
        parts["synthetic"], removed = (filled.images, filled.labels), filled.removed
        capped = _capped(run, job, real, asked, filled.labels)
        provenance = _provenance(synthetic)
        if synthetic.labels == "judged" and len(filled.labels):
            soft = trial_reference(run, job, device).probabilities(filled.images)
        if synthetic.only:
            del parts["real"]
    return TrainingSet(
        fold,
        ImageRows(*((part, np.arange(len(part))) for part, _ in parts.values())),
        np.concatenate([part for _, part in parts.values()]),
        {
            label: ImageCounts(**{name: int((own == k).sum()) for name, (_, own) in parts.items()})
            for k, label in enumerate(catalog.classes)
        },
        provenance,
        removed,
        capped,
        len(parts["synthetic"][1]) if "synthetic" in parts else 0,
        soft,
    )


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

    The halves depend only on the fold and on the seed of the splits. Half 0 has one group more than
    half 1 if their number is odd.

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


def require_needs(run: Run, job: Job, coming: Collection[str] = ()) -> None:
    """Raise unless all that a job needs is trained, or among the jobs that are coming.

    Raises:
        DermaugError: Names what is not.
    """
    undone = [key for key in job.requires if key not in coming and not run.is_done(key)]
    if undone:
        raise DermaugError(
            f"{job.key} needs {undone[0]}, which has not been trained yet; train it first, or use "
            "`dermaug run` to train everything in order",
            undone if undone[1:] else (),
        )


def _asked(
    run: Run, job: ClassifierJob, synthetic: SyntheticConfig, real: Mapping[str, int]
) -> dict[str, int]:
    """Number of images of each class: the arm's dose or, for a replay, what its arm added."""
    if job.mixture.replay_of:
        repeated = run.job(job.beside(job.mixture.replay_of))
        added = TrialRecord.read(repeated.record).train_counts
        return {label: count.synthetic for label, count in added.items()}
    return doses(synthetic, run.experiment.generators, real)


def _capped(
    run: Run, job: ClassifierJob, real: Mapping[str, int], asked: Mapping[str, int], filled: Labels
) -> dict[str, float]:
    """Classes above `max_per_real`, by the requested dose or, if shown apart, the dose at hand."""
    numbers = np.bincount(filled, minlength=len(run.catalog.classes)).tolist()
    there = dict(zip(run.catalog.classes, numbers, strict=True))
    sampling = job.mixture.sampling or job.config.sampling
    shown = asked if job.mixture.dose_fraction is None else there
    return above_limit(job.mixture, sampling, shown, real)


def _provenance(synthetic: SyntheticConfig) -> Provenance:
    if synthetic.source == ORACLE:
        return "beyond"
    if synthetic.source != FOLDER:
        return "fold"
    if (expanded(synthetic.folder, "synthetic.folder") / synthetic_set.MANIFEST).exists():
        return "fold"
    declared = synthetic.provenance
    return "declared" if declared and declared.trained_on != "unknown" else "unknown"
