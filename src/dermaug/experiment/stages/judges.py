"""Judges of images: networks that compute features and, where they can, predict the class."""

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
    """The network that assesses all images of an audit.

    Args:
        name: Name of its features for the reader.
        extractor: Module that computes the features.
        standard: Whether published numbers use these features; they are then not rescaled.
        classifier: The same network as a classifier; None if it does not predict classes.
        classes: Labels in the order of the classifier's outputs.
        size: Side of its training images in pixels; None accepts any size.
        views: Number of orientations of an image over which the classifier averages.
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
        """Index of the predicted class in `classes` for each image; -1 without a classifier."""
        if self.classifier is None:
            return np.full(len(images), -1)
        return np.asarray(self.probabilities(images).argmax(axis=1))

    def probabilities(self, images: UInt8[np.ndarray, "n h w 3"]) -> Float[np.ndarray, "n classes"]:
        """Probability of each of `classes`, for each image.

        Raises:
            DermaugError: The judge is not a classifier.
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
            DermaugError: The judge is not a classifier, or does not predict the class.
        """
        if label not in self.classes:
            raise DermaugError(
                f"{self.name} does not predict {label}; its classes are {self.classes}"
            )
        return self.probabilities(images)[:, self.classes.index(label)]


def classifier_judge(checkpoint: Path, device: torch.device) -> Judge:
    """A trained classifier: the features of its last layer, and its predicted class.

    Raises:
        DermaugError: The file is not a complete checkpoint of a classifier.
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
        DermaugError: The backbone or its weights cannot be loaded.
    """
    backbone = load_backbone(
        name, weights, options=options, layers=layers, expect_missing=expect_missing
    )
    where = f" ({', '.join(layers)})" if layers else ""
    return Judge(f"{name}{where}", backbone.to(device), device)


def inception_judge(weights: Path | None, device: torch.device) -> Judge:
    """Inception, the network behind published FID and KID.

    Raises:
        DermaugError: The extra `fidelity` is not installed, or the weights cannot be loaded.
    """
    return Judge("Inception", load_inception(weights).to(device), device, standard=True)
