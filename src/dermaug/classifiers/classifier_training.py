"""Train one classifier for a number of images shown; its last weights are kept."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from lightning_fabric import Fabric
from torch import Tensor
from torch.nn.functional import one_hot
from torch.optim import SGD, AdamW, Optimizer

from dermaug.classifiers.criterion import Criterion, shown_shares
from dermaug.classifiers.inference import predict
from dermaug.classifiers.model import Classifier, ClassifierSpec, build_classifier, save_classifier
from dermaug.config import ClassifierConfig
from dermaug.console import progress_bar
from dermaug.data.augmentation import POLICIES
from dermaug.data.decoding import Crop
from dermaug.data.image_bank import ImageBank
from dermaug.errors import DermaugError
from dermaug.seeding import derive_seed
from dermaug.training.checkpoint import (
    RESUME,
    checkpoint_digest,
    expecting,
    load_checkpoint,
    save_checkpoint,
)
from dermaug.training.convolutions import suit_cpu
from dermaug.training.ema import Ema
from dermaug.training.journal import Journal
from dermaug.training.optimizers import load_optimizer
from dermaug.training.order import Dosage, Phase, PhasedOrder, phases
from dermaug.training.randomness import StepRandom
from dermaug.training.schedules import warmed_up

CLASSIFIER = "classifier.safetensors"


@dataclass(frozen=True, eq=False)
class ClassifierTask:
    """What one classifier is trained on.

    Args:
        title: Name behind the progress bar.
        config: Network and training.
        policy: Key of `dermaug.data.augmentation.POLICIES`.
        sampling: How often a class is shown: natural, sqrt or balanced.
        loss: plain, weighted or adjusted, as for `Criterion`.
        classes: Labels in the order of the outputs.
        training: Images of the fold's training part, with the arm's synthetic ones.
        validation: Images of the fold's validation part.
        mean: Channel means of the real training images in [0, 1].
        std: Channel standard deviations of the real training images.
        seed: Derived from model, fold and seed, not from the arm.
        folder: Where checkpoint and journal go.
        dosage: How the last images of `training`, the arm's dose, are shown beside the real ones;
            None shows all as one set.
        soft: Probabilities of the classes that the last images teach instead of their labels; None
            teaches labels throughout.
        crop: How the images were cut, as in `DataConfig`; the classifier remembers it.
        margin: Skin around the lesion, likewise.
    """

    title: str
    config: ClassifierConfig
    policy: str
    sampling: str
    loss: str
    classes: tuple[str, ...]
    training: ImageBank
    validation: ImageBank
    mean: tuple[float, ...]
    std: tuple[float, ...]
    seed: int
    folder: Path
    dosage: Dosage | None = None
    soft: Float[np.ndarray, "dosed classes"] | None = None
    crop: Crop = "centre"
    margin: float = 0.25


@dataclass(frozen=True)
class TrainedClassifier:
    """How a training went.

    Args:
        kept_images: Images shown when the weights that are kept were reached.
        kept_score: Balanced accuracy on validation then, 0 to 1, at the most probable class.
        images: Images shown in all.
        seconds: Time spent, over all resumes.
        parameters: Number of weights.
        digest: Digest of the checkpoint.
        shown: Label -> its share of the images shown, over the whole training; sums to 1.
        prior: Label -> the prior q that the loss saw at the end of the training
            (`Criterion.prior`); sums to 1.
    """

    kept_images: int
    kept_score: float
    images: int
    seconds: float
    parameters: int
    digest: str
    shown: dict[str, float]
    prior: dict[str, float]


class _State:
    """What changes from step to step, and goes into the checkpoint that a resume starts from."""

    def __init__(self, task: ClassifierTask, fabric: Fabric) -> None:
        torch.manual_seed(derive_seed(task.seed, "weights"))
        cut = (task.training.side, task.crop, task.margin)
        spec = ClassifierSpec.of(task.config, task.classes, *cut)
        self.spec = spec
        self.classifier = build_classifier(task.config, spec, task.mean, task.std)
        suit_cpu(self.classifier)
        self.parameters = sum(each.numel() for each in self.classifier.parameters())
        self.classifier.to(memory_format=torch.channels_last)
        self.classifier.to(fabric.device)
        self.optimizer = _optimizer(task.config, self.classifier)
        self.ema = Ema(self.classifier, task.config.ema) if task.config.ema else None
        self.step, self.kept_images, self.kept_score, self.seconds = 0, 0, -1.0, 0.0

    @property
    def kept(self) -> Classifier:
        """The network that is validated and kept: the average, or the weights themselves."""
        return self.classifier if self.ema is None else self.ema.module  # type: ignore[return-value]

    def save(self, path: Path) -> None:
        state: dict[str, Any] = {
            "classifier": self.classifier.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "ema": None if self.ema is None else self.ema.state_dict(),
            "step": self.step,
            "kept_images": self.kept_images,
            "kept_score": self.kept_score,
            "seconds": self.seconds,
        }
        save_checkpoint(path, state)

    def load(self, path: Path) -> None:
        state = load_checkpoint(path)
        with expecting(path, "the state of this training"):
            self._take(state)

    def _take(self, state: dict[str, Any]) -> None:
        self.classifier.load_state_dict(state["classifier"])
        load_optimizer(self.optimizer, state["optimizer"])
        if self.ema is not None:
            self.ema.load_state_dict(state["ema"])
        self.step, self.seconds = state["step"], state["seconds"]
        self.kept_images, self.kept_score = state["kept_images"], state["kept_score"]


def train_classifier(task: ClassifierTask, fabric: Fabric) -> TrainedClassifier:
    """Train to the end, from the last checkpoint in the task's folder when there is one.

    Leaves `classifier.safetensors` (the last weights, or with `keep = "best"` those that had the
    highest balanced accuracy on validation), the journal, and `resume.safetensors`, which the
    caller deletes once all that follows is on disk.

    Raises:
        DermaugError: The loss is no longer a number.
    """
    config, state = task.config, _State(task, fabric)
    if (task.folder / RESUME).exists():
        state.load(task.folder / RESUME)
    random = StepRandom(fabric.device, derive_seed(task.seed, "augmentation"))
    labels = task.training.labels.cpu().numpy()
    planned = phases(labels, task.sampling, task.dosage)
    order = PhasedOrder(len(task.training), derive_seed(task.seed, "order"), planned)
    taught = _targets(task).to(fabric.device)
    criterion = Criterion(
        task.loss,
        labels,
        len(task.classes),
        planned[0].weights,
        config.label_smoothing,
        fabric.device,
    )
    total = max(1, round(config.images / config.batch))
    ticks = {round(total * (k + 1) / config.validations) for k in range(config.validations)}
    losses: list[Tensor] = []
    start = time.monotonic() - state.seconds
    with (
        Journal(task.folder, state.step * config.batch) as journal,
        progress_bar(task.title, total * config.batch, done=state.step * config.batch) as advance,
    ):
        while state.step < total:
            _set_phase(task, state, (state.step + 0.5) / total)
            rows = order.batch(state.step * config.batch, config.batch, state.step / total)
            images, _ = task.training.batch(rows)
            targets = taught[torch.from_numpy(rows).to(fabric.device)]
            images, targets = POLICIES[task.policy](images, targets, random.at(state.step))
            losses.append(_step(state, fabric, images, targets, criterion))
            state.step += 1
            advance(config.batch)
            if state.step in ticks:
                loss = float(torch.stack(losses).mean())
                losses.clear()
                state.seconds = time.monotonic() - start
                score = _validate(task, state, fabric, loss, journal)
                advance(0, f"loss {loss:.3f}, validation balanced accuracy {score:.3f}")
    return TrainedClassifier(
        state.kept_images,
        state.kept_score,
        total * config.batch,
        state.seconds,
        state.parameters,
        checkpoint_digest(task.folder / CLASSIFIER),
        **_priors(task, planned, criterion),
    )


def _priors(
    task: ClassifierTask, planned: Sequence[Phase], criterion: Criterion
) -> dict[str, dict[str, float]]:
    """What was shown of each class, and the prior that the last phase's loss saw."""
    targets = _targets(task).numpy()
    labels = one_hot(task.training.labels.cpu(), len(task.classes)).double().numpy()
    starts = [0.0, *(phase.until for phase in planned)]
    shown = sum(
        (phase.until - start) * shown_shares(labels, phase.weights)
        for start, phase in zip(starts, planned, strict=False)
    )
    prior = criterion.prior(shown_shares(targets, planned[-1].weights))
    return {
        name: dict(zip(task.classes, np.asarray(values).tolist(), strict=True))
        for name, values in (("shown", shown), ("prior", prior))
    }


