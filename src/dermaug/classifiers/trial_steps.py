"""The task of training one classifier, and the steps of the training between its validations."""

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

from dermaug.classifiers.criterion import Criterion
from dermaug.classifiers.model import Classifier, ClassifierSpec, build_classifier
from dermaug.config import ClassifierConfig
from dermaug.data.augmentation import POLICIES
from dermaug.data.decoding import Crop
from dermaug.data.image_bank import Feed, ImageBank
from dermaug.seeding import derive_seed
from dermaug.training.convolutions import suit_cpu
from dermaug.training.ema import Ema
from dermaug.training.graphs import Replayed
from dermaug.training.means import RunningMeans
from dermaug.training.optimizers import load_optimizer, rates_on, set_rate
from dermaug.training.order import Dosage, PhasedOrder, phases
from dermaug.training.randomness import StepRandom
from dermaug.training.schedules import warmed_up


@dataclass(frozen=True, eq=False)
class ClassifierTask:
    """The task of training one classifier.

    Args:
        policy: Key of `dermaug.data.augmentation.POLICIES`.
        sampling: How often a class is shown: natural, sqrt or balanced.
        loss: plain, weighted, adjusted or adjusted_by_source, as for `Criterion`.
        classes: Labels in the order of the outputs.
        training: Images of the fold's training split, with the arm's synthetic ones.
        validation: Images of the fold's validation split.
        mean: Channel means of the real training images in [0, 1].
        std: Channel standard deviations of the real training images.
        seed: Derived from model, fold and seed, not from the arm.
        folder: Folder for checkpoint and journal.
        dosage: How the last images of `training`, the arm's dose, are shown beside the real ones;
            None shows all as one set.
        soft: Class probabilities used as targets of the last images instead of their labels; None
            uses labels for all images.
        crop: How the images were cropped, as in `DataConfig`; stored with the classifier.
        margin: Margin around the lesion, also stored with the classifier.
        key: Tells it from other trainings, whose checkpoints it does not resume from.
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
    key: str = ""

    @property
    def dosed(self) -> int:
        """Number of images of the dose, which are the last ones of `training`."""
        return 0 if self.dosage is None else self.dosage.rows

    @property
    def targets(self) -> Float[Tensor, "n classes"]:
        """Target probabilities of each image: its label, or the soft labels of the dose."""
        targets = one_hot(self.training.labels.cpu(), len(self.classes)).float()
        if self.soft is not None:
            targets[len(targets) - len(self.soft) :] = torch.from_numpy(self.soft)
        return targets


class ClassifierSteps:
    """Takes one step of a training after the other, without waiting for the device."""

    def __init__(self, task: ClassifierTask, fabric: Fabric) -> None:
        config, labels = task.config, task.training.labels.cpu().numpy()
        self.task, self.fabric = task, fabric
        torch.manual_seed(derive_seed(task.seed, "weights"))
        cut = (task.training.side, task.crop, task.margin)
        self.spec = ClassifierSpec.of(config, task.classes, *cut)
        self.classifier = build_classifier(config, self.spec, task.mean, task.std)
        suit_cpu(self.classifier)
        self.classifier.to(memory_format=torch.channels_last).to(fabric.device)
        self.optimizer = rates_on(fabric.device, _optimizer(config, self.classifier))
        self.ema = Ema(self.classifier, config.ema) if config.ema else None
        self.step, self.kept_images, self.kept_score, self.seconds = 0, 0, -1.0, 0.0
        self.total = max(1, round(config.images / config.batch))
        """Number of steps of the whole training."""
        self.losses = RunningMeans()
        """Mean loss since the last validation."""
        self.frozen: bool | None = None
        """Whether the backbone is frozen; None while the network is not in training mode."""
        self.planned = phases(labels, task.sampling, task.dosage)
        self.criterion = Criterion(
            task.loss,
            labels,
            len(task.classes),
            self.planned[0].weights,
            config.label_smoothing,
            fabric.device,
            task.dosed,
        )
        order, augmentation = (
            derive_seed(task.seed, purpose) for purpose in ("order", "augmentation")
        )
        self._order = PhasedOrder(len(task.training), order, self.planned)
        self._random = StepRandom(fabric.device, augmentation)
        self._feed = Feed(task.training, config.batch)
        self._taught = task.targets.to(fabric.device)
        self._run = Replayed(self._random, [self.optimizer])

    @property
    def kept(self) -> Classifier:
        """The network that is validated and kept: the moving average, or the weights themselves."""
        return self.classifier if self.ema is None else self.ema.module  # type: ignore[return-value]

    def take(self) -> None:
        """Take one step: what changes is set first, for the rest may be a recorded step."""
        batch = self.task.config.batch
        self._feed.show(self._order.batch(self.step * batch, batch, self.step / self.total))
        self._random.at(self.step)
        self._set_phase((self.step + 0.5) / self.total)
        self._run("head" if self.frozen else "network", self._update)
        self.step += 1

    def state_dict(self) -> dict[str, Any]:
        """Everything that a resume needs."""
        return {
            "classifier": self.classifier.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "ema": None if self.ema is None else self.ema.state_dict(),
            "step": self.step,
            "kept_images": self.kept_images,
            "kept_score": self.kept_score,
            "seconds": self.seconds,
            "losses": self.losses.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.classifier.load_state_dict(state["classifier"])
        load_optimizer(self.optimizer, state["optimizer"])
        if self.ema is not None:
            self.ema.load_state_dict(state["ema"])
        self.losses.load_state_dict(state["losses"], self.fabric.device)
        for name in ("step", "seconds", "kept_images", "kept_score"):
            setattr(self, name, state[name])

    def _set_phase(self, fraction: float) -> None:
        """Set learning rates, the decay of the average and, where they change, modes."""
        config = self.task.config
        frozen = fraction < config.frozen_fraction
        backbone, head = self.optimizer.param_groups
        rate = config.rate * warmed_up(config.schedule, fraction, config.warmup)
        set_rate(head, rate)
        set_rate(backbone, rate * config.backbone_rate)
        if self.ema is not None:
            self.ema.at(self.step)
        if frozen == self.frozen:
            return
        self.frozen = frozen
        # A frozen backbone also keeps its batch-norm statistics.
        self.classifier.train(not frozen)
        for parameter in backbone["params"]:
            parameter.requires_grad_(not frozen)
        if frozen:
            self.classifier.head.train()

    def _update(self) -> None:
        """Update the network on augmented images, and its average if there is one."""
        images, _ = self._feed.batch()
        taught, random = self._taught[self._feed.rows], self._random.generator
        images, targets = POLICIES[self.task.policy](images, taught, random)
        with self.fabric.autocast():
            members = self.classifier.members(images).float()
        losses = [self.criterion(logits, targets, self._feed.rows) for logits in members]
        loss = torch.stack(losses).sum()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        if self.ema is not None:
            self.ema.update()
        self.losses.add({"loss": loss.detach() / len(members)})


def _optimizer(config: ClassifierConfig, classifier: Classifier) -> Optimizer:
    head = list(classifier.head.parameters())
    mine = {id(parameter) for parameter in head}
    backbone = [p for p in classifier.parameters() if id(p) not in mine]
    groups: list[dict[str, Any]] = [{"params": backbone}, {"params": head}]
    if config.optimizer == "adamw":
        return AdamW(groups, lr=config.rate, weight_decay=config.weight_decay, fused=True)
    decay = config.weight_decay
    return SGD(groups, config.rate, 0.9, weight_decay=decay, nesterov=True, fused=True)
