"""The training set of a trial: real images of its fold, fixed variants, and its arm's dose."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float

from dermaug.config import SyntheticConfig
from dermaug.config.arms import FOLDER, ORACLE
from dermaug.data.augmentation import fridadar
from dermaug.data.image_bank import ImageBank
from dermaug.data.image_rows import ImageRows, Pixels
from dermaug.data.splits import Fold
from dermaug.errors import DermaugError
from dermaug.experiment.plan.doses import above_limit, allowed, dosed_classes, doses
from dermaug.experiment.plan.jobs import ClassifierJob, Job
from dermaug.experiment.run.records import ImageCounts, TrialRecord
from dermaug.experiment.run.run import Run, training_counts
from dermaug.experiment.stages.curating import Removed
from dermaug.experiment.stages.fillers import FILLERS, Images, Labels, generated, repeat
from dermaug.experiment.stages.references import trial_reference
from dermaug.files import expanded
from dermaug.seeding import derive_seed
from dermaug.synthesis import synthetic_set

CHUNK = 512
Provenance = Literal["fold", "beyond", "declared", "unknown"]


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """The training set of one classifier.

    Args:
        images: Real ones, variants, dose, in this order; the real ones are not copied.
        labels: Class of each.
        counts: Label -> number of its images.
        provenance: `fold` if every image comes from the fold's training split or from a generator
            trained on it only; `beyond` for an oracle; `unknown` for images made by other tools.
        removed: Images rejected by curation, by class and rule; empty without curation.
        capped: Label -> generated images per real image that the arm requests, for classes where
            `max_per_real` allows fewer; empty if the limit is never reached.
        dosed: Number of images of the dose, which are the last ones.
        soft: Class probabilities used as targets for the dose; None uses its labels.
    """

    images: ImageRows
    labels: Labels
    counts: dict[str, ImageCounts]
    provenance: Provenance
    removed: Removed
    capped: dict[str, float]
    dosed: int
    soft: Float[np.ndarray, "dosed classes"] | None


def training_set(run: Run, job: ClassifierJob, fold: Fold, device: torch.device) -> TrainingSet:
    """Assemble the images of a trial; reference classifiers for its dose run on the device.

    Raises:
        DermaugError: A synthetic set leaks or holds too few images, or a network that the trial
            needs is not trained yet.
    """
    require_needs(run, job)
    catalog, rows = run.catalog, run.catalog.rows(fold.train)
    labels = catalog.labels[rows]
    real = training_counts(catalog, fold)
    parts: dict[str, tuple[Pixels, Labels]] = {"real": (ImageRows((run.images, rows)), labels)}
    if job.mixture.variants:
        parts["variants"] = _variants(run, job, fold)
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
        ImageRows(*((part, np.arange(len(part))) for part, _ in parts.values())),
        np.concatenate([part for _, part in parts.values()]),
        _counts(catalog.classes, {name: part for name, (_, part) in parts.items()}),
        provenance,
        removed,
        capped,
        len(parts["synthetic"][1]) if "synthetic" in parts else 0,
        soft,
    )


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
    return doses(synthetic, dosed_classes(synthetic, run.experiment, run.catalog.classes), real)


def _capped(
    run: Run, job: ClassifierJob, real: Mapping[str, int], asked: Mapping[str, int], filled: Labels
) -> dict[str, float]:
    """Classes above `max_per_real`, by the requested dose or, if shown apart, the dose at hand."""
    numbers = np.bincount(filled, minlength=len(run.catalog.classes)).tolist()
    there = dict(zip(run.catalog.classes, numbers, strict=True))
    sampling = job.mixture.sampling or job.config.sampling
    shown = asked if job.mixture.dose_fraction is None else there
    return above_limit(job.mixture, sampling, shown, real)


def _counts(classes: tuple[str, ...], parts: Mapping[str, Labels]) -> dict[str, ImageCounts]:
    found = {
        name: np.bincount(part, minlength=len(classes)).tolist() for name, part in parts.items()
    }
    return {
        label: ImageCounts(**{name: numbers[place] for name, numbers in found.items()})
        for place, label in enumerate(classes)
    }


def _provenance(synthetic: SyntheticConfig) -> Provenance:
    if synthetic.source == ORACLE:
        return "beyond"
    if synthetic.source != FOLDER:
        return "fold"
    if (expanded(synthetic.folder, "synthetic.folder") / synthetic_set.MANIFEST).exists():
        return "fold"
    declared = synthetic.provenance
    return "declared" if declared and declared.trained_on != "unknown" else "unknown"


def _variants(run: Run, job: ClassifierJob, fold: Fold) -> tuple[Images, Labels]:
    """Augment real training images once each by the policy of Frid-Adar et al. (section II-B)."""
    rows = run.catalog.rows(fold.train)
    labels = run.catalog.labels[rows]
    seed = derive_seed("variants", job.fold, job.seed)
    dose = dict.fromkeys(np.unique(labels).tolist(), job.mixture.variants)
    again = repeat(labels, dose, seed)
    bank = ImageBank.of(ImageRows((run.images, rows)), labels, torch.device("cpu"))
    random = torch.Generator().manual_seed(seed)
    changed = []
    for start in range(0, len(again), CHUNK):
        images, _ = bank.batch(again[start : start + CHUNK])
        varied = fridadar(images, random).mul(255.0).round().to(torch.uint8)
        changed.append(varied.permute(0, 2, 3, 1).numpy())
    return np.concatenate(changed), labels[again]
