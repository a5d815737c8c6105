"""A classifier job: its training set, the training, the predictions and the record."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int
from lightning_fabric import Fabric
from torch import nn

from dermaug.classifiers.classifier_training import train_classifier
from dermaug.classifiers.inference import predict
from dermaug.classifiers.model import load_classifier
from dermaug.classifiers.trial_steps import ClassifierTask
from dermaug.console import Advance, progress_bar
from dermaug.data.image_bank import ImageBank
from dermaug.data.image_rows import ImageRows
from dermaug.data.pixels import PixelStore
from dermaug.evaluation.predictions import build_predictions, write_predictions
from dermaug.experiment.plan.jobs import ClassifierJob
from dermaug.experiment.run.records import TrialRecord
from dermaug.experiment.run.run import Run
from dermaug.experiment.run.ties import ties_of, training_key
from dermaug.experiment.stages.discriminators import borrow_discriminator
from dermaug.experiment.stages.training_set import TrainingSet, training_set
from dermaug.files import sha256
from dermaug.seeding import derive_seed
from dermaug.training.order import Dosage

Rows = Int[np.ndarray, " m"]


def run_classifier_job(run: Run, job: ClassifierJob, fabric: Fabric) -> TrialRecord:
    """Obtain the classifier of a trial and its predictions.

    Returns:
        The record, which marks the job as done once it is written.
    """
    files, device = run.job(job.key), fabric.device
    training = training_set(run, job, device)
    network: nn.Module
    if job.mixture.discriminator:
        network, made = borrow_discriminator(run, job, training.fold, device)
    else:
        made = train_classifier(_task(run, job, training, device), fabric)
        network, _ = load_classifier(files.classifier)
        network.to(device)
    parts = {part: run.catalog.rows(training.fold.parts[part]) for part in job.predicted}
    with progress_bar(f"predictions of {job.title}", sum(map(len, parts.values()))) as advance:
        _predict(network, job, run.store, parts, files.predictions, device, advance)
    written = [files.predictions]
    for place, store in enumerate(run.external if "test" in parts else ()):
        written.append(files.external(place))
        every = {"test": np.arange(len(store.catalog))}
        _predict(network, job, store, every, written[-1], device)
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
        training_images=training.fold.train,
        predictions={path.name: sha256(path) for path in written},
        **vars(made),
        ties=ties_of(run.files, job),
    )


def _task(
    run: Run, job: ClassifierJob, training: TrainingSet, device: torch.device
) -> ClassifierTask:
    catalog, data, arm = run.catalog, run.experiment.data, job.mixture
    mean, std = run.channels(training.fold)
    return ClassifierTask(
        title=job.title,
        config=job.config,
        policy=arm.policy,
        sampling=arm.sampling or job.config.sampling,
        loss=arm.loss,
        classes=catalog.classes,
        training=ImageBank.of(training.images, training.labels, device),
        validation=_bank(run.store, catalog.rows(training.fold.validation), device),
        mean=mean,
        std=std,
        dosage=_dosage(job, training),
        soft=training.soft,
        crop=data.crop,
        margin=data.margin,
        seed=derive_seed("classifier", job.model, job.fold, job.seed),
        folder=run.job(job.key).path,
        key=training_key(run.files, job),
    )


def _bank(store: PixelStore, rows: Rows, device: torch.device) -> ImageBank:
    return ImageBank.of(ImageRows((store.images, rows)), store.catalog.labels[rows], device)


def _dosage(job: ClassifierJob, training: TrainingSet) -> Dosage | None:
    """How the arm's dose is shown beside the real images."""
    synthetic = job.mixture.synthetic
    if synthetic is None or synthetic.only or not training.dosed:
        return None
    most = job.mixture.most_per_real
    return Dosage(training.dosed, synthetic.share, synthetic.first, most)


def _predict(
    network: nn.Module,
    job: ClassifierJob,
    store: PixelStore,
    parts: Mapping[str, Rows],
    path: Path,
    device: torch.device,
    advance: Advance | None = None,
) -> None:
    """Predict the rows of each split of a data set, and write one table."""
    tables = []
    for part, rows in parts.items():
        bank = _bank(store, rows, device)
        probabilities = predict(network, bank, views=job.config.views, advance=advance)
        tables.append(build_predictions(store.catalog, rows, part, probabilities))
    write_predictions(path, pd.concat(tables), store.catalog.classes)
