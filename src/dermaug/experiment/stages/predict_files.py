"""Predict single image files, cropped like the classifier's training images."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from lightning_fabric import Fabric

from dermaug.classifiers.inference import predict
from dermaug.classifiers.model import ClassifierSpec, load_classifier
from dermaug.data.decoding import read_square
from dermaug.data.image_bank import ImageBank
from dermaug.data.image_files import BadImageError
from dermaug.data.sources.images import MASK_ENDING, MASK_FOLDER
from dermaug.errors import DermaugError


def predict_files(
    checkpoint: Path, images: Sequence[Path], fabric: Fabric, masks: Path | None = None
) -> tuple[Float[np.ndarray, "n classes"], ClassifierSpec]:
    """Predict the class probabilities of some image files.

    Args:
        checkpoint: Checkpoint of a classifier.
        images: Image files. They are cropped like the classifier's training images: to the central
            square, or to the lesion by its segmentation.
        fabric: Device.
        masks: Folder of segmentations, each `IMAGE_segmentation.png`; None looks in
            `MASK_FOLDER` beside the image and in the folder above.

    Raises:
        DermaugError: Files are missing or damaged, images have no segmentation although the
            classifier needs one, or segmentations are given that it does not use.
    """
    classifier, spec = load_classifier(checkpoint)
    if masks is not None and spec.crop != "lesion":
        raise DermaugError(
            f"{checkpoint}: this classifier uses central squares; omit --masks, which is for "
            "lesion crops"
        )
    found = [_find_mask(path, masks) for path in images] if spec.crop == "lesion" else None
    if found is not None:
        _require_masks(checkpoint, images, found)
    squares, bad = [], []
    for path, mask in zip(images, found or [None] * len(images), strict=True):
        try:
            squares.append(_square(path, spec, mask))
        except BadImageError as error:
            bad.append(f"{error.path}: {error.reason}")
    if bad:
        raise DermaugError(f"{len(bad)} of {len(images)} files are not valid images", bad)
    labels = np.zeros(len(squares), dtype=np.int64)
    bank = ImageBank.of(np.stack(squares), labels, fabric.device)
    return predict(classifier.to(fabric.device), bank, views=spec.views), spec


def _square(
    path: Path, spec: ClassifierSpec, mask: Path | None
) -> UInt8[np.ndarray, "size size 3"]:
    square = read_square(path, spec.size, crop=spec.crop, margin=spec.margin, mask_path=mask or "")
    if spec.crop == "lesion" and not square.cropped:
        raise BadImageError(str(mask), "the segmentation marks no pixel")
    return square.pixels


def _find_mask(image: Path, masks: Path | None) -> Path | None:
    """The segmentation of an image; None if there is none."""
    name = f"{image.stem}{MASK_ENDING}"
    above = image.resolve().parent
    places = [masks] if masks else [above / MASK_FOLDER, above.parent / MASK_FOLDER]
    return next((place / name for place in places if (place / name).is_file()), None)


def _require_masks(checkpoint: Path, images: Sequence[Path], masks: Sequence[Path | None]) -> None:
    lost = [str(image) for image, mask in zip(images, masks, strict=True) if mask is None]
    if lost:
        raise DermaugError(
            f"{checkpoint}: trained on lesion crops, but {len(lost)} of {len(images)} images have "
            f"no segmentation; pass a folder with IMAGE{MASK_ENDING} for each: --masks FOLDER",
            lost,
        )
