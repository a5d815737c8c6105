"""The two kinds of job, each from what lies on disk to what it leaves on disk."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lightning_fabric import Fabric
from torch import nn

from dermaug.classifiers.inference import predict
from dermaug.classifiers.model import Classifier, load_classifier
from dermaug.classifiers.training import CLASSIFIER, ClassifierTask, train_classifier
from dermaug.console import progress_bar
from dermaug.data.dataset import open_labelled
from dermaug.data.halves import halves
from dermaug.data.image_bank import ImageBank, channel_statistics
from dermaug.data.pixels import PixelStore
from dermaug.data.splits import Fold
from dermaug.errors import DermaugError
from dermaug.evaluation.predictions import build_predictions, write_predictions
from dermaug.experiment.critics import borrow_critic
from dermaug.experiment.halves import halved
from dermaug.experiment.jobs import ClassifierJob, GeneratorJob, ReferenceJob
from dermaug.experiment.manifests import JOB_MANIFEST
from dermaug.experiment.runs import PREDICTIONS, Run, synthetic_folder
from dermaug.experiment.training_sets import TrainingSet, training_set
from dermaug.files import write_json
from dermaug.generators.checkpoint import GeneratorSpec, load_generator
from dermaug.generators.snapshots import judges_snapshots
from dermaug.generators.state import GENERATOR, GeneratorTask
from dermaug.generators.training import train_generators
from dermaug.seeding import derive_seed
from dermaug.synthesis.sampling import sample
from dermaug.synthesis.synthetic_set import (
    Provenance,
    SyntheticSet,
    write_synthetic_set,
)
from dermaug.training.checkpoint import RESUME, checkpoint_digest
from dermaug.training.order import Dosage


def run_generator_jobs(run: Run, jobs: Sequence[GeneratorJob], fabric: Fabric) -> None:
    """Train generators of one configuration, several as one, and draw their synthetic sets."""
    tasks = [generator_task(run, job, fabric) for job in jobs]
    for job, task, trained in zip(jobs, tasks, train_generators(tasks, fabric), strict=True):
        _draw_synthetic_set(run, job, task, fabric)
        facts = asdict(trained) | {
            "family": job.family,
            "label": job.label,
            "fold": job.fold,
            "seed": job.seed,
            "fold_key": task.spec.fold_key,
            "config": job.config.model_dump(mode="json"),
            "training_images": len(task.spec.training_images),
        }
        write_json(task.folder / JOB_MANIFEST, facts)
        run.mark_done(job.key)
        (task.folder / RESUME).unlink(missing_ok=True)


def generator_task(run: Run, job: GeneratorJob, fabric: Fabric) -> GeneratorTask:
    """What one generator is trained on, and what its snapshots are chosen by.

    It sees its fold's training part; snapshots are compared with one half of the validation part,
    so that an audit can judge the choice by the other. The test part is for the scores alone.

    Raises:
        DermaugError: The training part has no image of its classes.
    """
    fold, groups = run.fold(job.fold, job.lesions), run.groups
    labels, ids = run.catalog.table["label"].to_numpy(), run.catalog.image_ids
    validation = run.catalog.rows(fold.validation)
    halved = halves(groups[validation], labels[validation], fold.index)
    # The generator sees fold.train only: a test lesion would leak into every synthetic arm.
    rows, kept = (
        found[np.isin(labels[found], job.classes)]
        for found in (run.catalog.rows(fold.train), validation[halved.choosing])
    )
    if len(rows) == 0:
        raise DermaugError(f"{job.key}: the training part of fold {job.fold} has no {job.label}")
    chosen_by = tuple(ids[kept]) if judges_snapshots(job.config) else ()
    size, seen = run.experiment.data.size, tuple(ids[rows])
    return GeneratorTask(
        title=f"{job.family} {job.label} fold {job.fold} seed {job.seed}",
        spec=GeneratorSpec(job.config, size, job.classes, fold.key, seen, chosen_by),
        training=_bank(run, job, rows, fabric),
        held_out=_bank(run, job, kept, fabric),
        groups=(groups[rows], groups[kept]),
        seed=derive_seed("generator", job.family, job.label, job.fold, job.seed),
        folder=run.folder / job.key,
    )


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
    dosage, synthetic = _dosage(job, training), job.mixture.synthetic
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
        dosage=dosage,
        soft=training.soft,
        own_norm=dosage is not None and synthetic is not None and synthetic.own_norm,
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


def _bank(run: Run, job: GeneratorJob, rows: np.ndarray, fabric: Fabric) -> ImageBank:
    """Images of a generator's classes, with labels as it counts them."""
    places = {label: place for place, label in enumerate(job.classes)}
    names = run.catalog.table["label"].to_numpy()[rows]
    labels = np.array([places[label] for label in names], dtype=np.int64)
    return ImageBank.of(run.images[rows], labels, fabric.device)


def _draw_synthetic_set(run: Run, job: GeneratorJob, task: GeneratorTask, fabric: Fabric) -> None:
    sampler, spec = load_generator(task.folder / GENERATOR, fabric.device)
    seed = derive_seed(task.seed, "synthetic")
    with progress_bar(f"images of {task.title}", sum(job.numbers)) as advance:
        parts = [
            sample(sampler, label, number, seed, advance)
            for label, number in enumerate(job.numbers)
        ]
    labels = tuple(np.repeat(job.classes, job.numbers).tolist())
    digest = checkpoint_digest(task.folder / GENERATOR)
    seen, chosen_by = spec.training_images, spec.validation_images
    provenance = Provenance(job.family, digest, seed, spec.fold_key, seen, chosen_by)
    folder = synthetic_folder(run.folder, job.key)
    write_synthetic_set(folder, SyntheticSet(np.concatenate(parts), labels, provenance))


def external_name(place: int) -> str:
    """File of the predictions of the external data set at some place of `data.external_test`."""
    return f"external{place}.parquet"


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
