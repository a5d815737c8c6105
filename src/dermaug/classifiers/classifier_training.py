"""Train one classifier for a given number of images shown."""

import time

import numpy as np
from lightning_fabric import Fabric
from torch.nn.functional import one_hot

from dermaug.classifiers.criterion import shown_shares
from dermaug.classifiers.inference import predict
from dermaug.classifiers.model import save_classifier
from dermaug.classifiers.trained import TrainedClassifier, TrainingEntry
from dermaug.classifiers.trial_steps import ClassifierSteps, ClassifierTask
from dermaug.console import progress_bar
from dermaug.errors import DermaugError
from dermaug.evaluation.discrimination import confusion, rates
from dermaug.training.checkpoint import checkpoint_digest
from dermaug.training.file_names import CLASSIFIER
from dermaug.training.journal import Journal
from dermaug.training.resume import keep, resume, saved_when_stopped


def train_classifier(task: ClassifierTask, fabric: Fabric) -> TrainedClassifier:
    """Train to the end, resuming from the last checkpoint in the task's folder if there is one.

    Writes `classifier.safetensors` (the last weights, or with `keep = "best"` those with the
    highest balanced accuracy on validation), the journal, and checkpoints for a resume, which
    the caller deletes (`resume.forget`) when all further results are on disk.

    Raises:
        DermaugError: The loss is not finite.
    """
    config, steps = task.config, ClassifierSteps(task, fabric)
    resume(task.folder, steps, task.key)
    total = steps.total
    ticks = {round(total * (k + 1) / config.validations) for k in range(config.validations)}
    start, shown = time.monotonic() - steps.seconds, steps.step * config.batch
    with (
        progress_bar(task.title, total * config.batch, done=shown) as advance,
        saved_when_stopped(task.folder, steps, start, task.key),
        Journal(task.folder, shown) as journal,
    ):
        while steps.step < total:
            steps.take()
            advance(config.batch)

            # A few times per training: validate, keep the weights, save the state for a resume.
            if steps.step in ticks:
                mean = steps.losses.take()["loss"]
                steps.seconds = time.monotonic() - start
                score = _validate(steps, mean, journal)
                keep(task.folder, steps, task.key)
                advance(0, f"loss {mean:.3f}, validation balanced accuracy {score:.3f}")
    training = TrainingEntry(
        images=steps.step * config.batch,
        kept_images=steps.kept_images,
        kept_score=steps.kept_score,
        seconds=steps.seconds,
        parameters=sum(each.numel() for each in steps.classifier.parameters()),
    )
    digest = checkpoint_digest(task.folder / CLASSIFIER)
    return TrainedClassifier(digest, *_priors(steps), training)


def _priors(steps: ClassifierSteps) -> tuple[dict[str, float], dict[str, float]]:
    """The share of each class among the images shown, and the prior of the last phase's loss."""
    task, planned, targets = steps.task, steps.planned, steps.task.targets.numpy()
    labels = one_hot(task.training.labels.cpu(), len(task.classes)).double().numpy()
    starts = [0.0, *(phase.until for phase in planned)]
    shown = sum(
        (phase.until - start) * shown_shares(labels, phase.weights)
        for start, phase in zip(starts, planned, strict=False)
    )
    weights = planned[-1].weights
    if task.loss == "adjusted_by_source":
        real = len(targets) - task.dosed
        targets, weights = targets[:real], None if weights is None else weights[:real]
    prior = steps.criterion.prior(shown_shares(targets, weights))
    of_shown, of_prior = (
        dict(zip(task.classes, np.asarray(shares).tolist(), strict=True))
        for shares in (shown, prior)
    )
    return of_shown, of_prior


def _validate(steps: ClassifierSteps, loss: float, journal: Journal) -> float:
    """Validate, write to the journal, keep the weights if they qualify, and return the score."""
    task, images = steps.task, steps.step * steps.task.config.batch
    if not np.isfinite(loss):
        raise DermaugError(
            f"{task.title}: the training loss is {loss} after {images} images; "
            f"the last good state is kept in {task.folder}; lower classifiers.rate"
        )
    with steps.fabric.autocast():
        probabilities = predict(steps.kept, task.validation)
    steps.frozen = None
    labels = task.validation.labels.cpu().numpy()
    score = float(rates(confusion(labels, probabilities))["balanced_accuracy"])
    picked = probabilities[np.arange(len(labels)), labels]
    journal.write(
        images,
        steps.seconds,
        {
            "train_loss": loss,
            "rate": float(steps.optimizer.param_groups[-1]["lr"]),
            "validation_balanced_accuracy": score,
            "validation_loss": float(-np.log(np.maximum(picked, 1e-12)).mean()),
        },
    )
    if task.config.keep == "last" or score > steps.kept_score:
        steps.kept_images, steps.kept_score = images, score
        save_classifier(task.folder / CLASSIFIER, steps.kept, steps.spec)
    return score
