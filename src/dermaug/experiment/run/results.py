"""The results of a run, read from disk for scoring and the report, without live models."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from dermaug.config import Experiment
from dermaug.config.translation import Translation
from dermaug.data.catalog import Catalog
from dermaug.data.image_rows import Pixels
from dermaug.data.splits import Fold
from dermaug.experiment.plan.enumeration import ALL_CLASSES
from dermaug.experiment.run.records import CurationEntry, GeneratorRecord, RunRecord, TrialRecord


@dataclass(frozen=True, eq=False)
class GeneratorResult:
    """One class of a trained generator, with some of its images.

    Args:
        label: The class; a conditional generator has several.
        folder: Folder of its checkpoint, journal and sample grids.
        journal: One row per tick: images, seconds and the losses by name.
        samples: Some synthetic images drawn from noise, uint8 (n, height, width, 3).
        translated: Some images of each set in which it drew the class from training images.
    """

    record: GeneratorRecord
    label: str
    folder: Path
    journal: pd.DataFrame
    samples: UInt8[np.ndarray, "n h w 3"]
    translated: Mapping[Translation, UInt8[np.ndarray, "n h w 3"]] = field(default_factory=dict)

    @property
    def family(self) -> str:
        """Key of the generator, for example dcgan."""
        return self.record.family

    @property
    def drawn_classes(self) -> str:
        """What the whole network draws: its class, or `all classes` if it is conditional."""
        return "all classes" if self.record.label == ALL_CLASSES else self.record.label

    @property
    def fold(self) -> int:
        """Index of the fold."""
        return self.record.fold

    @property
    def seed(self) -> int:
        """Generator seed."""
        return self.record.seed


@dataclass(frozen=True, eq=False)
class TrialResult:
    """One trained classifier: an arm x model x fold x seed.

    Args:
        folder: Folder of its checkpoint and journal.
        journal: One row per validation: images, seconds, train_loss, rate,
            validation_balanced_accuracy, validation_loss; empty for a discriminator.
        predictions: One row per image: image_id, lesion_id, group (the unit that stays in one
            split: the patient if the data name one, otherwise the lesion), part (validation or
            test), label, and p_<class> for every class (they sum to 1).
        external: Path of an external data set -> its predictions in the same form, with part test.
    """

    record: TrialRecord
    folder: Path
    journal: pd.DataFrame
    predictions: pd.DataFrame
    external: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def arm(self) -> str:
        """Name of the arm."""
        return self.record.arm.name

    @property
    def model(self) -> str:
        """Key of the classifier."""
        return self.record.model

    @property
    def fold(self) -> int:
        """Index of the fold."""
        return self.record.fold

    @property
    def seed(self) -> int:
        """Classifier seed."""
        return self.record.seed

    @property
    def generator_seed(self) -> int | None:
        """Seed of the generators whose images or discriminator it uses, if any."""
        return self.record.generator_seed


@dataclass(frozen=True, eq=False)
class RunResults:
    """A whole run, finished or not.

    Args:
        record: The run's `run.json`.
        catalog: The data set as used.
        images: Its pixels in the catalog's order, uint8 (n, size, size, 3).
        num_jobs: Number of generators and of trials in the experiment, at this number of lesions.
        lesions: Lesions per class in the training splits; 0 is all.
        reduced: The smaller points of the data-size curve, from the most lesions to the fewest.
    """

    folder: Path
    experiment: Experiment
    record: RunRecord
    catalog: Catalog
    images: Pixels
    folds: tuple[Fold, ...]
    generators: tuple[GeneratorResult, ...]
    trials: tuple[TrialResult, ...]
    num_jobs: tuple[int, int]
    lesions: int = 0
    reduced: tuple["RunResults", ...] = ()

    def trials_of(self, model: str, arm: str | None = None) -> list[TrialResult]:
        """Finished trials of a classifier: of one arm, or of all."""
        return [trial for trial in self.trials if trial.model == model and arm in (None, trial.arm)]

    @property
    def is_finished(self) -> bool:
        """Whether all generators and trials are done, at this number of lesions."""
        generators, trials = self.num_jobs
        return len(self.trials) >= trials and len(self.networks) >= generators

    @property
    def networks(self) -> tuple[GeneratorResult, ...]:
        """The finished generators, each network once, whatever the number of its classes."""
        return tuple({one.folder: one for one in self.generators[::-1]}.values())[::-1]

    @property
    def arms(self) -> list[str]:
        """Names of the arms that are compared, in the experiment's order."""
        return [arm.name for arm in self.experiment.compared_arms]

    @property
    def dosed(self) -> set[str]:
        """Names of the arms with generated images."""
        return {arm.name for arm in self.experiment.arms if arm.is_synthetic}

    @property
    def curation(self) -> dict[tuple[str, str], list[CurationEntry]]:
        """(arm, label) -> what its curation left of the class, one entry for each trial."""
        found: dict[tuple[str, str], list[CurationEntry]] = {}
        for trial in self.trials:
            for label, entry in trial.record.curation.items():
                found.setdefault((trial.arm, label), []).append(entry)
        return found

    @property
    def compared(self) -> Self:
        """The run without trials that only measure convergence, which are not compared."""
        names = self.arms
        return replace(
            self,
            trials=tuple(trial for trial in self.trials if trial.arm in names),
            reduced=tuple(point.compared for point in self.reduced),
        )
