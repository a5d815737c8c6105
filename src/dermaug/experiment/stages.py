"""The two kinds of job, each from what lies on disk to what it leaves on disk."""

from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from lightning_fabric import Fabric

from dermaug.classifiers.inference import predict
from dermaug.classifiers.model import load_classifier
from dermaug.classifiers.training import BEST, ClassifierTask, train_classifier
from dermaug.console import progress_bar
from dermaug.data.image_bank import ImageBank, channel_statistics
from dermaug.data.splits import Fold
from dermaug.errors import DermaugError
from dermaug.evaluation.predictions import build_predictions, write_predictions
from dermaug.experiment.arms import doses, take_dose
from dermaug.experiment.jobs import ClassifierJob, GeneratorJob
from dermaug.experiment.runs import Run, training_counts
from dermaug.files import write_json
from dermaug.generators.checkpoint import GeneratorSpec, load_generator
from dermaug.generators.training import GENERATOR, RESUME, GeneratorTask, train_generator
from dermaug.seeding import derive_seed
from dermaug.synthesis.sampling import sample
from dermaug.synthesis.synthetic_set import (
    Provenance,
    SyntheticSet,
    read_synthetic_set,
    write_synthetic_set,
)
from dermaug.training.checkpoint import checkpoint_digest

PREDICTIONS = "predictions.parquet"
MANIFEST = "manifest.json"
SYNTHETIC = "synthetic"


def run_generator_job(run: Run, job: GeneratorJob, fabric: Fabric) -> None:
    """Train one generator on its fold's training part and draw its synthetic set."""
    fold, folder = run.fold(job.fold), run.folder / job.key
    rows = run.catalog.rows(fold.train)
    labels = run.catalog.table["label"].to_numpy()[rows]
    # The generator sees fold.train only: a test lesion would leak into every synthetic arm.
    rows = rows[np.isin(labels, job.classes)]
    if len(rows) == 0:
        raise DermaugError(f"{job.key}: the training part of fold {job.fold} has no {job.label}")
    places = {label: place for place, label in enumerate(job.classes)}
    own_labels = np.array([places[label] for label in run.catalog.table["label"].iloc[rows]])
    seen = tuple(run.catalog.image_ids[rows])
    task = GeneratorTask(
        title=f"{job.family} {job.label} fold {job.fold} seed {job.seed}",
        spec=GeneratorSpec(job.config, run.experiment.data.size, job.classes, fold.key, seen),
        training=ImageBank.of(run.images[rows], own_labels, fabric.device),
        seed=derive_seed("generator", job.family, job.label, job.fold, job.seed),
        folder=folder,
    )
    trained = train_generator(task, fabric)
    _draw_synthetic_set(run, job, task, fabric)
    facts = asdict(trained) | {
        "family": job.family,
        "label": job.label,
        "fold": job.fold,
        "seed": job.seed,
        "fold_key": fold.key,
        "config": job.config.model_dump(mode="json"),
        "training_images": len(seen),
    }
    write_json(folder / MANIFEST, facts)
    run.mark_done(job.key)
    (folder / RESUME).unlink(missing_ok=True)


def synthetic_folder(run_folder: Path, generator_key: str) -> Path:
    """Where the images of a generator job lie."""
    return run_folder / generator_key / SYNTHETIC


def run_classifier_job(run: Run, job: ClassifierJob, fabric: Fabric) -> None:
    """Train one classifier on its arm's images and predict validation and test once."""
    fold, folder, catalog = run.fold(job.fold), run.folder / job.key, run.catalog
    images, labels, counts = _training_set(run, job, fold)
    mean, std = _channel_statistics(run, fold)
    validation = catalog.rows(fold.validation)
    task = ClassifierTask(
        title=f"{job.arm} {job.model} fold {job.fold} seed {job.seed}",
        config=job.config,
        policy=job.mixture.policy,
        classes=catalog.classes,
        training=ImageBank.of(images, labels, fabric.device),
        validation=ImageBank.of(run.images[validation], catalog.labels[validation], fabric.device),
        mean=mean,
        std=std,
        seed=derive_seed("classifier", job.model, job.fold, job.seed),
        folder=folder,
    )
    trained = train_classifier(task, fabric)
    _predict_parts(run, fold, folder, fabric)
    facts = asdict(trained) | {
        "arm": job.mixture.model_dump(mode="json"),
        "model": job.model,
        "config": job.config.model_dump(mode="json"),
        "fold": job.fold,
        "seed": job.seed,
        "generator_seed": job.generator_seed,
        "fold_key": fold.key,
        "data": run.experiment.data.model_dump(mode="json"),
        "classes": list(catalog.classes),
        "train_counts": counts,
        "training_images": list(fold.train),
        "training_lesions": sorted(set(catalog.table["lesion_id"].iloc[catalog.rows(fold.train)])),
    }
    write_json(folder / MANIFEST, facts)
    run.mark_done(job.key)
    (folder / RESUME).unlink(missing_ok=True)


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
    provenance = Provenance(job.family, digest, seed, spec.fold_key, spec.training_images)
    folder = synthetic_folder(run.folder, job.key)
    write_synthetic_set(folder, SyntheticSet(np.concatenate(parts), labels, provenance))


def _training_set(
    run: Run, job: ClassifierJob, fold: Fold
) -> tuple[np.ndarray, np.ndarray, dict[str, dict[str, int]]]:
    """Images, labels, and label -> {real, synthetic}."""
    catalog, rows = run.catalog, run.catalog.rows(fold.train)
    images, labels = run.images[rows], catalog.labels[rows]
    real = training_counts(catalog, (fold,))[fold.index]
    counts = {label: {"real": number, "synthetic": 0} for label, number in real.items()}
    if job.mixture.synthetic is None:
        return images, labels, counts
    if undone := [key for key in job.generators if not run.is_done(key)]:
        raise DermaugError(
            f"{job.key} needs {len(undone)} generators that are not trained yet, {undone[0]} among "
            "them; run `dermaug train generator` first, or `dermaug run` for all in order"
        )
    sets = [read_synthetic_set(synthetic_folder(run.folder, key)) for key in job.generators]
    drawn = sorted({label for synthetic in sets for label in synthetic.labels})
    dose = doses(job.mixture.synthetic, drawn, real)
    extra, extra_labels = take_dose(sets, dose, fold, job.key)
    for label, number in dose.items():
        counts[label]["synthetic"] = number
    if not extra_labels:
        return images, labels, counts
    places = {label: place for place, label in enumerate(catalog.classes)}
    more = np.array([places[label] for label in extra_labels])
    return np.concatenate([images, extra]), np.concatenate([labels, more]), counts


def _predict_parts(run: Run, fold: Fold, folder: Path, fabric: Fabric) -> None:
    classifier, _ = load_classifier(folder / BEST)
    classifier.to(fabric.device)
    tables = []
    for part, ids in (("validation", fold.validation), ("test", fold.test)):
        rows = run.catalog.rows(ids)
        bank = ImageBank.of(run.images[rows], run.catalog.labels[rows], fabric.device)
        tables.append(build_predictions(run.catalog, rows, part, predict(classifier, bank)))
    write_predictions(folder / PREDICTIONS, pd.concat(tables), run.catalog.classes)


@lru_cache(maxsize=64)
def _channel_statistics(run: Run, fold: Fold) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of the training part's channels, in [0, 1]."""
    return channel_statistics(run.images[run.catalog.rows(fold.train)])
