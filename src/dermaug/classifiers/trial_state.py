"""The task, the state and the result of one classifier training."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from lightning_fabric import Fabric
from torch.optim import SGD, AdamW, Optimizer

from dermaug.classifiers.model import Classifier, ClassifierSpec, build_classifier
from dermaug.config import ClassifierConfig
from dermaug.data.decoding import Crop
from dermaug.data.image_bank import ImageBank
from dermaug.seeding import derive_seed
from dermaug.training.convolutions import suit_cpu
from dermaug.training.ema import Ema
from dermaug.training.means import RunningMeans
from dermaug.training.optimizers import load_optimizer, rates_on
from dermaug.training.order import Dosage


@dataclass(frozen=True, eq=False)
class ClassifierTask:
    """The task of training one classifier.

    Args:
        title: Title of the progress bar.
        config: Network and training.
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


@dataclass(frozen=True)
class TrainedClassifier:
    """The result of a training.

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


class TrialState:
    """The state of a training, which is stored in the checkpoint for a resume."""

    def __init__(self, task: ClassifierTask, fabric: Fabric) -> None:
        torch.manual_seed(derive_seed(task.seed, "weights"))
        cut = (task.training.side, task.crop, task.margin)
        self.spec = ClassifierSpec.of(task.config, task.classes, *cut)
        self.classifier = build_classifier(task.config, self.spec, task.mean, task.std)
        suit_cpu(self.classifier)
        self.classifier.to(memory_format=torch.channels_last).to(fabric.device)
        self.optimizer = rates_on(fabric.device, _optimizer(task.config, self.classifier))
        self.ema = Ema(self.classifier, task.config.ema) if task.config.ema else None
        self.step, self.kept_images, self.kept_score, self.seconds = 0, 0, -1.0, 0.0
        self.losses = RunningMeans()
        """Mean loss since the last validation."""
        self._device = fabric.device
        self.frozen: bool | None = None
        """Whether the backbone is frozen; None while the network is not in training mode."""

    @property
    def kept(self) -> Classifier:
        """The network that is validated and kept: the moving average, or the weights themselves."""
        return self.classifier if self.ema is None else self.ema.module  # type: ignore[return-value]

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
        self.step, self.seconds = state["step"], state["seconds"]
        self.losses.load_state_dict(state["losses"], self._device)
        self.kept_images, self.kept_score = state["kept_images"], state["kept_score"]


def _optimizer(config: ClassifierConfig, classifier: Classifier) -> Optimizer:
    head = list(classifier.head.parameters())
    mine = {id(parameter) for parameter in head}
    backbone = [p for p in classifier.parameters() if id(p) not in mine]
    groups: list[dict[str, Any]] = [{"params": backbone}, {"params": head}]
    if config.optimizer == "adamw":
        return AdamW(groups, lr=config.rate, weight_decay=config.weight_decay, fused=True)
    decay = config.weight_decay
    return SGD(groups, config.rate, 0.9, weight_decay=decay, nesterov=True, fused=True)
