"""A classifier job: its training set, the training, the predictions and the record."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Int
from lightning_fabric import Fabric
from torch import nn

from dermaug.classifiers.classifier_training import train_classifier
from dermaug.classifiers.inference import predict
from dermaug.classifiers.model import load_classifier
from dermaug.classifiers.trial_state import ClassifierTask
from dermaug.console import progress_bar
from dermaug.data.dataset import open_labelled
from dermaug.data.image_bank import ImageBank, channel_statistics
from dermaug.data.image_rows import ImageRows
from dermaug.data.pixels import PixelStore
from dermaug.data.splits import Fold
from dermaug.evaluation.predictions import build_predictions, write_predictions
from dermaug.experiment.plan.jobs import ClassifierJob
from dermaug.experiment.run.once import once_per_run
from dermaug.experiment.run.records import TrainingEntry, TrialRecord
from dermaug.experiment.run.run import Run
from dermaug.experiment.run.ties import ties_of, training_key
from dermaug.experiment.stages.discriminators import MadeClassifier, borrow_discriminator
from dermaug.experiment.stages.half import fold_of
from dermaug.experiment.stages.training_set import TrainingSet, training_set
from dermaug.files import sha256
from dermaug.seeding import derive_seed
from dermaug.training.order import Dosage


def run_classifier_job(run: Run, job: ClassifierJob, fabric: Fabric) -> TrialRecord:
    """Obtain the classifier of a trial and its predictions.

    Returns:
        The record, which marks the job as done once it is written.
    """
    fold = fold_of(run, job)
    training = training_set(run, job, fold, fabric.device)
    network: nn.Module
    if job.mixture.discriminator:
        network, made = borrow_discriminator(run, job, fold, fabric.device)
    else:
        network, made = _train(run, job, fold, training, fabric)
    _predict_parts(run, job, fold, network, fabric)
    if "test" in job.predicted:
        _predict_external(run, job, network, fabric)
    return TrialRecord(
        arm=job.mixture,
        model=job.model,
        config=job.config,
        fold=job.fold,
        seed=job.seed,
        generator_seed=job.generator_seed,
        lesions=job.lesions,
        half=job.half,
        fold_key=run.fold(job.fold, job.lesions).key,
        data=run.experiment.data,
        classes=run.catalog.classes,
        train_counts=training.counts,
        provenance=training.provenance,
        curation=training.removed,
        capped=training.capped,
        fingerprint=run.fingerprint,
        training_images=fold.train,
        predictions={path.name: sha256(path) for path in _predictions(run, job)},
        **asdict(made),
        ties=ties_of(run, job),
    )


def _predictions(run: Run, job: ClassifierJob) -> list[Path]:
    """The files of predictions of a trial."""
    files = run.job(job.key)
    others = range(len(run.experiment.data.external_test)) if "test" in job.predicted else ()
    return [files.predictions, *map(files.external, others)]


def _train(
    run: Run, job: ClassifierJob, fold: Fold, training: TrainingSet, fabric: Fabric
) -> tuple[nn.Module, MadeClassifier]:
    """Train the classifier of a trial and return it on the device."""
    catalog = run.catalog
    mean, std = _channel_statistics(run, fold)
    validation = catalog.rows(fold.validation)
    task = ClassifierTask(
        title=job.title,
        config=job.config,
        policy=job.mixture.policy,
        sampling=job.mixture.sampling or job.config.sampling,
        loss=job.mixture.loss,
        classes=catalog.classes,
        training=ImageBank.of(training.images, training.labels, fabric.device),
        validation=_bank(run, validation, fabric),
        mean=mean,
        std=std,
        dosage=_dosage(job, training),
        soft=training.soft,
        crop=run.experiment.data.crop,
        margin=run.experiment.data.margin,
        seed=derive_seed("classifier", job.model, job.fold, job.seed),
        folder=run.job(job.key).path,
        key=training_key(run, job),
    )
    found = train_classifier(task, fabric)
    entry = TrainingEntry(**{name: getattr(found, name) for name in TrainingEntry.model_fields})
    classifier, _ = load_classifier(run.job(job.key).classifier)
    made = MadeClassifier(found.digest, found.shown, found.prior, training=entry)
    return classifier.to(fabric.device), made


def _bank(run: Run, rows: Int[np.ndarray, " m"], fabric: Fabric) -> ImageBank:
    """Some of the run's own images."""
    return ImageBank.of(ImageRows((run.images, rows)), run.catalog.labels[rows], fabric.device)


def _dosage(job: ClassifierJob, training: TrainingSet) -> Dosage | None:
    """How the arm's dose is shown beside the real images."""
    synthetic = job.mixture.synthetic
    if synthetic is None or synthetic.only or not training.dosed:
        return None
    most = job.mixture.most_per_real
    return Dosage(training.dosed, synthetic.share, synthetic.first, most)


def _predict_external(run: Run, job: ClassifierJob, classifier: nn.Module, fabric: Fabric) -> None:
    for place, path in enumerate(run.experiment.data.external_test):
        store = external_store(run, path)
        rows = np.arange(len(store.catalog))
        bank = ImageBank.of(store.images, store.catalog.labels, fabric.device)
        probabilities = predict(classifier, bank, views=job.config.views)
        table = build_predictions(store.catalog, rows, "test", probabilities)
        write_predictions(run.job(job.key).external(place), table, run.catalog.classes)


@once_per_run
def external_store(run: Run, path: str) -> PixelStore:
    """An external test set, decoded like the run's own images."""
    return open_labelled(run.experiment.data, Path(path), run.catalog.classes)


def _predict_parts(
    run: Run, job: ClassifierJob, fold: Fold, classifier: nn.Module, fabric: Fabric
) -> None:
    """Predict the splits that the job requires, and write one table."""
    parts = {part: fold.parts[part] for part in job.predicted}
    tables = []
    with progress_bar(f"predictions of {job.title}", sum(map(len, parts.values()))) as advance:
        for part, ids in parts.items():
            rows = run.catalog.rows(ids)
            bank = _bank(run, rows, fabric)
            probabilities = predict(classifier, bank, views=job.config.views, advance=advance)
            tables.append(build_predictions(run.catalog, rows, part, probabilities))
    write_predictions(run.job(job.key).predictions, pd.concat(tables), run.catalog.classes)


@once_per_run
def _channel_statistics(run: Run, fold: Fold) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of the training split's channels, in [0, 1]."""
    return channel_statistics(ImageRows((run.images, run.catalog.rows(fold.train))))
