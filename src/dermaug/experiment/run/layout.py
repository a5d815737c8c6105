"""The layout of a run folder: the name of every file and folder in it, defined once."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dermaug.config.translation import Translation
from dermaug.training.file_names import CLASSIFIER, GENERATOR, JOURNAL

EXPERIMENT = "experiment.json"
RECORD = "record.json"
"""In the folder of each generator and trial; written last, so that it marks a finished job."""
PUBLISHED = "tables.md"
"""A file that the output of `dermaug publish` has and a run does not have."""
CONTENTS = "contents"
CLAIM = "claim.json"
TRANSLATED = "translated-"
"""How the folders of sets begin that a generator draws from training images."""
GENERATORS, TRIALS = "generators", "classifiers"
"""Folders of a run that hold its jobs; parts of their keys."""


class Place:
    """A file or folder at a fixed place below the folder that the owner of the attribute names."""

    def __init__(self, *parts: str) -> None:
        self._below = Path(*parts)

    def __get__(self, owner: "JobFolder | RunFolder", _kind: type) -> Path:
        return owner.path / self._below


@dataclass(frozen=True)
class JobFolder:
    """The folder of a generator or a trial."""

    path: Path

    record = Place(RECORD)
    """`GeneratorRecord` or `TrialRecord`; written last."""
    claim = Place(CLAIM)
    """Who does the job; see `dermaug.experiment.run.claims`."""
    journal = Place(JOURNAL)
    """The journal of the training."""
    classifier = Place(CLASSIFIER)
    """Checkpoint of a trial's classifier."""
    predictions = Place("predictions.parquet")
    """A trial's predictions of validation and test."""
    generator = Place(GENERATOR)
    """Checkpoint of a generator."""
    synthetic = Place("synthetic")
    """Folder of the synthetic set that a generator draws from noise."""
    audit = Place("audit.json")
    """The `AuditRecord` of that set."""

    def synthetic_of(self, translation: Translation | None) -> Path:
        """Folder of a set drawn from training images, or from noise (None)."""
        return self.path / f"{TRANSLATED}{translation.key}" if translation else self.synthetic

    def audit_of(self, translation: Translation | None) -> Path:
        """The `AuditRecord` of a set drawn from training images, or from noise (None)."""
        if translation is None:
            return self.audit
        return self.audit.with_stem(f"{self.audit.stem}-{translation.key}")

    def holds_set(self, folder: Path) -> bool:
        """Whether a folder is the place of a set that this generator draws."""
        is_translated = folder.parent == self.path and folder.name.startswith(TRANSLATED)
        return folder == self.synthetic or is_translated

    def external(self, place: int) -> Path:
        """A trial's predictions of the data set at index `place` of `data.external_test`."""
        return self.path / f"external{place}.parquet"


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run."""

    path: Path

    record = Place("run.json")
    """`RunRecord`; written last when a run is started."""
    claim = Place(CLAIM)
    """Who writes the run's own files; see `dermaug.experiment.run.claims`."""
    experiment = Place(EXPERIMENT)
    """The experiment with which the run was started."""
    folds = Place("folds.json")
    twins = Place("twins.json")
    """Near-duplicates across groups."""
    details = Place(CONTENTS, "details.npy")
    """The detail of the run's own images."""
    embedding = Place("audit", "embedding.json")
    """`EmbeddingRecord`."""
    report = Place("report.html")

    def contents(self, name: str) -> Path:
        """Table of the images of a data set that the run uses."""
        return self.path / CONTENTS / f"{name}.parquet"

    @property
    def is_begun(self) -> bool:
        """Whether a run was started here."""
        return self.record.exists()

    @property
    def before_experiment(self) -> tuple[str, ...]:
        """Names of the files written before the experiment, which an interrupted start leaves."""
        return CONTENTS, CLAIM, self.twins.name, self.folds.name

    def job(self, key: str) -> JobFolder:
        """The folder of a job."""
        return JobFolder(self.path / key)

    def finished(self, keys: Iterable[str], kind: str = "") -> list[JobFolder]:
        """Folders of the finished ones of some jobs, in alphabetical order.

        Args:
            keys: Keys of jobs.
            kind: `GENERATORS` or `TRIALS`, to take only those; "" takes both.
        """
        asked = sorted(key for key in keys if not kind or kind in key.split("/"))
        return [self.job(key) for key in asked if self.is_done(key)]

    def is_done(self, key: str) -> bool:
        """Whether the job of that key has finished."""
        return self.job(key).record.exists()


def run_above(path: Path) -> RunFolder | None:
    """The run folder that contains a file or folder; None outside of a run."""
    folders = map(RunFolder, path.resolve().parents)
    return next((run for run in folders if run.experiment.is_file() and run.record.is_file()), None)
