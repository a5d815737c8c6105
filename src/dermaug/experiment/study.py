"""Run a whole experiment: the generators, then the cells; what is done is not done again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from dermaug.config import Experiment
from dermaug.console import console
from dermaug.errors import DermaugError
from dermaug.evaluation.predictions import read_predictions, refuse_other_rows
from dermaug.experiment.audit_embedding import audit_images
from dermaug.experiment.jobs import ClassifierJob, GeneratorJob
from dermaug.experiment.results import CellResult, GeneratorResult, RunResults
from dermaug.experiment.runs import (
    MANIFEST,
    Run,
    finish_run,
    note_device,
    open_run,
    synthetic_folder,
)
from dermaug.experiment.stages import (
    PREDICTIONS,
    external_name,
    run_classifier_job,
    run_generator_job,
)
from dermaug.files import read_json
from dermaug.synthesis.synthetic_set import read_synthetic_set
from dermaug.training.fabric import start_fabric
from dermaug.training.journal import read_journal

SAMPLES_SHOWN = 64


def run_experiment(
    folder: Path, experiment: Experiment, *, device: str, precision: str, command: str
) -> RunResults:
    """Do every job that is not done, one after the other on one device.

    Args:
        folder: The run's folder; a run begun there goes on.
        experiment: What is asked.
        device: auto, cpu, cuda or mps.
        precision: auto, 32-true or bf16-mixed.
        command: What the user typed, for the report.

    Raises:
        DermaugError: Bad data, another experiment's folder, or a training that failed.
    """
    run = open_run(folder, experiment, command)
    do_jobs(run, run.jobs.in_order, device, precision)
    audit_images(run, device)
    finish_run(run)
    return read_results(run)


def train_some(
    folder: Path,
    experiment: Experiment,
    kind: type[GeneratorJob] | type[ClassifierJob],
    wanted: Mapping[str, str | int | None],
    *,
    device: str,
    precision: str,
    command: str,
) -> None:
    """Do the jobs of one wave that have the wanted coordinates.

    Args:
        folder: The run's folder; a run begun there goes on.
        experiment: What is asked.
        kind: Which wave.
        wanted: Attribute of the job -> value; None takes any.
        device: As for `run_experiment`.
        precision: As for `run_experiment`.
        command: As for `run_experiment`.

    Raises:
        DermaugError: No job is like that, or one needs a generator that is not trained yet.
    """
    run = open_run(folder, experiment, command)
    wave = run.jobs.generators if kind is GeneratorJob else run.jobs.classifiers
    asked = {name: value for name, value in wanted.items() if value is not None}
    jobs = [
        job for job in wave if all(getattr(job, name) == value for name, value in asked.items())
    ]
    if not jobs:
        raise DermaugError(f"no job of {experiment.name} has {asked}", [job.key for job in wave])
    do_jobs(run, jobs, device, precision)


def do_jobs(
    run: Run, jobs: Sequence[GeneratorJob | ClassifierJob], device: str, precision: str
) -> None:
    """Do those of some jobs that are not done."""
    left = [job for job in jobs if not run.is_done(job.key)]
    console.print(f"{len(jobs)} jobs, {len(jobs) - len(left)} done; writing to {run.folder}")
    if not left:
        return
    fabric = start_fabric(device, precision)
    note_device(run, str(fabric.device))
    for job in left:
        if isinstance(job, GeneratorJob):
            run_generator_job(run, job, fabric)
        else:
            run_classifier_job(run, job, fabric)


def read_results(run: Run) -> RunResults:
    """What a run has left on disk so far: its largest training part, the smaller ones within."""
    largest, *smaller = run.experiment.splits.sizes
    reduced = tuple(_read_point(run, lesions) for lesions in smaller)
    return replace(_read_point(run, largest), reduced=reduced)


def _read_point(run: Run, lesions: int) -> RunResults:
    generators = [job for job in run.jobs.generators if job.lesions == lesions]
    cells = [job for job in run.jobs.classifiers if job.lesions == lesions]
    manifest = read_json(run.folder / MANIFEST)
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
        manifest=read_json(folder / "manifest.json"),
        journal=pd.DataFrame(read_journal(folder / "journal.jsonl")),
        samples=synthetic.images[first : first + min(SAMPLES_SHOWN, job.numbers[place])],
    )


def _cell_result(run: Run, job: ClassifierJob) -> CellResult:
    folder, fold = run.folder / job.key, run.fold(job.fold, job.lesions)
    path = folder / PREDICTIONS
    predictions = read_predictions(path, run.catalog.classes)
    parts = {"validation": fold.validation, "test": fold.test}
    refuse_other_rows(predictions, run.catalog, parts, str(path))
    return CellResult(
        arm=job.arm,
        model=job.model,
        fold=job.fold,
        seed=job.seed,
        generator_seed=job.generator_seed,
        folder=folder,
        manifest=read_json(folder / "manifest.json"),
        journal=pd.DataFrame(read_journal(folder / "journal.jsonl")),
        predictions=predictions,
        external={
            path: read_predictions(folder / external_name(place), run.catalog.classes)
            for place, path in enumerate(run.experiment.data.external_test)
        },
    )
