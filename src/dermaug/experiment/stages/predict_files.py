"""Predict image files and folders, cropped like the classifier's training images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float
from lightning_fabric import Fabric

from dermaug.classifiers.inference import predict
from dermaug.classifiers.model import ClassifierSpec, load_classifier
from dermaug.data.containers import is_folder
from dermaug.data.contents import Contents
from dermaug.data.decoding import Square, read_square
from dermaug.data.image_bank import ImageBank
from dermaug.data.image_files import BadImageError
from dermaug.data.image_folders import MASK_FOLDER, files_below
from dermaug.data.image_names import MASK_ENDING, SUFFIXES, is_image
from dermaug.errors import DermaugError
from dermaug.evaluation.duplicates import near_between
from dermaug.experiment.run.artefacts import StoredClassifier
from dermaug.experiment.run.contents import read_remembered
from dermaug.experiment.run.layout import run_above

OTHER_KIND = f"no image with {', '.join(sorted(SUFFIXES))}"
"""Why a file is skipped that is not even opened."""


@dataclass(frozen=True, eq=False)
class Predicted:
    """Predictions of some image files.

    Args:
        probabilities: One row per image, one column per class of `spec`.
        skipped: (file, reason) of what is no image.
        contents: What the images look like, by which those of a run are known.
    """

    images: tuple[Path, ...]
    probabilities: Float[np.ndarray, "n classes"]
    spec: ClassifierSpec
    skipped: tuple[tuple[str, str], ...]
    contents: Contents

    @property
    def table(self) -> pd.DataFrame:
        """One row per image: file, most probable label, and a column of probabilities per class."""
        table = pd.DataFrame(self.probabilities, columns=list(self.spec.classes))
        labels = [self.spec.classes[place] for place in self.probabilities.argmax(axis=1)]
        table.insert(0, "label", labels)
        # As objects: pandas' strings cannot hold names that are not UTF-8.
        names = pd.Series([str(path) for path in self.images], dtype=object)
        table.insert(0, "file", names)
        return table


def predict_paths(
    checkpoint: Path, paths: Sequence[Path], fabric: Fabric, masks: Path | None = None
) -> Predicted:
    """Predict the class probabilities of image files and of all images below folders.

    Folders may be archives. What is no image is skipped. Other arguments as for `predict_files`.

    Raises:
        DermaugError: Raised by `predict_files`, or none of the files is an image.
    """
    classifier, spec = load_classifier(checkpoint)
    images, others = _gathered(paths)
    found = _masks_of(checkpoint, images, spec, masks)
    squares: list[Square] = []
    kept, skipped = [], [(name, OTHER_KIND) for name in others]
    for path, mask in zip(images, found, strict=True):
        try:
            square = read_square(
                path, spec.size, crop=spec.crop, margin=spec.margin, mask_path=mask or ""
            )
            if spec.crop == "lesion" and not square.cropped:
                raise BadImageError(str(mask), "the segmentation marks no pixel")
            squares.append(square)
            kept.append(path)
        except BadImageError as error:
            skipped.append((error.path, error.reason))
    if not squares:
        number = len(skipped)
        raise DermaugError(
            f"{number} of {number} files are not valid images"
            if number
            else "expected images to predict, found only empty folders",
            [f"{name}: {reason}" for name, reason in skipped],
        )
    pixels = np.stack([square.pixels for square in squares])
    bank = ImageBank.of(pixels, np.zeros(len(squares), dtype=np.int64), fabric.device)
    probabilities = predict(classifier.to(fabric.device), bank, views=spec.views)
    contents = Contents.of(square.signature for square in squares)
    return Predicted(tuple(kept), probabilities, spec, tuple(skipped), contents)


def predict_files(
    checkpoint: Path, images: Sequence[Path], fabric: Fabric, masks: Path | None = None
) -> tuple[Float[np.ndarray, "n classes"], ClassifierSpec]:
    """Predict the class probabilities of some image files, each of which must be an image.

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
    found = predict_paths(checkpoint, images, fabric, masks)
    if found.skipped:
        raise DermaugError(
            f"{len(found.skipped)} of {len(images)} files are not valid images",
            [f"{name}: {reason}" for name, reason in found.skipped],
        )
    return found.probabilities, found.spec


def known_images(stored: StoredClassifier, found: Predicted) -> dict[str, bool]:
    """Find the files that show a photograph of the run's data set.

    Returns:
        File -> whether the photograph is among the classifier's training images, for each file that
        shows one of the run's images: of equal pixels, or a near-duplicate. Empty for a classifier
        outside of its run, which alone stores what its images look like.

    Raises:
        DermaugError: A file of the run is damaged, or the classifier belongs to another one.
    """
    if run_above(stored.path) is None:
        return {}
    remembered, trained = read_remembered(stored.run), set(stored.record.training_images)
    ids = remembered.table["image_id"].to_numpy()
    by_pixels = remembered.table.groupby("pixels")["image_id"].agg(set).to_dict()
    near = near_between(found.contents.details, remembered.details)
    known: dict[str, bool] = {}
    for place, (path, pixels) in enumerate(zip(found.images, found.contents.pixels, strict=True)):
        own = by_pixels.get(pixels, set()) | set(ids[np.asarray(near.second)[near.first == place]])
        if own:
            known[str(path)] = not own.isdisjoint(trained)
    return known


def _gathered(paths: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """Files to decode, and files below folders that are no images by their names."""
    images: list[Path] = []
    others: list[str] = []
    for path in paths:
        if not is_folder(path):
            images.append(path)
            continue
        for name in files_below(path, wanted=lambda _: True):
            if is_image(Path(name).name):
                images.append(Path(name))
            else:
                others.append(name)
    return images, others


def _masks_of(
    checkpoint: Path, images: Sequence[Path], spec: ClassifierSpec, masks: Path | None
) -> list[Path | None]:
    """The segmentation of each image; None where the classifier uses central squares."""
    if spec.crop != "lesion":
        if masks is not None:
            raise DermaugError(
                f"{checkpoint}: this classifier uses central squares; omit --masks, which is for "
                "lesion crops"
            )
        return [None] * len(images)
    found = [_find_mask(path, masks) for path in images]
    lost = [str(image) for image, mask in zip(images, found, strict=True) if mask is None]
    if lost:
        raise DermaugError(
            f"{checkpoint}: trained on lesion crops, but {len(lost)} of {len(images)} images have "
            f"no segmentation; pass a folder with IMAGE{MASK_ENDING} for each: --masks FOLDER",
            lost,
        )
    return found


def _find_mask(image: Path, masks: Path | None) -> Path | None:
    name = f"{image.stem}{MASK_ENDING}"
    above = image.resolve().parent
    places = [masks] if masks else [above / MASK_FOLDER, above.parent / MASK_FOLDER]
    return next((place / name for place in places if (place / name).is_file()), None)
