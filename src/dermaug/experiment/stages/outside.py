"""Data from outside of a run, looked at before its classifiers train: external tests and folders.

An external test must not hold what a classifier is trained on, and a folder of images must not hold
what a classifier is tested on. Both must stay what they were when the run was begun.
"""

from collections.abc import Sequence

from dermaug.data.pixels import PixelStore, refuse_uncropped
from dermaug.errors import DermaugError
from dermaug.experiment.plan.jobs import ClassifierJob
from dermaug.experiment.run.contents import Remembered
from dermaug.experiment.run.identity import (
    folder_store,
    note_or_refuse_folder,
    refuse_other_external,
)
from dermaug.experiment.run.known import EQUAL, NEAR, match_images, refuse_known
from dermaug.experiment.run.run import Run


def look_outside(run: Run, jobs: Sequence[ClassifierJob]) -> None:
    """Check the external tests, and the folders that some classifiers take images from.

    Args:
        run: The run, begun.
        jobs: The classifiers that are to be trained.

    Raises:
        DermaugError: The images are other ones than the run was begun with, or leak.
    """
    remembered = Remembered.of(run.store)
    data, folds = run.experiment.data, [run.fold(index) for index in {job.fold for job in jobs}]
    trained = {image for fold in folds for image in fold.train}
    stores = refuse_other_external(run.folder, data, run.catalog.classes)
    for path, store in zip(data.external_test, stores, strict=True):
        what = f"data.external_test {path}"
        refuse_uncropped(store, what)
        advice = (
            "an external test must be another data set; leave it out, and see `dermaug evaluate "
            "--skip-known`"
        )
        refuse_known(what, match_images(store, remembered), trained, advice)
    evaluated = {image for fold in folds for image in (*fold.validation, *fold.test)}
    for name, folder in _folders(jobs).items():
        given = folder_store(run.experiment, folder)
        note_or_refuse_folder(run.folder, name, folder, given)
        _refuse_evaluated(name, folder, given, remembered, evaluated)


def _folders(jobs: Sequence[ClassifierJob]) -> dict[str, str]:
    """Arm -> folder that it takes its images from."""
    return {
        job.arm: job.mixture.synthetic.folder
        for job in jobs
        if job.mixture.synthetic is not None and job.mixture.synthetic.folder
    }


def _refuse_evaluated(
    arm: str, folder: str, store: PixelStore, remembered: Remembered, evaluated: set[str]
) -> None:
    """Images made elsewhere must not be images that the classifiers are tested on."""
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
