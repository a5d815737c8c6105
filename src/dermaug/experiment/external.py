"""Trained classifiers on other data: single images, or a whole labelled set."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from lightning_fabric import Fabric
from pydantic import ValidationError

from dermaug.classifiers.inference import predict
from dermaug.classifiers.model import Classifier, ClassifierSpec, load_classifier
from dermaug.classifiers.training import CLASSIFIER
from dermaug.config import DataConfig
from dermaug.data.catalog import Catalog
from dermaug.data.dataset import open_labelled
from dermaug.data.decoding import decode_square
from dermaug.data.image_bank import ImageBank
from dermaug.data.image_files import BadImageError
from dermaug.data.pixels import PixelStore
from dermaug.errors import DermaugError
from dermaug.evaluation.discrimination import overall, per_class
from dermaug.experiment.manifests import TrainedManifest
from dermaug.experiment.runs import DONE
from dermaug.files import read_record, read_shaped
from dermaug.training.checkpoint import checkpoint_digest

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class StoredClassifier:
    """A finished cell on disk.

    Args:
        path: Its checkpoint.
    """

    path: Path

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The `manifest.json` beside it: what it was trained on, without which nobody can judge it.

        Raises:
            DermaugError: There is none, it is not whole, or it is another classifier's.
        """
        path = self.path.parent / MANIFEST
        if not path.exists():
            raise DermaugError(
                f"{self.path}: expected {MANIFEST} beside it, which names the images it was "
                "trained on, found none; without it leakage cannot be excluded: take the "
                "classifier's whole folder, not the checkpoint alone"
            )
        record = read_shaped(path, TrainedManifest)
        if record["digest"] != checkpoint_digest(self.path):
            raise DermaugError(
                f"{path}: expected the manifest of {self.path.name} beside it, found another "
                "classifier's; put the two that belong together into one folder"
            )
        return record

    @property
    def name(self) -> dict[str, Any]:
        """Coordinates of the cell, for tables."""
        arm = self.manifest["arm"]["name"]
        return {"arm": arm} | {key: self.manifest[key] for key in ("model", "fold", "seed")}

    @property
    def data(self) -> DataConfig:
        """How its training images were cut and labelled."""
        try:
            return DataConfig.model_validate(self.manifest["data"])
        except ValidationError as error:
            raise DermaugError(
                f"{self.path.parent / MANIFEST}: its data section is none that this version knows",
                [
                    f"data.{'.'.join(map(str, each['loc']))}: {each['msg']}"
                    for each in error.errors()
                ],
            ) from None


def find_classifiers(path: Path) -> list[StoredClassifier]:
    """The classifier of a checkpoint or a cell's folder, or every finished one of a run.

    Raises:
        DermaugError: There is none.
    """
    if path.is_file():
        files = [path]
    elif (path / CLASSIFIER).exists():
        files = [path / CLASSIFIER]
    else:
        cells = sorted(done.parent for done in path.glob(f"classifiers/**/{DONE}"))
        # A generator's critic lies with its generator, not in its cell.
        files = [cell / CLASSIFIER for cell in cells if not _is_critic(cell)]
    if not files:
        raise DermaugError(
            f"{path}: expected a classifier ({CLASSIFIER}), the folder of one, or a run with "
            "finished classifiers; found none"
        )
    return [StoredClassifier(file) for file in files]


def _is_critic(cell: Path) -> bool:
    path = cell / MANIFEST
    return path.exists() and bool(read_record(path).get("critic"))


def predict_files(
    stored: StoredClassifier, images: Sequence[Path], fabric: Fabric
) -> tuple[Float[np.ndarray, "n classes"], ClassifierSpec]:
    """Probabilities of some image files, by the centred square that the classifier was trained on.

    Raises:
        DermaugError: Lists the files that are missing or damaged.
    """
    classifier, spec = load_classifier(stored.path)
    squares, bad = [], []
    for path in images:
        try:
            squares.append(decode_square(path, spec.size))
        except BadImageError as error:
            bad.append(f"{error.path}: {error.reason}")
    if bad:
        raise DermaugError(f"{len(bad)} of {len(images)} files are no sound images", bad)
    labels = np.zeros(len(squares), dtype=np.int64)
    bank = ImageBank.of(np.stack(squares), labels, fabric.device)
    return predict(classifier.to(fabric.device), bank, views=spec.views), spec


def evaluate(
    classifiers: Sequence[StoredClassifier], data: Path, fabric: Fabric, *, skip_known: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score classifiers on a labelled data set that they have not seen.

    Args:
        classifiers: All trained on the same classes, size and crop, as those of one run are.
        data: Anything that `open_catalog` recognises.
        fabric: Device.
        skip_known: Leave out images and lesions that a classifier was trained on, instead of
            refusing.

    Returns:
        One row a classifier: arm, model, fold, seed, images, and each overall metric; and one row
        a classifier and class: sensitivity, specificity, AUC and the others.

    Raises:
        DermaugError: Labels that the classifiers do not know, images they were trained on, or no
            manifest that tells which these are.
    """
    scores, class_scores = [], []
    stores: dict[str, PixelStore] = {}
    for stored in classifiers:
        classifier, spec = load_classifier(stored.path)
        config = stored.data.model_copy(update={"size": spec.size})
        key = config.model_dump_json()
        if key not in stores:
            stores[key] = open_labelled(config, data, spec.classes)
        rows = _unseen(stored, stores[key].catalog, skip_known=skip_known)
        labels, probabilities = _predict(classifier, spec, stores[key], rows, fabric)
        scores.append(stored.name | {"images": len(rows)} | overall(labels, probabilities))
        table = per_class(labels, probabilities, spec.classes)
        class_scores.append(table.assign(**stored.name))
    return pd.DataFrame(scores), pd.concat(class_scores, ignore_index=True)


def _unseen(stored: StoredClassifier, catalog: Catalog, *, skip_known: bool) -> np.ndarray:
    """Rows that the classifier was not trained on, by image and by lesion."""
    known = catalog.table["image_id"].isin(set(stored.manifest["training_images"]))
    known |= catalog.table["lesion_id"].isin(set(stored.manifest["training_lesions"]))
    if known.any() and not skip_known:
        raise DermaugError(
            f"{stored.path.parent}: trained on {int(known.sum())} of these {len(catalog)} images "
            "(or on others of the same lesions); scores would be inflated; "
            "leave them out with --skip-known"
        )
    rows = np.flatnonzero(~known.to_numpy())
    if len(rows) == 0:
        raise DermaugError(f"{stored.path.parent}: it was trained on every image of {catalog.root}")
    return rows


def _predict(
    classifier: Classifier,
    spec: ClassifierSpec,
    store: PixelStore,
    rows: np.ndarray,
    fabric: Fabric,
) -> tuple[np.ndarray, np.ndarray]:
    bank = ImageBank.of(store.images[rows], store.catalog.labels[rows], fabric.device)
    probabilities = predict(classifier.to(fabric.device), bank, views=spec.views)
    return store.catalog.labels[rows], probabilities
