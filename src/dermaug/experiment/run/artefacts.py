"""Find trained networks on disk by their checkpoint, their folder or their run."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from dermaug.config.translation import Translation
from dermaug.data.fold_files import read_folds
from dermaug.data.splits import Fold
from dermaug.errors import DermaugError
from dermaug.evaluation.predictions import read_predictions
from dermaug.experiment.run.layout import (
    GENERATORS,
    RECORD,
    TRIALS,
    JobFolder,
    RunFolder,
    run_above,
)
from dermaug.experiment.run.records import GeneratorRecord, RunRecord, TrialRecord
from dermaug.experiment.run.ties import refuse_misplaced, refuse_other_run
from dermaug.files import read_sealed, sha256
from dermaug.synthesis.synthetic_set import SyntheticSet, read_synthetic_set
from dermaug.training.checkpoint import checkpoint_digest
from dermaug.training.file_names import CLASSIFIER, GENERATOR


@dataclass(frozen=True)
class StoredClassifier:
    """A finished trial on disk, by its checkpoint."""

    path: Path

    @cached_property
    def record(self) -> TrialRecord:
        """The record beside it, which lists its training images.

        Raises:
            DermaugError: The record is missing, damaged, or belongs to another classifier.
        """
        path = self.path.parent / RECORD
        if not path.exists():
            raise DermaugError(
                f"{self.path}: expected {RECORD} beside it, which lists its training images, found "
                "none; without it leakage cannot be excluded: copy the whole folder of the "
                "classifier, not only the checkpoint"
            )
        record = TrialRecord.read(path)
        refuse_other_network(self.path, record.digest)
        return record

    @property
    def run(self) -> Path:
        """Folder of its run, which stores the content of its training images.

        Raises:
            DermaugError: It is not in a run folder, or in that of another run.
        """
        run = run_above(self.path)
        if run is None:
            raise DermaugError(
                f"{self.path}: expected the classifier in its run folder, which identifies its "
                "training images; without it leakage cannot be excluded: copy the whole run folder"
            )
        refuse_other_run(self.path, self.record, RunRecord.read(run.record))
        return run.path


def recorded_predictions(path: Path, record: TrialRecord) -> pd.DataFrame:
    """Read predictions of a trial.

    Raises:
        DermaugError: The file is missing or damaged, or is not the one that the trial wrote.
    """
    found = path.is_file()
    if not found or sha256(path) != record.predictions.get(path.name):
        others = f"others (by SHA-256, which is in {RECORD})" if found else "no file"
        raise DermaugError(
            f"{path}: expected the predictions that this trial wrote, found {others}; restore "
            f"them, or delete {path.parent} and run the study again"
        )
    return read_predictions(path, record.classes)


def recorded_checkpoint(path: Path) -> Path:
    """A checkpoint, unless a job's record lies beside it which is that of another network or job.

    It may be missing: what was computed with it and stored needs it no more.

    Raises:
        DermaugError: The record is that of another network, of another job than that of its folder
            in a run, or of another run, or a file is damaged.
    """
    record = path.parent / RECORD
    if record.is_file() and path.exists():
        refuse_other_network(path, read_sealed(record).get("digest"))
    refuse_misplaced(JobFolder(path.parent))
    return path


def refuse_other_network(path: Path, digest: object) -> None:
    """Raise unless a checkpoint has the digest in the record beside it.

    Raises:
        DermaugError: The record is that of another network, or the checkpoint is damaged.
    """
    if digest != checkpoint_digest(path):
        raise DermaugError(
            f"{path.parent / RECORD}: expected the record of {path.name} beside it, found that of "
            "another network; put the two files that belong together into one folder"
        )


def recorded_set(folder: Path) -> SyntheticSet:
    """Read a synthetic set; one that a run holds must be of the generator in the folder above.

    Raises:
        DermaugError: Another generator drew the set, or a file is missing or damaged.
    """
    generator = JobFolder(folder.parent)
    if not generator.holds_set(folder) or not generator.record.is_file():
        return read_synthetic_set(folder)
    synthetic = read_synthetic_set(
        folder, f"restore it, or delete {folder.parent} and run the study again"
    )
    refuse_misplaced(generator)
    if synthetic.provenance.generator != GeneratorRecord.read(generator.record).digest:
        raise DermaugError(
            f"{folder}: expected images drawn by the generator in the folder above, found those of "
            "another one; folders were exchanged after they were written: put them back"
        )
    return synthetic


def drawn_set(generator: JobFolder, translation: Translation | None) -> SyntheticSet:
    """Read a set that a generator of a run drew from training images, or from noise (None).

    Raises:
        DermaugError: As for `recorded_set`, or the set was drawn in another way.
    """
    folder = generator.synthetic_of(translation)
    synthetic = recorded_set(folder)
    expected = translation.note if translation else ""
    if (found := synthetic.provenance.note) != expected:
        raise DermaugError(
            f"{folder}: expected images {expected or 'drawn from noise'}, found images "
            f"{found or 'drawn from noise'}; folders were exchanged after they were written: put "
            "them back"
        )
    return synthetic


def translation_of(generator: JobFolder, note: str) -> Translation | None:
    """How a generator drew the images of a set, by its note; None for images from noise."""
    known = GeneratorRecord.read(generator.record).translated
    return next((each for each in known if each.note == note), None)


def find_classifiers(path: Path) -> list[StoredClassifier]:
    """Find the classifier of a checkpoint or a trial's folder, or all finished ones of a run.

    Of a folder within a run, such as that of an arm, those below it.

    Raises:
        DermaugError: No classifier is found.
    """
    found = _checkpoints(path, CLASSIFIER, TRIALS)
    if not found:
        raise DermaugError(
            f"{path}: expected a classifier ({CLASSIFIER}), the folder of one, or a run with "
            "finished classifiers; found none"
        )
    return [StoredClassifier(file) for file in found]


def only_classifier(path: Path) -> StoredClassifier:
    """Find the classifier of a checkpoint, of a trial's folder, or of a run with only one.

    Raises:
        DermaugError: No classifier is found, or there are several.
    """
    found = find_classifiers(path)
    advice = (
        ". The report says whether an arm does better; of the trainings of an arm the first is as "
        "good as any, and the one with the best test scores is flattered by them"
    )
    _refuse_several(path, "classifier", [each.path for each in found], advice)
    return found[0]


def find_generator(path: Path) -> Path:
    """Find the checkpoint of a generator by its file or its folder.

    Raises:
        DermaugError: No generator is found, or the folder is a run with several of them.
    """
    found = _checkpoints(path, GENERATOR, GENERATORS)
    _refuse_several(path, "generator", found)
    if not found:
        raise DermaugError(
            f"{path}: expected a generator ({GENERATOR}) or its folder, for example "
            "runs/quickstart/lesions4/generators/dcgan/fold0-seed0/vasc; found none"
        )
    return found[0]


def generator_of(run: RunFolder, digest: str) -> JobFolder | None:
    """The folder of a run's generator, by the digest of its checkpoint; None without it."""
    found = run.finished(RunRecord.read(run.record).jobs, GENERATORS)
    return next((job for job in found if GeneratorRecord.read(job.record).digest == digest), None)


