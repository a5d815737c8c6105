"""Read the results of a run from disk: `Run` -> `RunResults`."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from dermaug.evaluation.predictions import refuse_other_rows
from dermaug.experiment.plan.jobs import ClassifierJob, GeneratorJob, PlannedSet
from dermaug.experiment.run.artefacts import (
    drawn_set,
    recorded_predictions,
    refuse_other_network,
)
from dermaug.experiment.run.layout import JobFolder
from dermaug.experiment.run.records import (
    GeneratorRecord,
    RunRecord,
    TrialRecord,
)
from dermaug.experiment.run.results import GeneratorResult, RunResults, TrialResult
from dermaug.experiment.run.run import Run
from dermaug.experiment.run.ties import refuse_untied
from dermaug.training.journal import read_journal

SAMPLES_SHOWN = 64


def read_results(run: Run) -> RunResults:
    """Read the results so far: those of the largest training split, which hold the smaller ones."""
    largest, *smaller = run.experiment.splits.sizes
    reduced = tuple(_read_point(run, lesions) for lesions in smaller)
    return replace(_read_point(run, largest), reduced=reduced)


def _read_point(run: Run, lesions: int) -> RunResults:
    generators = [job for job in run.jobs.generators if job.lesions == lesions]
    trials = [job for job in run.jobs.classifiers if job.lesions == lesions]
    return RunResults(
        folder=run.folder,
        experiment=run.experiment,
        record=RunRecord.read(run.files.record),
        catalog=run.catalog,
        images=run.images,
        folds=tuple(run.fold(fold.index, lesions) for fold in run.folds),
        generators=tuple(
            _generator_result(run, job, place)
            for job in generators
            for place in range(len(job.classes))
            if run.is_done(job.key)
        ),
        trials=tuple(_trial_result(run, job) for job in trials if run.is_done(job.key)),
        num_jobs=(len(generators), len(trials)),
        lesions=lesions,
    )


def _generator_result(run: Run, job: GeneratorJob, place: int) -> GeneratorResult:
    files = run.job(job.key)
    record = GeneratorRecord.read(files.record)
    refuse_untied(run.files, job, record)
    if files.generator.exists():  # checkpoints may have been deleted
        refuse_other_network(files.generator, record.digest)
    return GeneratorResult(
        record=record,
        label=job.classes[place],
        folder=files.path,
        journal=_journal(files.journal),
        samples=_samples(files, PlannedSet(job.numbers), place),
        translated={
            each.translation: _samples(files, each, place)
            for each in job.translated
            if each.translation and each.numbers[place]
        },
    )


def _samples(
    files: JobFolder, planned: PlannedSet, place: int
) -> UInt8[np.ndarray, "n size size 3"]:
    """The first images of a class in a set."""
    first, number = sum(planned.numbers[:place]), planned.numbers[place]
    drawn: np.ndarray = drawn_set(files, planned.translation).images
    return drawn[first : first + min(SAMPLES_SHOWN, number)]


def _trial_result(run: Run, job: ClassifierJob) -> TrialResult:
    files, fold = run.job(job.key), run.fold(job.fold, job.lesions)
    record = TrialRecord.read(files.record)
    refuse_untied(run.files, job, record)
    if files.classifier.exists():
        refuse_other_network(files.classifier, record.digest)
    if record.training_images == fold.train:  # held once, not by every trial
        record = record.model_copy(update={"training_images": fold.train})
    predictions = recorded_predictions(files.predictions, record)
    parts = {"validation": fold.validation, "test": fold.test}
    refuse_other_rows(predictions, run.catalog, parts, str(files.predictions))
    return TrialResult(
        record=record,
        folder=files.path,
        journal=_journal(files.journal, "validation_balanced_accuracy"),
        predictions=predictions,
        external={
            path: recorded_predictions(files.external(place), record)
            for place, path in enumerate(run.experiment.data.external_test)
        },
    )


def _journal(path: Path, *expected: str) -> pd.DataFrame:
    """Read a journal: one row per tick, all columns numeric."""
    return pd.DataFrame(read_journal(path, expected), dtype=float)
