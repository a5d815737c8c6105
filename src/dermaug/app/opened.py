"""What the page shows: a run, its stored scoring, and its networks, loaded when they are used."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8

from dermaug.app.safety import known
from dermaug.data.class_names import class_words
from dermaug.experiment.run.artefacts import recorded_checkpoint, recorded_set
from dermaug.experiment.run.identity import moved_data, read_run_experiment
from dermaug.experiment.run.layout import JobFolder
from dermaug.experiment.run.reading import read_results
from dermaug.experiment.run.results import GeneratorResult, RunResults, TrialResult
from dermaug.experiment.run.run import Run, prepare_run
from dermaug.experiment.stages.judges import Judge
from dermaug.experiment.stages.references import Reference, read_reference
from dermaug.generators.family import Sampler
from dermaug.generators.saved_generator import GeneratorSpec, load_generator
from dermaug.inspection.audit_run import control_job
from dermaug.scoring.scoring import Scoring
from dermaug.synthesis.synthetic_set import SyntheticSet

FOLDER = "app"
"""Folder of the run in which the page saves images, unless another is given."""
Captioned = tuple[UInt8[np.ndarray, "s s 3"], str]
"""An image and what stands beside it, in a few letters."""


@dataclass(frozen=True, eq=False)
class Listed:
    """Images with numbers for captions, and a list of what each is, in Markdown."""

    images: list[Captioned]
    listed: str

    @classmethod
    def of(cls, images: Iterable[UInt8[np.ndarray, "s s 3"]], words: Sequence[str]) -> Self:
        """Number some images and their descriptions from 1."""
        numbered = [(image, str(place)) for place, image in enumerate(images, start=1)]
        lines = (f"{place}. {text}" for place, text in enumerate(words, start=1))
        return cls(numbered, "\n".join(lines))


@dataclass(frozen=True, eq=False)
class Opened:
    """A run that the page shows.

    Args:
        run: The run.
        results: Its results.
        scoring: Its stored scoring.
        device: Device of its networks.
        output: Folder in which new folders of images are made.
    """

    run: Run
    results: RunResults
    scoring: Scoring
    device: torch.device
    output: Path

    @property
    def generators(self) -> dict[str, GeneratorResult]:
        """Name -> each class of each finished generator."""
        return {
            f"{class_words(one.label)}: {one.family}, fold {one.fold}, seed {one.seed}": one
            for one in self.results.generators
        }

    def generator(self, name: str) -> GeneratorResult:
        """The generator, and class of it, of a name.

        Raises:
            DermaugError: There is none of that name.
        """
        generators = self.generators
        return generators[known(name, list(generators), "generator")]

    @property
    def trials(self) -> dict[str, TrialResult]:
        """Name -> each finished classifier; discriminators are none."""
        return {
            f"{one.arm}: {one.model}, fold {one.fold}, seed {one.seed}": one
            for one in self.results.trials
            if not one.record.discriminator_of
        }

    def training_rows(self, fold: int, label: str = "") -> Int[np.ndarray, " n"]:
        """Rows of the images of a fold's training split, of one class or of all."""
        (found,) = (each for each in self.results.folds if each.index == fold)
        rows = self.results.catalog.rows(found.train)
        labels = self.results.catalog.table["label"].to_numpy()[rows]
        return np.asarray(rows[labels == label] if label else rows)

    def lesions(self, rows: Int[np.ndarray, " n"]) -> np.ndarray:
        """Lesion of some images."""
        return np.asarray(self.results.catalog.table["lesion_id"].to_numpy()[rows])

    def images(self, rows: Int[np.ndarray, " n"]) -> UInt8[np.ndarray, "n s s 3"]:
        """Pixels of some images."""
        return np.asarray(self.results.images[rows])

    def reference(self, generator: GeneratorResult) -> Reference | None:
        """The classifier of the fold that audits a generator; None if it has not finished."""
        jobs = {self.run.job(job.key).path: job for job in self.run.jobs.generators}
        control = control_job(self.run, jobs[generator.folder])
        return None if control is None else _reference(self.run, control.key, self.device)

    def classifier(self, trial: TrialResult) -> Reference:
        """The network of a trial."""
        key = trial.folder.relative_to(self.run.folder).as_posix()
        return _reference(self.run, key, self.device)

    def sampler(self, generator: GeneratorResult) -> tuple[Sampler, GeneratorSpec]:
        """The network of a generator, with its specification."""
        return _generator(JobFolder(generator.folder).generator, self.device)


def open_for_page(folder: Path, data: Path | None, device: torch.device, output: Path) -> Opened:
    """Open a run that has been scored.

    Args:
        folder: Its folder.
        data: New location of its data set; None if it has not moved.
        device: Device of its networks.
        output: Folder in which new folders of images are made.

    Raises:
        DermaugError: It is no run, its data are others, or its scoring is missing or older than its
            classifiers.
    """
    run = prepare_run(folder, moved_data(folder, read_run_experiment(folder), data))
    return Opened(run, read_results(run), Scoring.read(folder), device, output)


def synthetic_set(generator: GeneratorResult) -> SyntheticSet:
    """All images that a generator has drawn for the run."""
    return recorded_set(JobFolder(generator.folder).synthetic)


@lru_cache(maxsize=4)
def _reference(run: Run, key: str, device: torch.device) -> Reference:
    return read_reference(run, key, device)


@lru_cache(maxsize=2)
def _generator(checkpoint: Path, device: torch.device) -> tuple[Sampler, GeneratorSpec]:
    return load_generator(recorded_checkpoint(checkpoint), device)


@lru_cache(maxsize=2)
def features_of_training(
    opened: Opened, judge: Judge, fold: int
) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, "n d"]]:
    """Rows of a fold's training split, and their features in a network."""
    rows = opened.training_rows(fold)
    return rows, judge.features(opened.images(rows))