def run_of(*paths: Path) -> RunFolder | None:
    """The run that contains the first of the paths that lies in one."""
    return next((run for path in paths if (run := run_above(path)) is not None), None)


def folds_of(run: RunFolder | None) -> tuple[Fold, ...]:
    """The folds of a run; empty without a run."""
    return read_folds(run.folds) if run is not None else ()


def _checkpoints(path: Path, name: str, kind: str) -> list[Path]:
    """A checkpoint itself, the one in a folder, or those below it.

    In a run these are those of its jobs, so that a copy within it does not count as one more.
    """
    if path.is_file():
        return [recorded_checkpoint(path)]
    if (path / name).is_file():
        return [recorded_checkpoint(path / name)]
    run = RunFolder(path.resolve()) if RunFolder(path).is_begun else run_above(path)
    if run is None:
        found = [file.with_name(name) for file in sorted(path.glob(f"**/{name}"))]
    else:
        jobs = run.finished(RunRecord.read(run.record).jobs, kind)
        found = [job.path / name for job in jobs if job.path.is_relative_to(path.resolve())]
    return [recorded_checkpoint(file) for file in found if file.is_file()]


def _refuse_several(path: Path, kind: str, found: Sequence[Path], advice: str = "") -> None:
    if len(found) > 1:
        raise DermaugError(
            f"{path}: expected one {kind}, found {len(found)}; name one of them{advice}",
            [str(each.parent) for each in found],
        )
