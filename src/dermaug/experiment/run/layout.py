"""Where everything of a run lies: every file and folder below a run's, named once."""

from dataclasses import dataclass
from pathlib import Path

from dermaug.classifiers.trial_state import CLASSIFIER
from dermaug.generators.state import GENERATOR
from dermaug.training.journal import JOURNAL

EXPERIMENT = "experiment.json"
RECORD = "record.json"
"""In the folder of each generator and trial; written last: with it, the job is finished."""
PUBLISHED = "tables.md"
"""What a folder that was published has, and a run has not."""
AUDIT = "audit.json"
CONTENTS = "contents"


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
    def journal(self) -> Path:
        """The course of the training."""
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
        """A trial's predictions of the data set at some place of `data.external_test`."""
        return self.path / f"external{place}.parquet"

    @property
    def generator(self) -> Path:
        """Checkpoint of a generator."""
        return self.path / GENERATOR

    @property
    def synthetic(self) -> Path:
        """The synthetic set that a generator drew, a folder."""
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
        """`RunRecord`; the last file that begins a run."""
        return self.path / "run.json"

    @property
    def experiment(self) -> Path:
        """The experiment as it was begun."""
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
        """Whether a run was begun here."""
        return self.record.exists()

    @property
    def before_experiment(self) -> tuple[str, ...]:
        """Names of what is written before the experiment: a kill in between leaves them alone."""
        return CONTENTS, self.twins.name, self.folds.name

    def job(self, key: str) -> JobFolder:
        """The folder of a job."""
        return JobFolder(self.path / key)

    def is_done(self, key: str) -> bool:
        """Whether the job of that key has finished."""
        return self.job(key).record.exists()


def run_above(path: Path) -> RunFolder | None:
    """The nearest folder above a file or folder of a run that is the run's; None outside of one."""
    folders = map(RunFolder, path.resolve().parents)
    return next((run for run in folders if run.experiment.is_file() and run.record.is_file()), None)
