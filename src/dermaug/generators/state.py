"""The task, the state and the result of one generator training."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric

from dermaug.data.image_bank import ImageBank
from dermaug.generators import build_family
from dermaug.generators.family import Family
from dermaug.generators.health import Vitals
from dermaug.generators.saved_generator import GeneratorSpec
from dermaug.seeding import derive_seed
from dermaug.training.batch_statistics import share_statistics
from dermaug.training.convolutions import suit_cpu
from dermaug.training.ema import Ema
from dermaug.training.means import RunningMeans
from dermaug.training.optimizers import load_optimizer
from dermaug.training.ranks import ALONE, Ranks


@dataclass(frozen=True, eq=False)
class GeneratorTask:
    """The task of training one generator.

    Args:
        title: Title of the progress bar.
        spec: Family, size, classes and fold of the generator.
        training: Images of the fold's training split, of the spec's classes only; labels are
            indices into `spec.classes`.
        seed: Seed derived from family, class, fold and generator seed.
        folder: Folder for checkpoint, journal and grids.
        validation: Images of other lesions of the same classes, never of the test split, with
            which snapshots are compared; None compares nothing and keeps the last snapshot.
        groups: Lesion of each training image and of each validation image; None treats every
            image as a lesion of its own.
        ranks: The processes that train it together.
        key: Tells it from other trainings, whose checkpoints it does not resume from.
    """

    title: str
    spec: GeneratorSpec
    training: ImageBank
    seed: int
    folder: Path
    validation: ImageBank | None = None
    groups: tuple[np.ndarray, np.ndarray] | None = None
    ranks: Ranks = ALONE
    key: str = ""


@dataclass(frozen=True)
class TrainedGenerator:
    """The result of a training.

    Args:
        images: Real images shown.
        kept_images: Real images shown at the snapshot that is kept.
        vitals: Health of that snapshot; None if it was not measured.
        diagnosis: Why the training was stopped, in words; "" if it was completed.
        seconds: Time spent, summed over all resumes.
        parameters: Number of the sampler's weights.
        digest: Digest of the checkpoint.
    """

    images: int
    kept_images: int
    vitals: Vitals | None
    diagnosis: str
    seconds: float
    parameters: int
    digest: str


class State:
    """The state of a training, which is stored in the checkpoint for a resume."""

    def __init__(self, task: GeneratorTask, fabric: Fabric) -> None:
        torch.manual_seed(derive_seed(task.seed, "weights"))
        self.family: Family = build_family(task.spec.config, task.spec.size, len(task.spec.classes))
        self.family.prepare()
        self.family.to(memory_format=torch.channels_last).to(fabric.device)
        # Copied before `suit_cpu`, so that images are always drawn by the same computation.
        self.ema = Ema(self.family.sampler, task.spec.config.ema)
        suit_cpu(self.family)
        share_statistics(self.family, task.ranks)
        self.family.ranks = task.ranks
        self.step, self.seconds = 0, 0.0
        self.vitals: list[Vitals] = []
        self.losses = RunningMeans()
        """Means of the family's curves since the last snapshot."""
        self._device = fabric.device

    def state_dict(self) -> dict[str, Any]:
        """Everything that a resume needs."""
        optimizers = {key: item.state_dict() for key, item in self.family.optimizers.items()}
        return {
            "family": self.family.state_dict(),
            "optimizers": optimizers,
            "ema": self.ema.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "losses": self.losses.state_dict(),
            "vitals": [asdict(vitals) for vitals in self.vitals],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.family.load_state_dict(state["family"])
        for key, optimizer in self.family.optimizers.items():
            load_optimizer(optimizer, state["optimizers"][key])
        self.ema.load_state_dict(state["ema"])
        self.step, self.seconds = state["step"], state["seconds"]
        self.losses.load_state_dict(state["losses"], self._device)
        self.vitals = [Vitals(**vitals) for vitals in state["vitals"]]
