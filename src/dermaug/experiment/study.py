"""Run a whole experiment: the generators, then the cells; what is done is not done again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from dermaug.config import Experiment
from dermaug.console import console
from dermaug.errors import DermaugError
from dermaug.evaluation.predictions import read_predictions, refuse_other_rows
from dermaug.experiment import stages
from dermaug.experiment.audit_embedding import audit_images
from dermaug.experiment.jobs import ClassifierJob, GeneratorJob, ReferenceJob
from dermaug.experiment.manifests import (
    JOB_MANIFEST,
    CriticManifest,
    GeneratorManifest,
    JudgedManifest,
    RunManifest,
    TrainedManifest,
)
from dermaug.experiment.outside import look_outside
from dermaug.experiment.results import CellResult, GeneratorResult, RunResults
from dermaug.experiment.run_identity import MANIFEST
from dermaug.experiment.runs import (
    PREDICTIONS,
    Run,
    begin_run,
    finish_run,
    note_device,
    open_run,
    prepare_run,
    synthetic_folder,
)
from dermaug.files import read_record, read_shaped, require_writable
from dermaug.generators import FAMILIES
from dermaug.synthesis.synthetic_set import read_synthetic_set
from dermaug.training.fabric import start_fabric
from dermaug.training.journal import JOURNAL, read_journal

SAMPLES_SHOWN = 64


def run_experiment(
    folder: Path,
    experiment: Experiment,
    *,
    device: str,
    precision: str,
    command: str,
    abreast: int = 1,
) -> RunResults:
    """Do every job that is not done, one after the other on one device.

    Args:
        folder: The run's folder; a run begun there goes on.
        experiment: What is asked.
        device: auto, cpu, cuda or mps.
        precision: auto, 32-true or bf16-mixed.
        command: What the user typed, for the report.
        abreast: Generators of one configuration that train as one where their family can.

    Raises:
        DermaugError: Bad data, another experiment's folder, or a training that failed.
    """
    run = open_run(folder, experiment, command)
    do_jobs(run, run.jobs.in_order, device, precision, abreast)
    audit_images(run, device)
    finish_run(run)
    return read_results(run)


def train_some(
    folder: Path,
    experiment: Experiment,
    wave: Literal["generators", "classifiers"],
    wanted: Mapping[str, str | int | None],
    *,
    device: str,
    precision: str,
    command: str,
    abreast: int = 1,
) -> None:
    """Do the jobs of one wave that have the wanted coordinates.

    Args:
        folder: The run's folder; a run begun there goes on.
        experiment: What is asked.
        wave: Which jobs to choose from.
        wanted: Attribute of the job -> value; None takes any.
        device: As for `run_experiment`.
        precision: As for `run_experiment`.
        command: As for `run_experiment`.
        abreast: As for `run_experiment`.

    Raises:
        DermaugError: No job is like that, or one needs a network that is not trained yet.
    """
    require_writable(folder)
    run = prepare_run(folder, experiment)
    there: Sequence[GeneratorJob | ClassifierJob] = run.jobs.generators
    if wave == "classifiers":  # a reference on a half is one of the reference arm's
        there = (*run.jobs.references, *run.jobs.classifiers)
    asked = {name: value for name, value in wanted.items() if value is not None}
    jobs = [
        job for job in there if all(getattr(job, name) == value for name, value in asked.items())
    ]
    if not jobs:
        words = " and ".join(f"{name} {value}" for name, value in asked.items()) or "any"
        raise DermaugError(
            f"{experiment.name} has no {wave[:-1]} of {words}; it has {len(there)}",
            [job.key for job in there],
        )
    begin_run(run, command)
    do_jobs(run, jobs, device, precision, abreast)


def do_jobs(
    run: Run,
    jobs: Sequence[GeneratorJob | ClassifierJob],
    device: str,
    precision: str,
    abreast: int = 1,
) -> None:
    """Do those of some jobs that are not done."""
    left = [job for job in jobs if not run.is_done(job.key)]
    console.print(f"{len(jobs)} jobs, {len(jobs) - len(left)} done; writing to {run.folder}")
    if not left:
        return
    fabric = start_fabric(device, precision)
    note_device(run, str(fabric.device))
    if classifiers := [job for job in left if isinstance(job, ClassifierJob)]:
        look_outside(run, classifiers)
    for together in _groups([job for job in left if isinstance(job, GeneratorJob)], abreast):
        stages.run_generator_jobs(run, together, fabric)
    for job in classifiers:
        if isinstance(job, ReferenceJob):
            stages.run_reference_job(run, job, fabric)
        else:
            stages.run_classifier_job(run, job, fabric)


def _groups(jobs: Sequence[GeneratorJob], abreast: int) -> Iterator[Sequence[GeneratorJob]]:
    """Jobs of one generator, so many at a time as train as one."""
    for config, group in groupby(jobs, key=lambda job: job.config):
        alike, number = list(group), abreast if FAMILIES[config.family].stackable else 1
        yield from (alike[start : start + number] for start in range(0, len(alike), number))


def read_results(run: Run) -> RunResults:
    """What a run has left on disk so far: its largest training part, the smaller ones within."""
    largest, *smaller = run.experiment.splits.sizes
    reduced = tuple(_read_point(run, lesions) for lesions in smaller)
    return replace(_read_point(run, largest), reduced=reduced)


def _read_point(run: Run, lesions: int) -> RunResults:
    generators = [job for job in run.jobs.generators if job.lesions == lesions]
    cells = [job for job in run.jobs.classifiers if job.lesions == lesions]
    manifest = read_shaped(run.folder / MANIFEST, RunManifest)
    return RunResults(
        folder=run.folder,
        experiment=run.experiment,
        manifest=manifest,
        catalog=run.catalog,
        images=run.images,
        skipped=manifest["data"]["skipped"],
        folds=tuple(run.fold(fold.index, lesions) for fold in run.folds),
        generators=tuple(
            _generator_result(run, job, place)
            for job in generators
            for place in range(len(job.classes))
            if run.is_done(job.key)
        ),
        cells=tuple(_cell_result(run, job) for job in cells if run.is_done(job.key)),
        num_jobs=(len(generators), len(cells)),
        lesions=lesions,
    )


def _generator_result(run: Run, job: GeneratorJob, place: int) -> GeneratorResult:
    folder = run.folder / job.key
    synthetic = read_synthetic_set(synthetic_folder(run.folder, job.key))
    first = sum(job.numbers[:place])
    return GeneratorResult(
        family=job.family,
        label=job.classes[place],
        fold=job.fold,
        seed=job.seed,
        folder=folder,
        manifest=_generator_manifest(folder / JOB_MANIFEST),
        journal=_journal(folder),
        samples=synthetic.images[first : first + min(SAMPLES_SHOWN, job.numbers[place])],
    )


def _cell_result(run: Run, job: ClassifierJob) -> CellResult:
    folder, fold = run.folder / job.key, run.fold(job.fold, job.lesions)
    path = folder / PREDICTIONS
    predictions = read_predictions(path, run.catalog.classes)
    parts = {"validation": fold.validation, "test": fold.test}
    refuse_other_rows(predictions, run.catalog, parts, str(path))
    shape = CriticManifest if job.mixture.critic else TrainedManifest
    return CellResult(
        arm=job.arm,
        model=job.model,
        fold=job.fold,
        seed=job.seed,
        generator_seed=job.generator_seed,
        folder=folder,
        manifest=read_shaped(folder / JOB_MANIFEST, shape),
        journal=_journal(folder, "validation_balanced_accuracy"),
        predictions=predictions,
        external={
            path: read_predictions(folder / stages.external_name(place), run.catalog.classes)
            for place, path in enumerate(run.experiment.data.external_test)
        },
    )


def _generator_manifest(path: Path) -> dict[str, Any]:
    # Generators from before their snapshots were judged have nothing to tell of them.
    judged = "vitals" in read_record(path)
    return read_shaped(path, JudgedManifest if judged else GeneratorManifest)


def _journal(folder: Path, *expected: str) -> pd.DataFrame:
    """One row a tick, all columns numbers."""
    return pd.DataFrame(read_journal(folder / JOURNAL, expected), dtype=float)
