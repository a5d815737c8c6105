"""A generator's discriminator as the classifier of a trial, without further training."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from dermaug.classifiers.criterion import shown_shares
from dermaug.classifiers.trained import TrainedClassifier
from dermaug.data.splits import Fold
from dermaug.errors import DermaugError
from dermaug.experiment.plan.jobs import ClassifierJob
from dermaug.experiment.run.artefacts import recorded_checkpoint
from dermaug.experiment.run.run import Run
from dermaug.generators.family import Family
from dermaug.generators.saved_generator import load_family
from dermaug.synthesis.synthetic_set import Provenance, refuse_leakage
from dermaug.training.checkpoint import checkpoint_digest
from dermaug.training.order import class_weights


class Discriminator(nn.Module):
    """A family's discriminator with the interface of a classifier.

    Args:
        family: A family whose discriminator predicts classes.
        order: Index of each of the study's classes among the family's classes.
    """

    def __init__(self, family: Family, order: list[int]) -> None:
        super().__init__()
        self.family, self.order = family, order

    def forward(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b classes"]:
        """Logits of each class for images in [0, 1]."""
        logits = self.family.class_logits(images * 2.0 - 1.0)
        if logits is None:
            raise DermaugError("expected a generator whose discriminator predicts classes")
        return logits[:, self.order]


def borrow_discriminator(
    run: Run, job: ClassifierJob, fold: Fold, device: torch.device
) -> tuple[Discriminator, TrainedClassifier]:
    """Use the discriminator of a trial's generator as its classifier.

    Raises:
        DermaugError: The generator was trained on images outside the fold's training split.
    """
    (key,) = job.generators
    path = recorded_checkpoint(run.job(key).generator)
    family, spec = load_family(path, device)
    digest = checkpoint_digest(path)
    provenance = Provenance(
        job.mixture.discriminator, digest, 0, spec.fold_key, spec.training_images
    )
    refuse_leakage(provenance, fold.key, fold.train, job.key)
    order = [spec.classes.index(label) for label in run.catalog.classes]
    # Its class head learns from real images and from generated ones of the same classes.
    labels = run.catalog.labels[run.catalog.rows(spec.training_images)]
    shares = shown_shares(np.eye(len(order))[labels], class_weights(labels, spec.config.sampling))
    shown = dict(zip(run.catalog.classes, shares.tolist(), strict=True))
    return Discriminator(family, order), TrainedClassifier(digest, shown, shown, None, key)
