"""Which predicted image files are images of the classifier's own run, as far as it is known."""

import numpy as np

from dermaug.evaluation.duplicates import near_between
from dermaug.experiment.run.artefacts import StoredClassifier
from dermaug.experiment.run.contents import read_remembered
from dermaug.experiment.run.layout import run_above
from dermaug.experiment.stages.predict_files import Predicted


def known_images(stored: StoredClassifier, found: Predicted) -> dict[str, bool]:
    """Find the files that show a photograph of the run's data set.

    Args:
        stored: The classifier.
        found: What it predicted.

    Returns:
        File -> whether the photograph is among the classifier's training images, for each file that
        shows one of the run's images: of equal pixels, or a near-duplicate. Empty for a classifier
        outside of its run, which alone stores what its images look like.

    Raises:
        DermaugError: A file of the run is damaged, or the classifier belongs to another one.
    """
    if run_above(stored.path) is None:
        return {}
    remembered, trained = read_remembered(stored.run), set(stored.record.training_images)
    ids = remembered.table["image_id"].to_numpy()
    by_pixels = remembered.table.groupby("pixels")["image_id"].agg(set).to_dict()
    near = near_between(found.contents.details, remembered.details)
    known: dict[str, bool] = {}
    for place, (path, pixels) in enumerate(zip(found.images, found.contents.pixels, strict=True)):
        own = by_pixels.get(pixels, set()) | set(ids[np.asarray(near.second)[near.first == place]])
        if own:
            known[str(path)] = not own.isdisjoint(trained)
    return known
