"""A run folder with its data: start it, resume it, and check that it fits the experiment."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np

import dermaug
from dermaug.aside import PARTIAL, sweep
from dermaug.config import Experiment
from dermaug.data.catalog import Catalog
from dermaug.data.dataset import PHANTOM, open_labelled
from dermaug.data.fold_files import read_folds, write_folds, write_folds_csv
from dermaug.data.given_splits import chosen_folds
from dermaug.data.image_bank import channel_statistics
from dermaug.data.image_rows import ImageRows, Pixels
from dermaug.data.pixels import PixelStore
from dermaug.data.splits import Fold, reduce_training, refuse_shared
from dermaug.errors import DermaugError
from dermaug.experiment.plan.enumeration import planned_jobs
from dermaug.experiment.plan.jobs import Jobs
from dermaug.experiment.run.claims import alone
from dermaug.experiment.run.contents import (
    Remembered,
    note_contents,
    write_remembered,
)
from dermaug.experiment.run.data import Twins, decoded, joined, twins_of
from dermaug.experiment.run.identity import (
    refuse_other_data,
    refuse_other_experiment,
    with_own_options,
)
from dermaug.experiment.run.layout import RECORD, JobFolder, RunFolder
from dermaug.experiment.run.machine import machine, versions
from dermaug.experiment.run.records import DataEntry, RunRecord
from dermaug.files import content_digest, expanded, known_sha256, write_sealed
from dermaug.output_places import require_outside


@dataclass(frozen=True, eq=False)
class Run:
    """A run folder with its data.

    Args:
        twins: Near-duplicates across groups, which the folds keep together.
        folds: The folds that are run.
    """

    folder: Path
    experiment: Experiment
    store: PixelStore
    twins: Twins
    folds: tuple[Fold, ...]
    jobs: Jobs
    _channels: dict[Fold, tuple[tuple[float, ...], tuple[float, ...]]] = field(
        default_factory=dict, init=False, repr=False
    )

    @cached_property
    def fingerprint(self) -> str:
        """Fingerprint of the data set."""
        return self.store.fingerprint

    @property
    def catalog(self) -> Catalog:
        """The data set."""
        return self.store.catalog

    @property
    def groups(self) -> np.ndarray:
        """The group that its folds keep together, one name per row."""
        return self.catalog.groups

    @property
    def images(self) -> Pixels:
        """Its pixels, in the catalog's order, uint8 (n, h, w, 3)."""
        return self.store.images

    @cached_property
    def external(self) -> tuple[PixelStore, ...]:
        """The external test sets, decoded like its own images.

        Raises:
            DermaugError: One cannot be opened, has unknown labels, or holds what another one holds.
        """
        data, first = self.experiment.data, dict[str, str]()
        stores = [open_labelled(data, path, self.catalog.classes) for path in data.external_test]
        for path, store in zip(data.external_test, stores, strict=True):
            if (other := first.setdefault(store.fingerprint, path)) != path:
                raise DermaugError(
                    f"data.external_test: expected different data sets, found the same images in "
                    f"{other} and {path}; repeats are not independent evidence: remove one"
                )
        return tuple(stores)

    @property
    def external_notes(self) -> tuple[str, ...]:
        """What was left out of external test sets as unclear, one sentence for each."""
        return tuple(
            f"External test set {path}: {note}"
            for path, store in zip(self.experiment.data.external_test, self.external, strict=True)
            for note in store.catalog.left_out
        )

    def channels(self, fold: Fold) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and standard deviation of the channels of a training split, in [0, 1]."""
        if fold not in self._channels:
            rows = ImageRows((self.images, self.catalog.rows(fold.train)))
            self._channels[fold] = channel_statistics(rows)
        return self._channels[fold]

    def fold(self, index: int, lesions: int = 0) -> Fold:
        """The fold of that index, its training split reduced to some lesions per class (0: all)."""
        whole = next(fold for fold in self.folds if fold.index == index)
        return reduce_training(self.catalog, whole, lesions, self.experiment.splits.seed)

    def is_done(self, key: str) -> bool:
        """Whether the job of that key has finished."""
        return self.files.is_done(key)

    @property
    def files(self) -> RunFolder:
        """The layout of its files."""
        return RunFolder(self.folder)

    def job(self, key: str) -> JobFolder:
        """The layout of the files of a job."""
        return self.files.job(key)


def prepare_run(folder: Path, experiment: Experiment) -> Run:
    """Read the data, create the folds and list the jobs, without writing anything.

    Args:
        folder: Folder of a run, which may not have been started.
        experiment: Must be the one with which the folder was started; only the paths of its data
            may differ.

    Raises:
        DermaugError: The folder belongs to another experiment or to other data, or has lost the
            record of its run; a lesion or an image is in two splits of a fold; or the experiment
            requests something impossible.
    """
    files = RunFolder(folder)
    refuse_other_experiment(folder, experiment)
    experiment = with_own_options(experiment)
    if not files.is_begun and (found := next(folder.glob(f"**/{RECORD}"), None)):
        raise DermaugError(  # trainings have ended here, of which nothing says on what data
            f"{files.record}: expected the record of the run to which {found} belongs, found no "
            "file; restore it from a copy, or choose another --output"
        )
    if not files.is_begun and experiment.data.source != PHANTOM:
        require_outside(folder, expanded(experiment.data.source, "data.source"))
    store = decoded(experiment)
    refuse_other_data(folder, store)
    twins = twins_of(store, folder)
    store = joined(store, twins)
    folds = chosen_folds(store.catalog, experiment.splits, store.fingerprint)
    if files.is_begun and read_folds(files.folds) != folds:
        raise DermaugError(
            f"{folder}: its folds were created from other images; choose another --output"
        )
    for fold in folds:
        refuse_shared(store.catalog, fold, store.contents.pixels, "equal image")
    jobs = planned_jobs(experiment, store.catalog, folds)
    return Run(folder, experiment, store, twins, folds, jobs)


def begin_run(run: Run, command: str = "") -> None:
    """Write experiment, folds and data to the run's folder, and remove files of interrupted jobs.

    `run.json` is written last; without it a run has not been started. Of several processes that
    start one experiment in one folder at once, the first writes, and the others check.

    Raises:
        DermaugError: An external test set cannot be opened, or has unknown labels.
    """
    # Before the claim, which creates the folder: what is refused leaves nothing behind.
    record = None if run.files.is_begun else _begun(run, command)
    with alone(run.files.claim):
        sweep(run.folder)
        if record is None or run.files.is_begun:
            refuse_other_experiment(run.folder, run.experiment)
            refuse_other_data(run.folder, run.store)
            return
        write_remembered(run.folder, Remembered.of(run.store))
        run.twins.write(run.files.twins)
        write_folds(run.files.folds, run.folds)
        write_folds_csv(run.files.folds.with_suffix(".csv"), run.folds)
        write_sealed(run.files.experiment, run.experiment.model_dump(mode="json"))
        stored = sorted(run.files.details.parent.iterdir())
        digests = {
            path.name: known_sha256(path) for path in stored if not path.name.startswith(PARTIAL)
        }
        record.model_copy(update={"contents": digests}).write(run.files.record)


def finish_run(run: Run, *, jobs_ended: bool) -> None:
    """Record the time at which the last job ended, once all jobs are done.

    If jobs have just ended, an earlier time no longer holds.
    """
    if not all(run.is_done(job.key) for job in run.jobs.in_order):
        return
    path = run.files.record
    with alone(run.files.claim):
        record = RunRecord.read(path)
        if jobs_ended or not record.finished:
            record.model_copy(update={"finished": now()}).write(path)


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _begun(run: Run, command: str) -> RunRecord:
    catalog = run.catalog
    experiment, started = content_digest(run.experiment.model_dump(mode="json")), now()
    return RunRecord(
        id=content_digest({"experiment": experiment, "data": run.fingerprint, "started": started}),
        experiment=experiment,
        command=command,
        version=dermaug.__version__,
        started=started,
        jobs=tuple(job.key for job in run.jobs.in_order),
        data=DataEntry(
            name=catalog.name,
            fingerprint=run.fingerprint,
            images=len(catalog),
            lesions=int(catalog.table["lesion_id"].nunique()),
            grouping=catalog.unit,
            groups=len(set(catalog.groups)),
            notes=catalog.notes,
            skipped={bad.path: bad.reason for bad in run.store.skipped},
            external=tuple(
                note_contents(run.folder, f"external{place}", store)
                for place, store in enumerate(run.external)
            ),
            external_notes=run.external_notes,
            folders={},
        ),
        machine=machine(),
        versions=versions(),
    )
