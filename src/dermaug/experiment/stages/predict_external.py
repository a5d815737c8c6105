"""Trained classifiers on another labelled data set, and how they are found on disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lightning_fabric import Fabric

from dermaug.classifiers.classifier_training import CLASSIFIER
from dermaug.classifiers.inference import predict
from dermaug.classifiers.model import Classifier, ClassifierSpec, load_classifier
from dermaug.console import console
from dermaug.data.dataset import open_labelled
from dermaug.data.image_bank import ImageBank
from dermaug.data.pixels import PixelStore, refuse_uncropped
from dermaug.errors import DermaugError
from dermaug.evaluation.readouts import overall_read, per_class_read, prior_array
from dermaug.experiment.run.contents import read_remembered
from dermaug.experiment.run.identity import MANIFEST as RUN_MANIFEST
from dermaug.experiment.run.identity import run_above
from dermaug.experiment.run.known import Matches, counted, match_images, refuse_known
from dermaug.experiment.run.records import RunRecord, TrialRecord
from dermaug.experiment.run.run import DONE
from dermaug.training.checkpoint import checkpoint_digest

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class StoredClassifier:
    """A finished trial on disk.

    Args:
        path: Its checkpoint.
    """

    path: Path

    @cached_property
    def record(self) -> TrialRecord:
        """The record beside it: what it was trained on, without which nobody can judge it.

        Raises:
            DermaugError: There is none, it is not whole, or it is another classifier's.
        """
        path = self.path.parent / MANIFEST
        if not path.exists():
            raise DermaugError(
                f"{self.path}: expected {MANIFEST} beside it, which names the images it was "
                "trained on, found none; without it leakage cannot be excluded: take the "
                "classifier's whole folder, not the checkpoint alone"
            )
        record = TrialRecord.read(path)
        if record.digest != checkpoint_digest(self.path):
            raise DermaugError(
                f"{path}: expected the manifest of {self.path.name} beside it, found another "
                "classifier's; put the two that belong together into one folder"
            )
        return record

    @property
    def run(self) -> Path:
        """Folder of the run that it lies in, which remembers the images that it was trained on.

        Raises:
            DermaugError: It lies in none, or was trained on other data than that run's.
        """
        run = run_above(self.path)
        if run is None:
            raise DermaugError(
                f"{self.path}: expected the classifier in the folder of its run, which remembers "
                "the images that it was trained on, found it alone; without it leakage cannot be "
                "excluded: take the run's whole folder"
            )
        noted = RunRecord.read(run / RUN_MANIFEST).data.fingerprint
        if noted != self.record.fingerprint:
            raise DermaugError(
                f"{self.path}: expected a classifier of the run {run}, found one that was trained "
                "on other data; without its own run leakage cannot be excluded"
            )
        return run

    @property
    def name(self) -> dict[str, Any]:
        """Coordinates of the trial, for tables."""
        own = self.record
        return {"arm": own.arm.name, "model": own.model, "fold": own.fold, "seed": own.seed}


def only_classifier(path: Path) -> StoredClassifier:
    """The classifier of a checkpoint, of a trial's folder, or of a run with one.

    Raises:
        DermaugError: There is none, or there are several: lists them.
    """
    found = find_classifiers(path)
    if len(found) > 1:
        raise DermaugError(
            f"{path}: expected one classifier, found {len(found)}; name one of them",
            [str(each.path.parent) for each in found],
        )
    return found[0]


def find_classifiers(path: Path) -> list[StoredClassifier]:
    """The classifier of a checkpoint or a trial's folder, or every finished one of a run.

    Raises:
        DermaugError: There is none.
    """
    if path.is_file():
        files = [path]
    elif (path / CLASSIFIER).exists():
        files = [path / CLASSIFIER]
    else:
        trials = sorted(done.parent for done in path.glob(f"classifiers/**/{DONE}"))
        # A generator's critic lies with its generator, not in its trial.
        files = [trial / CLASSIFIER for trial in trials if not _is_critic(trial)]
    if not files:
        raise DermaugError(
            f"{path}: expected a classifier ({CLASSIFIER}), the folder of one, or a run with "
            "finished classifiers; found none"
        )
    return [StoredClassifier(file) for file in files]


def _is_critic(trial: Path) -> bool:
    path = trial / MANIFEST
    return path.exists() and bool(TrialRecord.read(path).discriminator_of)


def evaluate(
    classifiers: Sequence[StoredClassifier], data: Path, fabric: Fabric, *, skip_known: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score classifiers on a labelled data set that they have not seen.

    Args:
        classifiers: All trained on the same classes, size and crop, as those of one run are.
        data: Anything that `open_catalog` recognises.
        fabric: Device.
        skip_known: Leave out images that a classifier was trained on, and others of their lesions
            or patients, instead of refusing.

    Returns:
        One row a classifier: arm, model, fold, seed, images, and each overall metric; and one row
        a classifier and class: sensitivity, specificity, AUC and the others.

    Raises:
        DermaugError: Labels that the classifiers do not know, images they were trained on, or no
            run that remembers which these are; images without a segmentation for classifiers of
            lesion crops.
    """
    scores, class_scores = [], []
    stores: dict[str, PixelStore] = {}
    matched: dict[tuple[str, Path], Matches] = {}
    for stored in classifiers:
        classifier, spec = load_classifier(stored.path)
        config = stored.record.data.model_copy(update={"size": spec.size})
        key, run = config.model_dump_json(), stored.run
        if key not in stores:
            stores[key] = open_labelled(config, data, spec.classes)
            refuse_uncropped(stores[key], str(data))
        if (key, run) not in matched:
            matched[key, run] = match_images(stores[key], read_remembered(run))
        rows = _unseen(stored, matched[key, run], skip_known=skip_known)
        labels, probabilities = _predict(classifier, spec, stores[key], rows, fabric)
        prior = prior_array(stored.record.prior, spec.classes)
        found = overall_read(labels, probabilities, prior)
        scores.append(stored.name | {"images": len(rows)} | found)
        table = per_class_read(labels, probabilities, prior, spec.classes)
        class_scores.append(table.assign(**stored.name))
    return pd.DataFrame(scores), pd.concat(class_scores, ignore_index=True)


def _unseen(stored: StoredClassifier, matches: Matches, *, skip_known: bool) -> np.ndarray:
    """Rows that the classifier was not trained on."""
    where, trained = str(stored.path.parent), stored.record.training_images
    if not skip_known:
        refuse_known(where, matches, trained, "leave them out with --skip-known")
    reasons = matches.reasons(trained)
    rows = np.flatnonzero(reasons == "")
    if len(rows) == 0:
        raise DermaugError(f"{where}: it was trained on every image of {matches.catalog.root}")
    if len(rows) < len(reasons):
        left = f"{len(reasons) - len(rows):,} of {len(reasons):,} images"
        told = f"{where}: left out {left} known from the training ({counted(reasons)})"
        console.print(told, soft_wrap=True)
    return rows


def _predict(
    classifier: Classifier,
    spec: ClassifierSpec,
    store: PixelStore,
    rows: np.ndarray,
    fabric: Fabric,
) -> tuple[np.ndarray, np.ndarray]:
    bank = ImageBank.of(store.images[rows], store.catalog.labels[rows], fabric.device)
    probabilities = predict(classifier.to(fabric.device), bank, views=spec.views)
    return store.catalog.labels[rows], probabilities
