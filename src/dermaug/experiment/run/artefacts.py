"""Find trained networks on disk by their checkpoint, their folder or their run."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from dermaug.data.fold_files import read_folds
from dermaug.data.splits import Fold
from dermaug.errors import DermaugError
from dermaug.evaluation.predictions import read_predictions
from dermaug.experiment.run.layout import RECORD, JobFolder, RunFolder, run_above
from dermaug.experiment.run.records import GeneratorRecord, RunRecord, TrialRecord
from dermaug.files import read_sealed, sha256
from dermaug.synthesis.synthetic_set import SyntheticSet, read_synthetic_set
from dermaug.training.checkpoint import checkpoint_digest
from dermaug.training.file_names import CLASSIFIER, GENERATOR

WHICH = (
    ". The report says whether an arm does better; of the trainings of an arm the first is as good "
    "as any, and the one with the best test scores is flattered by them"
)
"""Which of several classifiers to take."""


@dataclass(frozen=True)
class StoredClassifier:
    """A finished trial on disk.

    Args:
        path: Its checkpoint.
    """

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
            DermaugError: It is not in a run folder, or was trained on other data than that run's.
        """
        run = run_above(self.path)
        if run is None:
            raise DermaugError(
                f"{self.path}: expected the classifier in its run folder, which identifies its "
                "training images; without it leakage cannot be excluded: copy the whole run folder"
            )
        if RunRecord.read(run.record).data.fingerprint != self.record.fingerprint:
            raise DermaugError(
                f"{self.path}: expected a classifier of the run {run.path}, found one that was "
                "trained on other data; without its own run leakage cannot be excluded"
            )
        return run.path


def recorded_predictions(path: Path, record: TrialRecord) -> pd.DataFrame:
    """Read predictions of a trial.

    Raises:
        DermaugError: The file is missing or damaged, or is not the one that the trial wrote.
    """
    if path.is_file() and sha256(path) != record.predictions.get(path.name):
        raise DermaugError(
            f"{path}: expected the predictions that this trial wrote, found others (by SHA-256, "
            f"which is in {RECORD}); the file was changed or belongs to another trial: restore it, "
            "or delete the folder of the trial and run the study again"
        )
    return read_predictions(path, record.classes)


def recorded_checkpoint(path: Path) -> Path:
    """A checkpoint, unless a job's record lies beside it which is that of another network.

    Raises:
        DermaugError: The record is that of another network, or a file is missing or damaged.
    """
    record = path.parent / RECORD
    if record.is_file():
        refuse_other_network(path, read_sealed(record).get("digest"))
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
    synthetic, generator = read_synthetic_set(folder), JobFolder(folder.parent)
    if generator.synthetic == folder and generator.record.is_file():
        digest = GeneratorRecord.read(generator.record).digest
        if synthetic.provenance.generator != digest:
            raise DermaugError(
                f"{folder}: expected images drawn by the generator in the folder above, found "
                "those of another one; folders were exchanged after they were written: put them "
                "back"
            )
    return synthetic


def find_classifiers(path: Path) -> list[StoredClassifier]:
    """Find the classifier of a checkpoint or a trial's folder, or all finished ones of a run.

    Of a folder within a run, such as that of an arm, those below it.

    Raises:
        DermaugError: No classifier is found.
    """
    below = "classifiers/**" if run_above(path) is None else "**"
    found = _checkpoints(path, CLASSIFIER, f"{below}/{RECORD}")
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
    _refuse_several(path, "classifier", [each.path for each in found], WHICH)
    return found[0]


def find_generator(path: Path) -> Path:
    """Find the checkpoint of a generator by its file or its folder.

    Raises:
        DermaugError: No generator is found, or the folder is a run with several of them.
    """
    found = _checkpoints(path, GENERATOR, f"**/{GENERATOR}")
    _refuse_several(path, "generator", found)
    if not found:
        raise DermaugError(
            f"{path}: expected a generator ({GENERATOR}) or its folder, for example "
            "runs/quickstart/lesions4/generators/dcgan/fold0-seed0/vasc; found none"
        )
    return found[0]


def generator_of(run: RunFolder, digest: str) -> JobFolder | None:
    """The folder of a run's generator, by the digest of its checkpoint; None without it."""
    for record in sorted(run.path.glob(f"**/generators/**/{RECORD}")):
        if GeneratorRecord.read(record).digest == digest:
            return JobFolder(record.parent)
    return None


def run_of(*paths: Path) -> RunFolder | None:
    """The run that contains the first of the paths that lies in one."""
    return next((run for path in paths if (run := run_above(path)) is not None), None)


def folds_of(run: RunFolder | None) -> tuple[Fold, ...]:
    """The folds of a run; empty without a run."""
    return read_folds(run.folds) if run is not None else ()


def _checkpoints(path: Path, name: str, pattern: str) -> list[Path]:
    """A checkpoint itself, the one in a folder, or those beside files that match a pattern."""
    if path.is_file():
        return [recorded_checkpoint(path)]
    if (path / name).is_file():
        return [recorded_checkpoint(path / name)]
    found = [file.with_name(name) for file in sorted(path.glob(pattern))] if path.is_dir() else []
    return [recorded_checkpoint(file) for file in found if file.is_file()]


def _refuse_several(path: Path, kind: str, found: Sequence[Path], advice: str = "") -> None:
    if len(found) > 1:
        raise DermaugError(
            f"{path}: expected one {kind}, found {len(found)}; name one of them{advice}",
            [str(each.parent) for each in found],
        )
