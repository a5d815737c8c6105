"""What is inspected, opened: a generator, a synthetic set or foreign images, and the real images.

Each is found by its path and, where it lies in a run folder, checked against that run.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8

from dermaug.config import DataConfig
from dermaug.config.data import Reading
from dermaug.data.catalog import Catalog
from dermaug.data.containers import is_folder
from dermaug.data.dataset import open_alike, open_dataset, read_otherwise, read_pixels
from dermaug.data.decoding import read_square
from dermaug.data.fold_files import read_folds
from dermaug.data.image_files import BadImageError
from dermaug.data.image_folders import files_below
from dermaug.data.pixels import PixelStore
from dermaug.data.splits import Fold, reduce_training
from dermaug.data.squares import resize_square
from dermaug.errors import DermaugError
from dermaug.experiment.run.artefacts import StoredClassifier, find_generator, recorded_set
from dermaug.experiment.run.contents import refuse_other_content
from dermaug.experiment.run.data import decoded, joined, twins_of
from dermaug.experiment.run.identity import moved_data, read_run_experiment, refuse_other_data
from dermaug.experiment.run.layout import RunFolder, run_above
from dermaug.files import read_json
from dermaug.generators.family import Family
from dermaug.generators.saved_generator import GeneratorSpec, load_family
from dermaug.synthesis.synthetic_set import MANIFEST, Provenance

SIZE = 64


@dataclass(frozen=True, eq=False)
class GivenImages:
    """The synthetic images under audit.

    Args:
        images: Images of one size.
        labels: Label of each image.
        names: Name of each image; of a set of dermaug's, its row.
        provenance: Their origin; None if the set does not record it.
    """

    images: UInt8[np.ndarray, "n s s 3"]
    labels: np.ndarray
    names: np.ndarray
    provenance: Provenance | None


@dataclass(frozen=True, eq=False)
class Subject:
    """A generator and the known facts on its training.

    Args:
        path: Its checkpoint.
        family: Its networks, in evaluation mode.
        spec: Its specification.
        run: Folder of its run; None if it is not in a run folder.
        store: The decoded data; None if they are not available.
        fold: The fold on which it was trained, with its training split reduced in the same way;
            None without run or data.
    """

    path: Path
    family: Family
    spec: GeneratorSpec
    run: RunFolder | None
    store: PixelStore | None
    fold: Fold | None

    @property
    def training(self) -> tuple[UInt8[np.ndarray, "n s s 3"], Catalog]:
        """The training images of the generator, and their catalog.

        Raises:
            DermaugError: The data are not available, or lack one of the images.
        """
        if self.store is None:
            raise DermaugError("expected the training data of the generator; pass --data")
        rows = self.store.catalog.rows(self.spec.training_images)
        return np.asarray(self.store.images[rows]), self.store.catalog.take(rows)


def open_subject(generator: Path, data: Path | None, device: torch.device) -> Subject:
    """Load a generator, its run's folds, and its data.

    Args:
        generator: `generator.safetensors`, or the folder that contains it.
        data: The data set; None takes the one of the run.
        device: Device of the networks.

    Raises:
        DermaugError: There is no generator, the data are not those of the run, or cannot be read.
    """
    path = find_generator(generator)
    family, spec = load_family(path, device)
    run = run_above(path)
    if run is not None:
        return Subject(path, family, spec, run, *_of_run(run, spec, data))
    config = DataConfig(source=str(data), size=spec.size)
    store = None if data is None else read_pixels(open_dataset(config), config)
    return Subject(path, family, spec, None, store, None)


def read_given(
    path: Path, size: int | None, labels: Mapping[str, str], label: str = ""
) -> GivenImages:
    """Open synthetic images of any origin.

    Args:
        path: A set of dermaug's, or any layout that `open_catalog` reads.
        size: Side to which they are scaled; None keeps that of a set of dermaug and takes 64 for
            other images.
        labels: Label of other images -> class, "" to leave it out.
        label: Class of all images below the path, which then needs no layout.

    Raises:
        DermaugError: The path is neither, holds no image, or has other classes than `label`.
    """
    manifest = read_json(path / MANIFEST) if (path / MANIFEST).is_file() else None
    # Other tools may write any content to a file of this name.
    if isinstance(manifest, dict) and "training_images" in manifest:
        synthetic = recorded_set(path)
        if label and label not in (own := sorted(set(map(str, synthetic.labels)))):
            raise DermaugError(
                f"{path}: expected a set of images of {label}, as --label says, found one of "
                f"{', '.join(own)}; leave the option out, or audit the set by itself"
            )
        images = np.asarray(synthetic.images)
        if size is not None and images.shape[1] != size:
            images = np.stack([resize_square(image, size) for image in images])
        names = np.arange(len(images)).astype(str).astype(object)
        return GivenImages(images, np.asarray(synthetic.labels), names, synthetic.provenance)
    if label:
        return _flat(path, size or SIZE, label)
    config = DataConfig(source=str(path), size=size or SIZE).with_labels(labels)
    store = read_pixels(open_alike(config, path), config)
    classes = store.catalog.table["label"].to_numpy(dtype=object)
    return GivenImages(np.asarray(store.images), classes, store.catalog.image_ids, None)


def _flat(path: Path, size: int, label: str) -> GivenImages:
    files = files_below(path) if is_folder(path) else []
    if not files:
        raise DermaugError(f"{path}: expected a folder of images of {label}, found none")
    try:
        squares = [read_square(Path(file), size).pixels for file in files]
    except BadImageError as error:
        raise DermaugError(f"{error.path}: not a valid image ({error.reason})") from None
    names = np.array([os.path.relpath(file, path) for file in files], dtype=object)
    return GivenImages(np.stack(squares), np.full(len(files), label, object), names, None)


def real_images(
    data: Path,
    given: GivenImages,
    stored: StoredClassifier | None,
    run: RunFolder | None,
    reading: Reading,
) -> PixelStore:
    """Decode the real images as the judge sees them, at the size of the synthetic ones.

    Args:
        data: The real images.
        given: The synthetic ones.
        stored: The judge, if it is a classifier of a run.
        run: The run of the synthetic images or of the judge.
        reading: How their table is read: labels besides those of the judge, and columns; without
            any, those of the judge where the table has them.

    Raises:
        DermaugError: A class has no real image, or images have other content than in the run.
    """
    config = stored.record.data if stored else DataConfig()
    config = config.model_copy(update={"source": str(data), "size": given.images.shape[1]})
    config = read_otherwise(config, data, reading)
    catalog = open_alike(config, data, asked=reading.labels)
    if unknown := sorted(set(given.labels) - set(catalog.classes)):
        raise DermaugError(
            f"{data}: expected real images of each synthetic class to compare with, found none of "
            f"{', '.join(unknown)}; it has {', '.join(catalog.classes)}"
        )
    store = read_pixels(catalog, config)
    if run is not None:
        refuse_other_content(run.path, str(data), store)
    return store


def _of_run(run: RunFolder, spec: GeneratorSpec, data: Path | None) -> tuple[PixelStore, Fold]:
    """A run's data at a generator's size, and the fold with its key, reduced if its run's was.

    Raises:
        DermaugError: The data are not those of the run, or it has no such fold.
    """
    experiment = moved_data(run.path, read_run_experiment(run.path), data)
    sized = experiment.data.model_copy(update={"size": spec.size})
    store = decoded(experiment.model_copy(update={"data": sized}))
    refuse_other_data(run.path, store)
    store = joined(store, twins_of(store, run.path))
    for whole in read_folds(run.folds):
        for lesions in experiment.splits.sizes:
            fold = reduce_training(store.catalog, whole, lesions, experiment.splits.seed)
            if fold.key == spec.fold_key:
                return store, fold
    raise DermaugError(
        f"{run.folds}: expected the fold that the generator was trained on (key {spec.fold_key}), "
        "found none; the generator belongs to another run"
    )
