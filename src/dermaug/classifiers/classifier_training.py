"""Train one classifier for a given number of images shown."""

import time
from collections.abc import Sequence

import numpy as np
from lightning_fabric import Fabric
from torch.nn.functional import one_hot

from dermaug.classifiers.criterion import Criterion, shown_shares
from dermaug.classifiers.inference import predict
from dermaug.classifiers.model import save_classifier
from dermaug.classifiers.trial_state import ClassifierTask, TrainedClassifier, TrialState
from dermaug.classifiers.trial_steps import ClassifierSteps, targets_of
from dermaug.console import progress_bar
from dermaug.errors import DermaugError
from dermaug.evaluation.discrimination import confusion, rates
from dermaug.training.checkpoint import checkpoint_digest
from dermaug.training.file_names import CLASSIFIER
from dermaug.training.journal import Journal
from dermaug.training.order import Phase
from dermaug.training.resume import keep, resume, saved_when_stopped


def train_classifier(task: ClassifierTask, fabric: Fabric) -> TrainedClassifier:
    """Train to the end, resuming from the last checkpoint in the task's folder if there is one.

    Writes `classifier.safetensors` (the last weights, or with `keep = "best"` those with the
    highest balanced accuracy on validation), the journal, and checkpoints for a resume, which
    the caller deletes (`resume.forget`) when all further results are on disk.

    Raises:
        DermaugError: The loss is not finite.
    """
    config, state = task.config, TrialState(task, fabric)
    resume(task.folder, state, task.key)
    steps = ClassifierSteps(task, state, fabric)
    total = steps.total
    ticks = {round(total * (k + 1) / config.validations) for k in range(config.validations)}
    start, shown = time.monotonic() - state.seconds, state.step * config.batch
    with (
        progress_bar(task.title, total * config.batch, done=shown) as advance,
        saved_when_stopped(task.folder, state, start, task.key),
        Journal(task.folder, shown) as journal,
    ):
        while state.step < total:
            steps.take()
            advance(config.batch)

            # A few times per training: validate, keep the weights, save the state for a resume.
            if state.step in ticks:
                mean = state.losses.take()["loss"]
                state.seconds = time.monotonic() - start
                score = _validate(task, state, fabric, mean, journal)
                keep(task.folder, state, task.key)
                advance(0, f"loss {mean:.3f}, validation balanced accuracy {score:.3f}")
    return _trained(task, state, steps)


def _trained(task: ClassifierTask, state: TrialState, steps: ClassifierSteps) -> TrainedClassifier:
    """Summarise the training."""
    return TrainedClassifier(
        state.kept_images,
        state.kept_score,
        state.step * task.config.batch,
        state.seconds,
        sum(each.numel() for each in state.classifier.parameters()),
        checkpoint_digest(task.folder / CLASSIFIER),
        **_priors(task, steps.planned, steps.criterion),
    )


def _priors(
    task: ClassifierTask, planned: Sequence[Phase], criterion: Criterion
) -> dict[str, dict[str, float]]:
    """The share of each class among the images shown, and the prior of the last phase's loss."""
    targets = targets_of(task).numpy()
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
    prior = criterion.prior(shown_shares(targets, weights))
    return {
        name: dict(zip(task.classes, np.asarray(values).tolist(), strict=True))
        for name, values in (("shown", shown), ("prior", prior))
    }


def _validate(
    task: ClassifierTask, state: TrialState, fabric: Fabric, loss: float, journal: Journal
) -> float:
    """Validate, write to the journal, keep the weights if they qualify, and return the score."""
    images = state.step * task.config.batch
    if not np.isfinite(loss):
        raise DermaugError(
            f"{task.title}: the training loss is {loss} after {images} images; "
            f"the last good state is kept in {task.folder}; lower classifiers.rate"
        )
    with fabric.autocast():
        probabilities = predict(state.kept, task.validation)
    state.frozen = None
    labels = task.validation.labels.cpu().numpy()
    score = float(rates(confusion(labels, probabilities))["balanced_accuracy"])
    picked = probabilities[np.arange(len(labels)), labels]
    journal.write(
        images,
        state.seconds,
        {
            "train_loss": loss,
            "rate": float(state.optimizer.param_groups[-1]["lr"]),
            "validation_balanced_accuracy": score,
            "validation_loss": float(-np.log(np.maximum(picked, 1e-12)).mean()),
        },
    )
    if task.config.keep == "last" or score > state.kept_score:
        state.kept_images, state.kept_score = images, score
        save_classifier(task.folder / CLASSIFIER, state.kept, state.spec)
    return score
