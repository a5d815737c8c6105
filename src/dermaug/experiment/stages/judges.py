"""Who looks at the images: a network that gives features, and a classifier that names the class."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8

from dermaug.classifiers.backbones import load_backbone, load_inception
from dermaug.classifiers.inference import predict
from dermaug.classifiers.model import Classifier, load_classifier
from dermaug.data.image_bank import ImageBank
from dermaug.errors import DermaugError
from dermaug.evaluation.features import Extractor, extract_features
from dermaug.training.checkpoint import checkpoint_digest


@dataclass(frozen=True, eq=False)
class Judge:
    """One network that all images of an audit are shown to.

    Args:
        name: What the reader calls its features.
        extractor: Gives them.
        device: Where it lies.
        standard: Whether published numbers rest on these very features; they are then left in
            their own unit.
        classifier: The same network as a classifier; None when it is none.
        classes: Labels in the order of the classifier's outputs.
        size: Side of the images it was trained on; None takes any.
        views: Orientations of an image whose probabilities the classifier averages.
    """

    name: str
    extractor: Extractor
    device: torch.device
    standard: bool = False
    classifier: Classifier | None = None
    classes: tuple[str, ...] = ()
    size: int | None = None
    views: int = 1

    def features(self, images: UInt8[np.ndarray, "n h w 3"]) -> Float[np.ndarray, "n d"]:
        """Features of some images, one row per image."""
        return extract_features(self.extractor, images, self.device)

    def assigned(self, images: UInt8[np.ndarray, "n h w 3"]) -> Int[np.ndarray, " n"]:
        """Index into `classes` that each image is called; -1 without a classifier."""
        if self.classifier is None:
            return np.full(len(images), -1)
        return np.asarray(self.probabilities(images).argmax(axis=1))

    def probabilities(self, images: UInt8[np.ndarray, "n h w 3"]) -> Float[np.ndarray, "n classes"]:
        """Probability of each of `classes`, for each image.

        Raises:
            DermaugError: No classifier.
        """
        if self.classifier is None:
            raise DermaugError(f"{self.name} does not predict classes")
        bank = ImageBank.of(np.asarray(images), np.zeros(len(images), np.int64), self.device)
        return np.asarray(predict(self.classifier, bank, views=self.views))

    def probability(
        self, images: UInt8[np.ndarray, "n h w 3"], label: str
    ) -> Float[np.ndarray, " n"]:
        """Probability of a class, for each image.

        Raises:
            DermaugError: No classifier, or one that does not know the class.
        """
        if label not in self.classes:
            raise DermaugError(
                f"{self.name} does not predict {label}; its classes are {self.classes}"
            )
        return self.probabilities(images)[:, self.classes.index(label)]


def classifier_judge(checkpoint: Path, device: torch.device) -> Judge:
    """A trained classifier: its last layer's features, and its verdict on the class.

    Raises:
        DermaugError: The file is no whole checkpoint of a classifier.
    """
    classifier, spec = load_classifier(checkpoint)
    classifier.to(device)
    name = f"{spec.model} classifier {checkpoint_digest(checkpoint)[:8]}"
    return Judge(
        name,
        classifier.features,
        device,
        classifier=classifier,
        classes=spec.classes,
        size=spec.size,
        views=spec.views,
    )


def backbone_judge(
    name: str,
    weights: Path | None,
    device: torch.device,
    *,
    options: dict[str, bool | int | float | str] | None = None,
    layers: tuple[str, ...] = (),
    expect_missing: tuple[str, ...] = (),
) -> Judge:
    """A timm backbone; arguments as for `load_backbone`.

    Raises:
        DermaugError: The backbone or its weights cannot be had.
    """
    backbone = load_backbone(
        name, weights, options=options, layers=layers, expect_missing=expect_missing
    )
    where = f" ({', '.join(layers)})" if layers else ""
    return Judge(f"{name}{where}", backbone.to(device), device)


def inception_judge(weights: Path | None, device: torch.device) -> Judge:
    """Inception, on which published FID and KID rest.

    Raises:
        DermaugError: The extra `fidelity` or the weights cannot be had.
    """
    return Judge("Inception", load_inception(weights).to(device), device, standard=True)
