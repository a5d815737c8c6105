"""Checks of external test sets and image folders, made before the classifiers of a run are trained.

An external test set must not contain images on which a classifier is trained, and a folder of
images must not contain images on which a classifier is tested. Both must be unchanged since the run
was started.
"""

from collections.abc import Mapping, Sequence

from dermaug.console import tell
from dermaug.data.dataset import open_labelled
from dermaug.data.pixels import PixelStore, refuse_uncropped
from dermaug.errors import DermaugError
from dermaug.experiment.plan.jobs import ClassifierJob
from dermaug.experiment.run.contents import Remembered, external_notes
from dermaug.experiment.run.identity import (
    folder_store,
    note_or_refuse_folder,
    refuse_other_external,
)
from dermaug.experiment.run.known import EQUAL, NEAR, match_images, refuse_known
from dermaug.experiment.run.run import Run


def prove_outside(run: Run) -> None:
    """Check the sets and folders of a run that has not been started; nothing is written.

    Raises:
        DermaugError: One cannot be read, or its images leak.
    """
    if run.files.is_begun:
        return
    data = run.experiment.data
    sets = [open_labelled(data, path, run.catalog.classes) for path in data.external_test]
    for note in (*run.catalog.left_out, *external_notes(data.external_test, sets)):
        tell(f"note: {note}")
    folders = _folders(run.jobs.classifiers)
    given = {name: folder_store(run.experiment, folder) for name, folder in folders.items()}
    _refuse_leaks(run, run.jobs.classifiers, sets, given)


def look_outside(run: Run, jobs: Sequence[ClassifierJob]) -> None:
    """Check the external test sets and the folders from which some arms take images.

    Raises:
        DermaugError: The images have changed since the run was started, or they leak.
    """
    sets = refuse_other_external(run.folder, run.experiment.data, run.catalog.classes)
    given = {}
    for name, folder in _folders(jobs).items():
        given[name] = folder_store(run.experiment, folder)
        note_or_refuse_folder(run.folder, name, folder, given[name])
    _refuse_leaks(run, jobs, sets, given)


def _refuse_leaks(
    run: Run,
    jobs: Sequence[ClassifierJob],
    sets: Sequence[PixelStore],
    given: Mapping[str, PixelStore],
) -> None:
    """Refuse external test sets that were trained on, and images of arms that are tested on.

    Args:
        run: The run.
        jobs: Classifiers to be trained.
        sets: The external test sets.
        given: Arm -> the images of its folder.
    """
    remembered = Remembered.of(run.store)
    folds = [run.fold(index) for index in {job.fold for job in jobs}]
    trained = {image for fold in folds for image in fold.train}
    for path, store in zip(run.experiment.data.external_test, sets, strict=True):
        what = f"data.external_test {path}"
        refuse_uncropped(store, what)
        advice = (
            "an external test must be another data set; leave it out, and see `dermaug evaluate "
            "--skip-known`"
        )
        refuse_known(what, match_images(store, remembered), trained, advice)
    evaluated = {image for fold in folds for image in (*fold.validation, *fold.test)}
    folders = _folders(jobs)
    for name, store in given.items():
        _refuse_evaluated(name, folders[name], store, remembered, evaluated)


def _folders(jobs: Sequence[ClassifierJob]) -> dict[str, str]:
    """Map each arm to the folder from which it takes its images."""
    return {
        job.arm: job.mixture.synthetic.folder
        for job in jobs
        if job.mixture.synthetic is not None and job.mixture.synthetic.folder
    }


def _refuse_evaluated(
    arm: str, folder: str, store: PixelStore, remembered: Remembered, evaluated: set[str]
) -> None:
    """Refuse a folder with images on which the classifiers are validated or tested."""
    found = match_images(store, remembered).found
    leaks = found[found["image_id"].isin(evaluated) & found["reason"].isin((EQUAL, NEAR))]
    if len(leaks):
        first = leaks.iloc[0]
        raise DermaugError(
            f"arm {arm}, synthetic.folder {folder}: {leaks['row'].nunique():,} of its "
            f"{len(store.catalog):,} images match images of the validation or test split "
            f"({store.catalog.image_ids[first['row']]} matches {first['image_id']}); this would "
            "leak them into training; remove them"
        )
