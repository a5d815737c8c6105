"""What a run left on disk, read back for the report: one frozen object, no live model."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from dermaug.config import Experiment
from dermaug.data.catalog import Catalog
from dermaug.data.splits import Fold


@dataclass(frozen=True, eq=False)
class GeneratorResult:
    """One trained generator and the images it gave.

    Args:
        family: Key of the generator family, for example dcgan.
        label: Class it was trained on.
        fold: Index of the fold.
        seed: Generator seed.
        folder: Where its checkpoint, journal and sample grids lie.
        manifest: Its `manifest.json`: images shown, seconds, parameters, training ids' count.
        journal: One row a tick: images, seconds and the losses by name.
        samples: Some synthetic images, uint8 (n, height, width, 3).
    """

    family: str
    label: str
    fold: int
    seed: int
    folder: Path
    manifest: Mapping[str, Any]
    journal: pd.DataFrame
    samples: UInt8[np.ndarray, "n h w 3"]


@dataclass(frozen=True, eq=False)
class TrialResult:
    """One trained classifier: an arm x model x fold x seed.

    Args:
        arm: Name of the arm.
        model: Key of the classifier.
        fold: Index of the fold.
        seed: Classifier seed.
        generator_seed: Seed of the generators whose images, or whose critic, it was given; None
            without any.
        folder: Where its checkpoint and journal lie.
        manifest: Its `manifest.json`: images shown, seconds, best step, real and synthetic images
            by class (`train_counts`: label -> {real, synthetic}), parameters. A generator's
            critic, which no trial trained, has `critic` instead of images, seconds and best step.
        journal: One row a validation; none of a critic: images, seconds, train_loss, rate,
            validation_balanced_accuracy, validation_loss.
        predictions: One row an image: image_id, lesion_id, group (what no split parts: the patient
            where the data name one, else the lesion), part (validation or test), label, and
            p_<class> for every class (they sum to 1).
        external: Path of an external data set -> its predictions, likewise, part test.
    """

    arm: str
    model: str
    fold: int
    seed: int
    generator_seed: int | None
    folder: Path
    manifest: Mapping[str, Any]
    journal: pd.DataFrame
    predictions: pd.DataFrame
    external: Mapping[str, pd.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class RunResults:
    """A whole run, finished or not.

    Args:
        folder: The run's folder.
        experiment: What was asked.
        manifest: The run's `run.json`: command, version, started and finished (ISO 8601), device,
            machine (cpu, cores, memory_gib, gpu, platform), versions of packages.
        catalog: The data set as used.
        images: Its pixels in the catalog's order, uint8 (n, size, size, 3).
        skipped: Files left out by `on_bad = "skip"`: path -> reason.
        folds: The folds that are run.
        generators: Finished generators.
        trials: Finished trials.
        num_jobs: Number of generators and of trials the experiment asks for, with as many lesions.
        lesions: Lesions a class in the training parts; 0 is all.
        reduced: The same study on fewer lesions, from the most to the fewest; the points of the
            data-size curve below this one.
    """

    folder: Path
    experiment: Experiment
    manifest: Mapping[str, Any]
    catalog: Catalog
    images: UInt8[np.ndarray, "n h w 3"]
    skipped: Mapping[str, str]
    folds: tuple[Fold, ...]
    generators: tuple[GeneratorResult, ...]
    trials: tuple[TrialResult, ...]
    num_jobs: tuple[int, int]
    lesions: int = 0
    reduced: tuple["RunResults", ...] = ()

    @property
    def compared(self) -> Self:
        """The run without trials that only measure convergence, which are compared with none."""
        names = {arm.name for arm in self.experiment.compared_arms}
        return replace(
            self,
            trials=tuple(trial for trial in self.trials if trial.arm in names),
            reduced=tuple(point.compared for point in self.reduced),
        )
