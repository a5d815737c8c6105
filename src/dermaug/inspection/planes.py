"""t-SNE planes of a run: test images of two classifiers, and real beside synthetic images."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from dermaug.errors import DermaugError
from dermaug.evaluation.embedding import FEWEST, embed
from dermaug.experiment.plan.jobs import ClassifierJob, GeneratorJob, Job
from dermaug.experiment.run.artefacts import drawn_set, recorded_checkpoint
from dermaug.experiment.run.layout import RunFolder
from dermaug.experiment.run.records import RunRecord
from dermaug.experiment.run.run import Run
from dermaug.experiment.run.ties import network_digests
from dermaug.experiment.stages.judges import Judge, classifier_judge
from dermaug.files import Record
from dermaug.inspection.audit_run import audit_run, class_rows, control_job, judging_of
from dermaug.seeding import derive_seed
from dermaug.synthesis.synthetic_set import SyntheticSet
from dermaug.training.fabric import start_fabric

WITHOUT, WITH, TOGETHER = "without", "with", "together"
VERSION = 2
MOST_OF_A_CLASS = 80


class Point(Record):
    """One image in a plane."""

    plane: str
    classifier: str
    origin: str
    label: str
    x: float
    y: float


class EmbeddingRecord(Record):
    """`embedding.json`."""

    version: int
    run: str
    """`RunRecord.id` of its run."""
    networks: dict[str, str]
    """Key of each job whose network or images are shown -> digest of the network's checkpoint."""
    points: tuple[Point, ...]


COLUMNS = list(Point.model_fields)


def audit_images(run: Run, device: str) -> None:
    """Audit the generators of a run and compute its t-SNE planes, for the report."""
    if any(run.is_done(job.key) for job in run.jobs.generators):
        where = start_fabric(device).device
        audit_run(run, where)
        embed_run(run, where)


def embed_run(run: Run, device: torch.device) -> pd.DataFrame:
    """Embed last-layer features of the first synthetic arm and its control, first fold and seed.

    Test images may be shown here because nothing is selected with these planes.

    Returns:
        One row per point: plane (`without` and `with`: features of test images from the control
        and from the synthetic arm's classifier; `together`: features of validation images and of
        the arm's synthetic ones from the control), classifier (its key), origin (real or
        synthetic), label, x, y. Empty if no pair of classifiers and no generator has finished.
    """
    chosen = _pair(run)
    if chosen is None:
        return pd.DataFrame(columns=COLUMNS)
    control, treated, generators = chosen
    checkpoints = [
        recorded_checkpoint(run.job(trial.key).classifier) for trial in (control, treated)
    ]
    shown: list[Job] = [control, treated, *generators]
    tied = network_digests(run.files, (job.key for job in shown))
    identity = RunRecord.read(run.files.record).id
    path = run.files.embedding
    if path.exists():
        stored = EmbeddingRecord.read(path)
        if (stored.version, stored.run, stored.networks) == (VERSION, identity, tied):
            return _table(stored)
    judges = [classifier_judge(checkpoint, device) for checkpoint in checkpoints]
    planes = [
        _test_plane(run, control, judges[0], WITHOUT),
        _test_plane(run, treated, judges[1], WITH),
        _together(run, control, judges[0], [_set_of(run, treated, job) for job in generators]),
    ]
    table = pd.concat(planes, ignore_index=True)[COLUMNS]
    rows = table.round(3).to_dict("records")
    points = tuple(map(Point.model_validate, rows))
    EmbeddingRecord(version=VERSION, run=identity, networks=tied, points=points).write(path)
    return table


def read_embedding(run_folder: Path) -> pd.DataFrame:
    """Read the planes stored by `embed_run`; empty without any.

    Raises:
        DermaugError: The file is damaged, or shows other networks than those of the run.
    """
    run = RunFolder(run_folder)
    if not run.embedding.exists():
        return pd.DataFrame(columns=COLUMNS)
    record = EmbeddingRecord.read(run.embedding)
    now = network_digests(run, record.networks)
    if record.run != RunRecord.read(run.record).id or record.networks | now != record.networks:
        raise DermaugError(
            f"{run.embedding}: expected the planes of this run's networks as they are, found those "
            "of another run or of networks that were trained again since; delete the file, and "
            "give the command of the run again: it draws them again"
        )
    return _table(record)


def _table(record: EmbeddingRecord) -> pd.DataFrame:
    return pd.DataFrame([dict(point) for point in record.points], columns=COLUMNS)


def _pair(run: Run) -> tuple[ClassifierJob, ClassifierJob, list[GeneratorJob]] | None:
    """Control, synthetic trial of the same model, fold and seed, and its finished generators."""
    jobs = {job.key: job for job in run.jobs.generators if run.is_done(job.key)}
    for trial in run.jobs.classifiers:
        if trial.mixture.discriminator:
            continue  # a discriminator, not a classifier trained on synthetic images
        needed = [jobs[key] for key in trial.generators if key in jobs]
        if not needed or trial.lesions or not run.is_done(trial.key):
            continue
        control = control_job(run, needed[0])
        if control is not None and (control.model, control.seed) == (trial.model, trial.seed):
            return control, trial, needed
    return None


def _test_plane(run: Run, trial: ClassifierJob, judge: Judge, plane: str) -> pd.DataFrame:
    images, labels = _shown(run, run.catalog.rows(run.fold(trial.fold).test))
    return _plane(judge.features(images), plane, trial, labels, ["real"] * len(labels))


def _set_of(run: Run, trial: ClassifierJob, generator: GeneratorJob) -> SyntheticSet:
    """The set of a generator that a trial takes, or that from noise if it takes none of it."""
    how = trial.mixture.synthetic.translation if trial.mixture.synthetic else None
    there = any(planned.translation == how for planned in generator.sets)
    return drawn_set(run.job(generator.key), how if there else None)


def _together(
    run: Run, control: ClassifierJob, judge: Judge, sets: list[SyntheticSet]
) -> pd.DataFrame:
    parts, labels, kept = [], [], []
    for synthetic in sets:
        for label in dict.fromkeys(synthetic.labels):
            rows = class_rows(synthetic, label)[:MOST_OF_A_CLASS]
            parts.append(np.asarray(synthetic.images[rows]))
            labels += [label] * len(rows)
            kept.append(judging_of(run, run.fold(control.fold), synthetic, label).rows)
    real, real_labels = _shown(run, np.unique(np.concatenate(kept)))
    images = np.concatenate([real, *parts])
    origins = ["real"] * len(real) + ["synthetic"] * len(labels)
    names = [*real_labels, *labels]
    return _plane(judge.features(images), TOGETHER, control, names, origins)


def _shown(run: Run, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels, at most `MOST_OF_A_CLASS` per class, identical for every classifier."""
    rows = np.random.default_rng(derive_seed("plane", len(rows))).permutation(rows)
    labels = run.catalog.table["label"].to_numpy()[rows]
    kept = pd.Series(labels).groupby(labels).cumcount().to_numpy() < MOST_OF_A_CLASS
    return np.asarray(run.images[rows[kept]]), labels[kept]


def _plane(
    features: np.ndarray, plane: str, trial: ClassifierJob, labels: object, origins: list[str]
) -> pd.DataFrame:
    if len(features) < FEWEST:
        return pd.DataFrame(columns=COLUMNS)
    points = embed(features, derive_seed("plane", plane))
    return pd.DataFrame(
        {
            "plane": plane,
            "classifier": trial.key,
            "origin": origins,
            "label": labels,
            "x": points[:, 0],
            "y": points[:, 1],
        }
    )
