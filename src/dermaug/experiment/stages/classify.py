"""A classifier job: its training set, the training, the predictions and the manifest."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lightning_fabric import Fabric
from torch import nn

from dermaug.classifiers.classifier_training import CLASSIFIER, ClassifierTask, train_classifier
from dermaug.classifiers.inference import predict
from dermaug.classifiers.model import Classifier, load_classifier
from dermaug.console import progress_bar
from dermaug.data.dataset import open_labelled
from dermaug.data.image_bank import ImageBank, channel_statistics
from dermaug.data.pixels import PixelStore
from dermaug.data.splits import Fold
from dermaug.evaluation.predictions import build_predictions, write_predictions
from dermaug.experiment.plan.jobs import ClassifierJob, ReferenceJob
from dermaug.experiment.run.records import JOB_MANIFEST
from dermaug.experiment.run.run import PREDICTIONS, Run, external_name
from dermaug.experiment.stages.critics import borrow_critic
from dermaug.experiment.stages.half import halved
from dermaug.experiment.stages.training_set import TrainingSet, training_set
from dermaug.files import write_json
from dermaug.seeding import derive_seed
from dermaug.training.checkpoint import RESUME
from dermaug.training.order import Dosage


def run_classifier_job(run: Run, job: ClassifierJob, fabric: Fabric) -> None:
    """Train one classifier on its arm's images and predict validation and test once.

    The classifier of a critic arm was trained by its generator.
    """
    fold = run.fold(job.fold, job.lesions)
    seen = halved(run, fold) if job.mixture.half else fold
    training = training_set(run, job, seen, fabric.device)
    classifier: nn.Module
    if job.mixture.critic:
        classifier, made = borrow_critic(run, job, fold, fabric.device)
    else:
        classifier, made = _train_classifier(run, job, seen, training, fabric)
    parts = {"validation": fold.validation, "test": fold.test}
    _predict_parts(run, job, parts, classifier, fabric)
    _predict_external(run, job, classifier, fabric)
    _finish_classifier(run, job, seen, training, made)


def run_reference_job(run: Run, job: ReferenceJob, fabric: Fabric) -> None:
    """Train one network of the reference arm on a half of the training part, predict the other.

    The other half stands where validation stands otherwise; the test part is not looked at.
    """
    fold = run.fold(job.fold, job.lesions)
    kept, left = (halved(run, fold, half) for half in (job.half, 1 - job.half))
    crossed = replace(kept, validation=left.train)
    training = training_set(run, job, crossed, fabric.device)
    classifier, made = _train_classifier(run, job, crossed, training, fabric)
    _predict_parts(run, job, {"validation": crossed.validation}, classifier, fabric)
    _finish_classifier(run, job, crossed, training, made | {"half": job.half})


def _finish_classifier(
    run: Run, job: ClassifierJob, seen: Fold, training: TrainingSet, made: dict[str, Any]
) -> None:
    """Write the manifest of a classifier that was trained on the training part of `seen`."""
    catalog, folder = run.catalog, run.folder / job.key
    facts = made | {
        "arm": job.mixture.model_dump(mode="json"),
        "model": job.model,
        "config": job.config.model_dump(mode="json"),
        "fold": job.fold,
        "seed": job.seed,
        "generator_seed": job.generator_seed,
        "lesions": job.lesions,
        "fold_key": run.fold(job.fold, job.lesions).key,
        "data": run.experiment.data.model_dump(mode="json"),
        "classes": list(catalog.classes),
        "train_counts": training.counts,
        "provenance": training.provenance,
        "curation": training.removed,
        "capped": training.capped,
        "fingerprint": run.fingerprint,
        "training_images": list(seen.train),
        "training_lesions": sorted(set(catalog.table["lesion_id"].iloc[catalog.rows(seen.train)])),
        "training_groups": sorted(set(run.groups[catalog.rows(seen.train)])),
    }
    write_json(folder / JOB_MANIFEST, facts)
    run.mark_done(job.key)
    (folder / RESUME).unlink(missing_ok=True)


def _train_classifier(
    run: Run, job: ClassifierJob, fold: Fold, training: TrainingSet, fabric: Fabric
) -> tuple[Classifier, dict[str, Any]]:
    """The best classifier of a training, on the device, and how the training went."""
    catalog, folder = run.catalog, run.folder / job.key
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
        validation=ImageBank.of(run.images[validation], catalog.labels[validation], fabric.device),
        mean=mean,
        std=std,
        dosage=_dosage(job, training),
        soft=training.soft,
        crop=run.experiment.data.crop,
        margin=run.experiment.data.margin,
        seed=derive_seed("classifier", job.model, job.fold, job.seed),
        folder=folder,
    )
    trained = train_classifier(task, fabric)
    classifier, _ = load_classifier(folder / CLASSIFIER)
    return classifier.to(fabric.device), asdict(trained)


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
        bank = ImageBank.of(store.images[rows], store.catalog.labels, fabric.device)
        probabilities = predict(classifier, bank, views=job.config.views)
        table = build_predictions(store.catalog, rows, "test", probabilities)
        file = run.folder / job.key / external_name(place)
        write_predictions(file, table, run.catalog.classes)


@lru_cache(maxsize=8)
def external_store(run: Run, path: str) -> PixelStore:
    """An external test set, decoded as the run's own images are."""
    return open_labelled(run.experiment.data, Path(path), run.catalog.classes)


def _predict_parts(
    run: Run,
    job: ClassifierJob,
    parts: Mapping[str, Sequence[str]],
    classifier: nn.Module,
    fabric: Fabric,
) -> None:
    """Predict the images of each part, by their ids, and write one table."""
    tables = []
    with progress_bar(f"predictions of {job.title}", sum(map(len, parts.values()))) as advance:
        for part, ids in parts.items():
            rows = run.catalog.rows(ids)
            bank = ImageBank.of(run.images[rows], run.catalog.labels[rows], fabric.device)
            probabilities = predict(classifier, bank, views=job.config.views, advance=advance)
            tables.append(build_predictions(run.catalog, rows, part, probabilities))
    write_predictions(run.folder / job.key / PREDICTIONS, pd.concat(tables), run.catalog.classes)


@lru_cache(maxsize=64)
def _channel_statistics(run: Run, fold: Fold) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of the training part's channels, in [0, 1]."""
    return channel_statistics(run.images[run.catalog.rows(fold.train)])
