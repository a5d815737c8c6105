"""A generator job: train on the fold's training split, then draw the synthetic sets."""

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
from jaxtyping import Int
from lightning_fabric import Fabric

from dermaug.config.translation import Translation
from dermaug.console import Advance, progress_bar
from dermaug.data.halves import halves
from dermaug.data.image_bank import ImageBank
from dermaug.data.image_rows import ImageRows
from dermaug.errors import DermaugError
from dermaug.experiment.plan.jobs import GeneratorJob, PlannedSet
from dermaug.experiment.run.records import GeneratorRecord
from dermaug.experiment.run.run import Run
from dermaug.experiment.run.ties import ties_of, training_key
from dermaug.generators.family import Sampler
from dermaug.generators.generator_training import train_generator
from dermaug.generators.saved_generator import GeneratorSpec, load_generator
from dermaug.generators.snapshots import judges_snapshots
from dermaug.generators.state import GeneratorTask
from dermaug.seeding import derive_seed
from dermaug.synthesis.sampling import sample
from dermaug.synthesis.synthetic_set import (
    Provenance,
    SyntheticSet,
    write_synthetic_set,
)
from dermaug.synthesis.translation import starting_rows, translate_batches
from dermaug.training.checkpoint import checkpoint_digest
from dermaug.training.leading import call_to_job
from dermaug.training.ranks import ALONE, Ranks


def run_generator_job(
    run: Run, job: GeneratorJob, fabric: Fabric, ranks: Ranks = ALONE
) -> GeneratorRecord:
    """Train a generator, draw its synthetic sets, and return the record that marks it as done.

    Of the processes that train it together, this one is the first.
    """
    call_to_job(ranks, job.key)
    task = generator_task(run, job, fabric, ranks)
    trained = train_generator(task, fabric)
    _draw_sets(run, job, task, fabric)
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
        ties=ties_of(run.files, job),
        translated=tuple(each.translation for each in job.translated if each.translation),
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
        key=training_key(run.files, job),
    )


def _bank(run: Run, job: GeneratorJob, rows: np.ndarray, fabric: Fabric) -> ImageBank:
    """Images of a generator's classes, with labels in the order of its own classes."""
    names = pd.Index(run.catalog.table["label"].to_numpy()[rows])
    labels = pd.Index(job.classes).get_indexer(names)
    return ImageBank.of(ImageRows((run.images, rows)), labels, fabric.device)


def _draw_sets(run: Run, job: GeneratorJob, task: GeneratorTask, fabric: Fabric) -> None:
    files, seed = run.job(job.key), derive_seed(task.seed, "synthetic")
    sampler, spec = load_generator(files.generator, fabric.device)
    digest = checkpoint_digest(files.generator)
    seen, chosen_by = spec.training_images, spec.validation_images
    origin = Provenance(job.family, digest, seed, spec.fold_key, seen, chosen_by)
    with progress_bar(f"images of {task.title}", job.num_drawn) as advance:
        for planned in job.sets:
            drawn = _drawn(run, job, planned, sampler, origin, advance)
            write_synthetic_set(files.synthetic_of(planned.translation), drawn)


def _drawn(
    run: Run,
    job: GeneratorJob,
    planned: PlannedSet,
    sampler: Sampler,
    origin: Provenance,
    advance: Advance,
) -> SyntheticSet:
    """One set of a trained generator: from noise, or from training images of its fold."""
    labels = tuple(np.repeat(job.classes, planned.numbers).tolist())
    if planned.translation is None:
        parts = [
            sample(sampler, label, number, origin.seed, advance)
            for label, number in enumerate(planned.numbers)
        ]
        return SyntheticSet(np.concatenate(parts), labels, origin)
    how, seed = planned.translation, origin.seed
    rows = _starts(run, job, planned.numbers, how, seed)
    parts = [
        batch
        for label, own in enumerate(rows)
        for batch in translate_batches(
            sampler, label, ImageRows((run.images, own)), how.start, seed, advance
        )
    ]
    used = np.unique(run.catalog.image_ids[np.concatenate(rows)]).tolist()
    provenance = replace(origin, note=how.note, started_from=tuple(map(str, used)))
    return SyntheticSet(np.concatenate(parts), labels, provenance)


def _starts(
    run: Run, job: GeneratorJob, numbers: Sequence[int], translation: Translation, seed: int
) -> list[Int[np.ndarray, " number"]]:
    """For each class of a generator, the rows of the training images that start its images."""
    # The fold's training split alone: another image would leak into the arm, and be its copy.
    train = run.catalog.rows(run.fold(job.fold, job.lesions).train)
    labels = run.catalog.table["label"].to_numpy()[train]
    starts = []
    for label, number in zip(job.classes, numbers, strict=True):
        able = train[labels == (translation.start_class or label)]
        starts.append(able[starting_rows(len(able), number, label, seed)] if number else able[:0])
    return starts
