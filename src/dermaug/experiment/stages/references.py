"""Reference classifiers: of another seed than the trial that they look at images for."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8

from dermaug.evaluation.predictions import probabilities_of, read_predictions
from dermaug.evaluation.readouts import prior_adjusted, prior_array
from dermaug.experiment.plan.jobs import ClassifierJob, reference_key
from dermaug.experiment.run.records import TrialRecord
from dermaug.experiment.run.run import Run
from dermaug.experiment.stages.judges import Judge, classifier_judge

Images = UInt8[np.ndarray, "n h w 3"]


@dataclass(frozen=True, eq=False)
class Reference:
    """A trained classifier whose probabilities are compared with those of others.

    Args:
        judge: The network.
        prior: q, the prior that its loss saw, in the order of its classes.
        num_images: Real images of each class that it was trained on.
    """

    judge: Judge
    prior: Float[np.ndarray, " k"]
    num_images: dict[str, int]

    def probabilities(self, images: Images) -> Float[np.ndarray, "n k"]:
        """Of each class, brought to the uniform prior."""
        return prior_adjusted(self.judge.probabilities(images), self.prior)

    def confidences(self, images: Images, label: str) -> Float[np.ndarray, " n"]:
        """Probability of one class for each image, brought to the uniform prior."""
        return self.probabilities(images)[:, self.judge.classes.index(label)]


@dataclass(frozen=True, eq=False)
class CrossFitted:
    """Two references, each trained on one half of a training split.

    Args:
        halves: The references.
        known: Label -> probability of that class, brought to the uniform prior, that each of its
            real training images gets from the network that did not train on it.
    """

    halves: tuple[Reference, Reference]
    known: dict[str, Float[np.ndarray, " n"]]

    def band(self, label: str, quantiles: tuple[float, ...]) -> tuple[float, float] | None:
        """Quantiles of what real images of a class get.

        Returns:
            Lower and upper end; None where a half has no image of the class to learn it from.
        """
        if any(half.num_images[label] == 0 for half in self.halves):
            return None
        low, high = np.quantile(self.known[label], quantiles)
        return float(low), float(high)

    def confidences(self, images: Images, label: str) -> Float[np.ndarray, " n"]:
        """Mean probability of a class over the two networks, each brought to the uniform prior."""
        return np.asarray(np.mean([half.confidences(images, label) for half in self.halves], 0))


def trial_reference(run: Run, job: ClassifierJob, device: torch.device) -> Reference:
    """The reference arm's classifier of a trial's model and fold, and of the next seed."""
    arm = run.experiment.reference
    assert arm is not None  # the experiment was refused otherwise
    return _read(run, job.beside(arm.name, run.experiment.reference_seed(job.seed)), device)


def cross_fitted(run: Run, job: ClassifierJob, device: torch.device) -> CrossFitted:
    """The two networks on halves for a trial: of its model and fold, and of the next seed."""
    seed, classes = run.experiment.reference_seed(job.seed), run.catalog.classes
    keys = [reference_key(job.model, job.fold, seed, job.lesions, half) for half in (0, 1)]
    one, other = (_read(run, key, device) for key in keys)
    known: dict[str, list[np.ndarray]] = {label: [] for label in classes}
    for key, half in zip(keys, (one, other), strict=True):
        table = read_predictions(run.job(key).predictions, classes)
        adjusted = prior_adjusted(probabilities_of(table, classes), half.prior)
        for place, label in enumerate(classes):
            known[label].append(adjusted[table["label"].to_numpy() == label, place])
    return CrossFitted((one, other), {label: np.concatenate(own) for label, own in known.items()})


def _read(run: Run, key: str, device: torch.device) -> Reference:
    told = TrialRecord.read(run.job(key).record)
    return Reference(
        classifier_judge(run.job(key).classifier, device),
        prior_array(told.prior, run.catalog.classes),
        {label: count.real for label, count in told.train_counts.items()},
    )
