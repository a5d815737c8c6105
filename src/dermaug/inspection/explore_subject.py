"""The subject of an exploration: a generator, with the data and fold of its run."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8

from dermaug.config import DataConfig, Experiment
from dermaug.data.catalog import Catalog
from dermaug.data.dataset import open_dataset, read_pixels
from dermaug.data.pixels import PixelStore
from dermaug.data.splits import Fold, read_folds, reduce_training
from dermaug.errors import DermaugError
from dermaug.experiment.run.artefacts import find_generator
from dermaug.experiment.run.data import joined, twins_of
from dermaug.experiment.run.identity import (
    moved_data,
    read_run_experiment,
    refuse_other_data,
)
from dermaug.experiment.run.layout import RunFolder, run_above
from dermaug.generators.family import Family
from dermaug.generators.saved_generator import GeneratorSpec, load_family


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
    run: Path | None
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
    above = run_above(path)
    run = above.path if above else None
    experiment = moved_data(run, read_run_experiment(run), data) if run else None
    config = _data_config(experiment, data, spec.size)
    if config is None:
        return Subject(path, family, spec, run, None, None)
    grouping = experiment.splits.group if experiment is not None else "auto"
    store = read_pixels(open_dataset(config, grouping), config)
    if run is not None:
        refuse_other_data(run, store)
        store = joined(store, twins_of(store, run))
    fold = _fold_of(run, experiment, store.catalog, spec) if run and experiment else None
    return Subject(path, family, spec, run, store, fold)


def _data_config(experiment: Experiment | None, data: Path | None, size: int) -> DataConfig | None:
    """Configuration of the data; None if no data set is known."""
    if experiment is not None:
        return experiment.data.model_copy(update={"size": size})
    return None if data is None else DataConfig(source=str(data), size=size)


def _fold_of(run: Path, experiment: Experiment, catalog: Catalog, spec: GeneratorSpec) -> Fold:
    """The fold with the generator's key, reduced if the generator is on a data-size curve.

    Raises:
        DermaugError: The run has no such fold.
    """
    for whole in read_folds(RunFolder(run).folds):
        for lesions in experiment.splits.sizes:
            fold = reduce_training(catalog, whole, lesions, experiment.splits.seed)
            if fold.key == spec.fold_key:
                return fold
    raise DermaugError(
        f"{RunFolder(run).folds}: expected the fold that the generator was trained on (key "
        f"{spec.fold_key}), found none; the generator belongs to another run"
    )
