"""Checks of external test sets and image folders, made before the classifiers of a run are trained.

An external test set must not contain images on which a classifier is trained, and a folder of
images must not contain images on which a classifier is tested. Both must be unchanged since the run
was started.
"""

from collections.abc import Mapping, Sequence

from dermaug.console import tell
from dermaug.data.pixels import PixelStore, refuse_uncropped
from dermaug.errors import DermaugError
from dermaug.experiment.plan.jobs import ClassifierJob
from dermaug.experiment.run.contents import Remembered, note_contents, refuse_changed
from dermaug.experiment.run.identity import folder_store
from dermaug.experiment.run.known import EQUAL, NEAR, match_images, refuse_known
from dermaug.experiment.run.records import RunRecord
from dermaug.experiment.run.run import Run
from dermaug.files import known_sha256

Given = Mapping[str, tuple[str, PixelStore]]
"""Arm -> the folder from which it takes its images, as given in the experiment, and the images."""


def prove_outside(run: Run) -> None:
    """Check the sets and folders of a run that has not been started; nothing is written.

    Raises:
        DermaugError: One cannot be read, or its images leak.
    """
    if run.files.is_begun:
        return
    for note in (*run.catalog.left_out, *run.external_notes):
        tell(f"note: {note}")
    _refuse_leaks(run, run.jobs.classifiers, _given(run, run.jobs.classifiers))


def look_outside(run: Run, jobs: Sequence[ClassifierJob]) -> None:
    """Check the external test sets and the folders from which some arms take images.

    The images of a folder are recorded when its arm is first trained.

    Raises:
        DermaugError: The images have changed since the run was started, or they leak.
    """
    data = RunRecord.read(run.files.record).data
    noted = zip(run.experiment.data.external_test, data.external, run.external, strict=True)
    for place, (path, before, store) in enumerate(noted):
        refuse_changed(run.folder, f"external{place}", f"data.external_test {path}", before, store)
    given = _given(run, jobs)
    for arm, (folder, store) in given.items():
        if arm in data.folders:
            what, before = f"arm {arm}, synthetic.folder {folder}", data.folders[arm]
            refuse_changed(run.folder, f"folder-{arm}", what, before, store)
        else:
            _note_folder(run, arm, store)
    _refuse_leaks(run, jobs, given)


def _given(run: Run, jobs: Sequence[ClassifierJob]) -> Given:
    folders = {
        job.arm: job.mixture.synthetic.folder
        for job in jobs
        if job.mixture.synthetic is not None and job.mixture.synthetic.folder
    }
    return {arm: (path, folder_store(run.experiment, path)) for arm, path in folders.items()}


def _note_folder(run: Run, arm: str, store: PixelStore) -> None:
    record, name = RunRecord.read(run.files.record), f"folder-{arm}"
    folders = record.data.folders | {arm: note_contents(run.folder, name, store)}
    data = record.data.model_copy(update={"folders": folders})
    table = run.files.contents(name)
    changed = {"data": data, "contents": record.contents | {table.name: known_sha256(table)}}
    record.model_copy(update=changed).write(run.files.record)


def _refuse_leaks(run: Run, jobs: Sequence[ClassifierJob], given: Given) -> None:
    """Refuse external test sets that were trained on, and images of arms that are tested on."""
    remembered = Remembered.of(run.store)
    folds = [run.fold(index) for index in {job.fold for job in jobs}]
    trained = {image for fold in folds for image in fold.train}
    for path, store in zip(run.experiment.data.external_test, run.external, strict=True):
        what = f"data.external_test {path}"
        refuse_uncropped(store, what)
        advice = (
            "an external test must be another data set; leave it out, and see `dermaug evaluate "
            "--skip-known`"
        )
        refuse_known(what, match_images(store, remembered), trained, advice)
    evaluated = {image for fold in folds for image in (*fold.validation, *fold.test)}
    for arm, (folder, store) in given.items():
        found = match_images(store, remembered).found
        leaks = found[found["image_id"].isin(evaluated) & found["reason"].isin((EQUAL, NEAR))]
        if len(leaks):
            first = leaks.iloc[0]
            raise DermaugError(
                f"arm {arm}, synthetic.folder {folder}: {leaks['row'].nunique():,} of its "
                f"{len(store.catalog):,} images match images of the validation or test split "
                f"({store.catalog.image_ids[first['row']]} matches {first['image_id']}); this "
                "would leak them into training; remove them"
            )
