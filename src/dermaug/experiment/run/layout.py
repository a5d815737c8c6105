"""The layout of a run folder: the name of every file and folder in it, defined once."""

from dataclasses import dataclass
from pathlib import Path

from dermaug.training.file_names import CLASSIFIER, GENERATOR, JOURNAL

EXPERIMENT = "experiment.json"
RECORD = "record.json"
"""In the folder of each generator and trial; written last, so that it marks a finished job."""
PUBLISHED = "tables.md"
"""A file that the output of `dermaug publish` has and a run does not have."""
AUDIT = "audit.json"
CONTENTS = "contents"
CLAIM = "claim.json"


@dataclass(frozen=True)
class JobFolder:
    """The folder of a generator or a trial.

    Args:
        path: The folder.
    """

    path: Path

    @property
    def record(self) -> Path:
        """`GeneratorRecord` or `TrialRecord`; written last."""
        return self.path / RECORD

    @property
    def claim(self) -> Path:
        """Who does the job; see `dermaug.experiment.run.claims`."""
        return self.path / CLAIM

    @property
    def journal(self) -> Path:
        """The journal of the training."""
        return self.path / JOURNAL

    @property
    def classifier(self) -> Path:
        """Checkpoint of a trial's classifier."""
        return self.path / CLASSIFIER

    @property
    def predictions(self) -> Path:
        """A trial's predictions of validation and test."""
        return self.path / "predictions.parquet"

    def external(self, place: int) -> Path:
        """A trial's predictions of the data set at index `place` of `data.external_test`."""
        return self.path / f"external{place}.parquet"

    @property
    def generator(self) -> Path:
        """Checkpoint of a generator."""
        return self.path / GENERATOR

    @property
    def synthetic(self) -> Path:
        """Folder of the synthetic set drawn by a generator."""
        return self.path / "synthetic"

    @property
    def audit(self) -> Path:
        """The `AuditRecord` of a generator."""
        return self.path / AUDIT


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run.

    Args:
        path: The folder.
    """

    path: Path

    @property
    def record(self) -> Path:
        """`RunRecord`; written last when a run is started."""
        return self.path / "run.json"

    @property
    def claim(self) -> Path:
        """Who writes the run's own files; see `dermaug.experiment.run.claims`."""
        return self.path / CLAIM

    @property
    def experiment(self) -> Path:
        """The experiment with which the run was started."""
        return self.path / EXPERIMENT

    @property
    def folds(self) -> Path:
        """The folds."""
        return self.path / "folds.json"

    @property
    def twins(self) -> Path:
        """Near-duplicates across groups."""
        return self.path / "twins.json"

    def contents(self, name: str) -> Path:
        """Table of the images of a data set that the run uses."""
        return self.path / CONTENTS / f"{name}.parquet"

    @property
    def details(self) -> Path:
        """The detail of the run's own images."""
        return self.path / CONTENTS / "details.npy"

    @property
    def embedding(self) -> Path:
        """`EmbeddingRecord`."""
        return self.path / "audit" / "embedding.json"

    @property
    def report(self) -> Path:
        """The report."""
        return self.path / "report.html"

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

    @property
    def trials(self) -> list[JobFolder]:
        """Folders of all finished trials, those of reduced training splits too."""
        found = self.path.glob(f"**/classifiers/**/{RECORD}")
        return [JobFolder(record.parent) for record in sorted(found)]

    def is_done(self, key: str) -> bool:
        """Whether the job of that key has finished."""
        return self.job(key).record.exists()


def run_above(path: Path) -> RunFolder | None:
    """The run folder that contains a file or folder; None outside of a run."""
    folders = map(RunFolder, path.resolve().parents)
    return next((run for run in folders if run.experiment.is_file() and run.record.is_file()), None)
