"""Reference classifiers, which have another seed than the trial whose images they assess."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8

from dermaug.evaluation.predictions import probabilities_of
from dermaug.evaluation.readouts import prior_adjusted, prior_array
from dermaug.experiment.plan.jobs import ClassifierJob, classifier_key
from dermaug.experiment.run.artefacts import recorded_checkpoint, recorded_predictions
from dermaug.experiment.run.records import TrialRecord
from dermaug.experiment.run.run import Run
from dermaug.experiment.stages.judges import Judge, classifier_judge

Images = UInt8[np.ndarray, "n h w 3"]


@dataclass(frozen=True, eq=False)
class Reference:
    """A trained classifier whose probabilities are compared with those of others.

    Args:
        prior: Prior q seen by its loss, in the order of its classes.
        num_images: Number of real training images of each class.
    """

    judge: Judge
    prior: Float[np.ndarray, " k"]
    num_images: dict[str, int]

    def probabilities(self, images: Images) -> Float[np.ndarray, "n k"]:
        """Probability of each class, adjusted to the uniform prior."""
        return prior_adjusted(self.judge.probabilities(images), self.prior)

    def confidences(self, images: Images, label: str) -> Float[np.ndarray, " n"]:
        """Probability of one class for each image, adjusted to the uniform prior."""
        return self.probabilities(images)[:, self.judge.classes.index(label)]


@dataclass(frozen=True, eq=False)
class CrossFitted:
    """Two reference classifiers, each trained on one half of a training split.

    Args:
        known: Label -> probability of that class for each of its real training images, predicted
            by the network that was not trained on the image and adjusted to the uniform prior.
    """

    halves: tuple[Reference, Reference]
    known: dict[str, Float[np.ndarray, " n"]]

    def band(self, label: str, quantiles: tuple[float, ...]) -> tuple[float, float] | None:
        """Quantiles of the probabilities of real images of a class.

        Returns:
            Lower and upper end; None if one half has no training image of the class.
        """
        if any(half.num_images[label] == 0 for half in self.halves):
            return None
        low, high = np.quantile(self.known[label], quantiles)
        return float(low), float(high)

    def confidences(self, images: Images, label: str) -> Float[np.ndarray, " n"]:
        """Mean probability of a class over the two networks, adjusted to the uniform prior."""
        return np.asarray(np.mean([half.confidences(images, label) for half in self.halves], 0))


def trial_reference(run: Run, job: ClassifierJob, device: torch.device) -> Reference:
    """The reference arm's classifier with a trial's model and fold and the next seed."""
    arm = run.experiment.reference
    assert arm is not None  # guaranteed by the checks of the experiment
    return read_reference(
        run, job.beside(arm.name, run.experiment.reference_seed(job.seed)), device
    )


def cross_fitted(run: Run, job: ClassifierJob, device: torch.device) -> CrossFitted:
    """The two networks trained on halves, with a trial's model and fold and the next seed."""
    seed, classes = run.experiment.reference_seed(job.seed), run.catalog.classes
    keys = [classifier_key("", job.model, job.fold, seed, job.lesions, half) for half in (0, 1)]
    one, other = (read_reference(run, key, device) for key in keys)
    known: dict[str, list[np.ndarray]] = {label: [] for label in classes}
    for key, half in zip(keys, (one, other), strict=True):
        files = run.job(key)
        table = recorded_predictions(files.predictions, TrialRecord.read(files.record))
        adjusted = prior_adjusted(probabilities_of(table, classes), half.prior)
        for place, label in enumerate(classes):
            known[label].append(adjusted[table["label"].to_numpy() == label, place])
    return CrossFitted((one, other), {label: np.concatenate(own) for label, own in known.items()})


def read_reference(run: Run, key: str, device: torch.device) -> Reference:
    """The classifier of a finished trial, by the key of its job."""
    told = TrialRecord.read(run.job(key).record)
    return Reference(
        classifier_judge(recorded_checkpoint(run.job(key).classifier), device),
        prior_array(told.prior, run.catalog.classes),
        {label: count.real for label, count in told.train_counts.items()},
    )