def _targets(task: ClassifierTask) -> Float[Tensor, "n classes"]:
    """What each image teaches: its label, or the probabilities that it was given instead."""
    targets = one_hot(task.training.labels.cpu(), len(task.classes)).float()
    if task.soft is not None:
        targets[len(targets) - len(task.soft) :] = torch.from_numpy(task.soft)
    return targets


def _step(
    state: _State, fabric: Fabric, images: Tensor, targets: Tensor, criterion: Criterion
) -> Tensor:
    with fabric.autocast():
        logits = state.classifier(images)
    loss = criterion(logits.float(), targets)
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    state.optimizer.step()
    if state.ema is not None:
        state.ema.update(state.classifier, state.step)
    return loss.detach()


def _validate(
    task: ClassifierTask, state: _State, fabric: Fabric, loss: float, journal: Journal
) -> float:
    """Journal the tick, keep the weights if they are to be kept, save what a resume needs."""
    images = state.step * task.config.batch
    if not np.isfinite(loss):
        raise DermaugError(
            f"{task.title}: the training loss is {loss} after {images} images; "
            f"the last good state is kept in {task.folder}; lower classifiers.rate"
        )
    with fabric.autocast():
        probabilities = predict(state.kept, task.validation)
    labels = task.validation.labels.cpu().numpy()
    score = _balanced_accuracy(labels, probabilities.argmax(1))
    picked = probabilities[np.arange(len(labels)), labels]
    journal.write(
        images,
        state.seconds,
        {
            "train_loss": loss,
            "rate": state.optimizer.param_groups[-1]["lr"],
            "validation_balanced_accuracy": score,
            "validation_loss": float(-np.log(np.maximum(picked, 1e-12)).mean()),
        },
    )
    if task.config.keep == "last" or score > state.kept_score:
        state.kept_images, state.kept_score = images, score
        save_classifier(task.folder / CLASSIFIER, state.kept, state.spec)
    state.save(task.folder / RESUME)
    return score


