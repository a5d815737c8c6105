"""Evaluate trained classifiers on another labelled data set."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from lightning_fabric import Fabric

from dermaug.classifiers.inference import predict
from dermaug.classifiers.model import load_classifier
from dermaug.config.data import AS_IT_IS, Reading
from dermaug.console import tell
from dermaug.data.dataset import open_labelled, read_otherwise
from dermaug.data.image_bank import ImageBank
from dermaug.data.image_rows import ImageRows
from dermaug.data.pixels import PixelStore, refuse_uncropped
from dermaug.errors import DermaugError
from dermaug.evaluation.readouts import overall_read, per_class_read, prior_array
from dermaug.experiment.run.artefacts import StoredClassifier
from dermaug.experiment.run.contents import read_remembered
from dermaug.experiment.run.known import Matches, counted, match_images, refuse_known


def evaluate(
    classifiers: Sequence[StoredClassifier],
    data: Path,
    fabric: Fabric,
    *,
    skip_known: bool,
    reading: Reading = AS_IT_IS,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score classifiers on a labelled data set that they have not seen.

    Args:
        classifiers: Classifiers trained on the same classes, size and crop, for example of one run.
        data: Anything that `open_catalog` recognises.
        fabric: Device.
        skip_known: Whether to leave out the training images of a classifier, and other images of
            their lesions or patients, instead of raising an error.
        reading: How the table of the data is read: labels besides those of the training, and
            columns; without any, those of the training where the table has them.

    Returns:
        One row per classifier: arm, model, fold, seed, images, and each overall metric; and one row
        per classifier and class: sensitivity, specificity, AUC and further metrics.

    Raises:
        DermaugError: The data have labels that the classifiers do not predict, contain training
            images, or lack segmentations for classifiers of lesion crops; or the run that
            identifies the training images is missing.
    """
    scores, class_scores = [], []
    stores: dict[str, PixelStore] = {}
    matched: dict[tuple[str, Path], Matches] = {}
    told = set[str]()
    for stored in classifiers:
        classifier, spec = load_classifier(stored.path)
        config = stored.record.data.model_copy(update={"size": spec.size})
        config = read_otherwise(config, data, reading)
        key, run = config.model_dump_json(), stored.run
        if key not in stores:
            stores[key] = open_labelled(config, data, spec.classes, reading.labels)
            for note in stores[key].catalog.notes:
                tell(f"note: {note}")
            refuse_uncropped(stores[key], str(data))
        if (key, run) not in matched:
            matched[key, run] = match_images(stores[key], read_remembered(run))
        rows, left_out = _unseen(stored, matched[key, run], skip_known=skip_known)
        if left_out and left_out not in told:  # classifiers of one fold have seen the same images
            tell(left_out)
        told.add(left_out)
        truth, images = stores[key].catalog.labels[rows], ImageRows((stores[key].images, rows))
        bank = ImageBank.of(images, truth, fabric.device)
        probabilities = predict(classifier.to(fabric.device), bank, views=spec.views)
        prior = prior_array(stored.record.prior, spec.classes)
        found = overall_read(truth, probabilities, prior)
        scores.append(stored.record.coordinates | {"images": len(rows)} | found)
        table = per_class_read(truth, probabilities, prior, spec.classes)
        class_scores.append(table.assign(**stored.record.coordinates))
    return pd.DataFrame(scores), pd.concat(class_scores, ignore_index=True)


def _unseen(
    stored: StoredClassifier, matches: Matches, *, skip_known: bool
) -> tuple[np.ndarray, str]:
    """Rows that the classifier was not trained on, and a sentence on the others, if any."""
    where, trained = str(stored.path.parent), stored.record.training_images
    if not skip_known:
        refuse_known(where, matches, trained, "leave them out with --skip-known")
    reasons = matches.reasons(trained)
    rows = np.flatnonzero(reasons == "")
    if len(rows) == 0:
        raise DermaugError(f"{where}: it was trained on every image of {matches.catalog.root}")
    if len(rows) == len(reasons):
        return rows, ""
    left = f"{len(reasons) - len(rows):,} of {len(reasons):,} images"
    return rows, (
        f"classifiers of fold {stored.record.fold}: left out {left} known from the training "
        f"({counted(reasons)})"
    )
