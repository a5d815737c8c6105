"""A generator job: train on the fold's training split, then draw the synthetic images."""

from dataclasses import asdict

import numpy as np
from lightning_fabric import Fabric

from dermaug.console import progress_bar
from dermaug.data.halves import halves
from dermaug.data.image_bank import ImageBank
from dermaug.data.image_rows import ImageRows
from dermaug.errors import DermaugError
from dermaug.experiment.plan.jobs import GeneratorJob
from dermaug.experiment.run.records import GeneratorRecord
from dermaug.experiment.run.run import Run
from dermaug.experiment.run.ties import ties_of
from dermaug.generators.generator_training import train_generator
from dermaug.generators.saved_generator import GeneratorSpec, load_generator
from dermaug.generators.snapshots import judges_snapshots
from dermaug.generators.state import GeneratorTask
from dermaug.seeding import derive_seed
from dermaug.synthesis.sampling import sample
from dermaug.synthesis.synthetic_set import Provenance, SyntheticSet, write_synthetic_set
from dermaug.training.checkpoint import checkpoint_digest
from dermaug.training.leading import call_to_job
from dermaug.training.ranks import ALONE, Ranks


def run_generator_job(
    run: Run, job: GeneratorJob, fabric: Fabric, ranks: Ranks = ALONE
) -> GeneratorRecord:
    """Train a generator, draw its synthetic set, and return the record that marks it as done.

    Args:
        run: A run that has been started.
        job: The job.
        fabric: Device and precision.
        ranks: The processes that train it together, of which this one is the first.
    """
    call_to_job(ranks, job.key)
    task = generator_task(run, job, fabric, ranks)
    trained = train_generator(task, fabric)
    _draw_synthetic_set(run, job, task, fabric)
    return GeneratorRecord(
        family=job.family,
        label=job.label,
        fold=job.fold,
        seed=job.seed,
        lesions=job.lesions,
        fold_key=task.spec.fold_key,
        config=job.config,
        training_images=len(task.spec.training_images),
        **asdict(trained),
        ties=ties_of(run, job),
    )


def generator_task(
    run: Run, job: GeneratorJob, fabric: Fabric, ranks: Ranks = ALONE
) -> GeneratorTask:
    """Collect the training images of a generator and the images that select its snapshots.

    A generator is trained on its fold's training split. Snapshots are selected on one half of the
    validation split, so that an audit can use the other half. The test split is used for scores
    only.

    Raises:
        DermaugError: The training split has no image of the generator's classes.
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
        raise DermaugError(f"{job.key}: the training split of fold {job.fold} has no {job.label}")
    chosen_by = tuple(ids[kept]) if judges_snapshots(job.config) else ()
    size, seen = run.experiment.data.size, tuple(ids[rows])
    return GeneratorTask(
        title=f"{job.family} {job.label} fold {job.fold} seed {job.seed}",
        spec=GeneratorSpec(job.config, size, job.classes, fold.key, seen, chosen_by),
        training=_bank(run, job, rows, fabric),
        validation=_bank(run, job, kept, fabric),
        groups=(groups[rows], groups[kept]),
        seed=derive_seed("generator", job.family, job.label, job.fold, job.seed),
        folder=run.folder / job.key,
        ranks=ranks,
    )


def _bank(run: Run, job: GeneratorJob, rows: np.ndarray, fabric: Fabric) -> ImageBank:
    """Images of a generator's classes, with labels in the order of its own classes."""
    places = {label: place for place, label in enumerate(job.classes)}
    names = run.catalog.table["label"].to_numpy()[rows]
    labels = np.array([places[label] for label in names], dtype=np.int64)
    return ImageBank.of(ImageRows((run.images, rows)), labels, fabric.device)


def _draw_synthetic_set(run: Run, job: GeneratorJob, task: GeneratorTask, fabric: Fabric) -> None:
    sampler, spec = load_generator(run.job(job.key).generator, fabric.device)
    seed = derive_seed(task.seed, "synthetic")
    with progress_bar(f"images of {task.title}", sum(job.numbers)) as advance:
        parts = [
            sample(sampler, label, number, seed, advance)
            for label, number in enumerate(job.numbers)
        ]
    labels = tuple(np.repeat(job.classes, job.numbers).tolist())
    digest = checkpoint_digest(run.job(job.key).generator)
    seen, chosen_by = spec.training_images, spec.validation_images
    provenance = Provenance(job.family, digest, seed, spec.fold_key, seen, chosen_by)
    folder = run.job(job.key).synthetic
    write_synthetic_set(folder, SyntheticSet(np.concatenate(parts), labels, provenance))