def _set_phase(task: ClassifierTask, state: _State, fraction: float) -> None:
    """Modes and learning rates at a point of the training."""
    config = task.config
    frozen = fraction < config.frozen_fraction
    backbone, head = state.optimizer.param_groups
    rate = config.rate * warmed_up(config.schedule, fraction, config.warmup)
    head["lr"], backbone["lr"] = rate, rate * config.backbone_rate
    # A frozen backbone also keeps its batch statistics.
    state.classifier.train(not frozen)
    for parameter in backbone["params"]:
        parameter.requires_grad_(not frozen)
    if frozen:
        state.classifier.head.train()


def _optimizer(config: ClassifierConfig, classifier: Classifier) -> Optimizer:
    head = list(classifier.head.parameters())
    mine = {id(parameter) for parameter in head}
    backbone = [p for p in classifier.parameters() if id(p) not in mine]
    groups: list[dict[str, Any]] = [{"params": backbone}, {"params": head}]
    if config.optimizer == "adamw":
        return AdamW(groups, lr=config.rate, weight_decay=config.weight_decay)
    decay = config.weight_decay
    return SGD(groups, lr=config.rate, momentum=0.9, nesterov=True, weight_decay=decay)


def _balanced_accuracy(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Mean sensitivity over the classes that occur."""
    counts = np.bincount(labels)
    hits = np.bincount(labels[labels == predicted], minlength=len(counts))
    return float((hits[counts > 0] / counts[counts > 0]).mean())
