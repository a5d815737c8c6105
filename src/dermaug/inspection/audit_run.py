"""Audit every set of a run's generators by a classifier of its fold, and store the results."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from dermaug.config import Arm, Experiment
from dermaug.config.translation import Translation, set_name
from dermaug.console import counting_bar
from dermaug.data.splits import Fold
from dermaug.errors import DermaugError
from dermaug.experiment.plan.comparisons import without_dose
from dermaug.experiment.plan.jobs import ClassifierJob, GeneratorJob, PlannedSet
from dermaug.experiment.run.artefacts import drawn_set, recorded_checkpoint
from dermaug.experiment.run.layout import JobFolder
from dermaug.experiment.run.records import GeneratorRecord
from dermaug.experiment.run.run import Run
from dermaug.experiment.run.ties import network_digests
from dermaug.experiment.stages.judges import classifier_judge
from dermaug.inspection.audit_class import PAIR_COLUMNS, Subjects, audit_class
from dermaug.inspection.audit_halves import Judging, judging
from dermaug.inspection.audit_records import AuditPair, AuditRecord, AuditRow
from dermaug.synthesis.synthetic_set import SyntheticSet

VERSION = 3
"""Incremented whenever the same images would give other numbers."""


@dataclass(frozen=True, eq=False)
class StoredAudit:
    """An audit as stored on disk.

    Args:
        numbers: One row per class: family (the name of the set), label, fold, seed, lesions, then
            the columns of `audit_class`.
        pairs: One row per worst pair: label, then `PAIR_COLUMNS`.
    """

    numbers: pd.DataFrame
    pairs: pd.DataFrame


def audit_run(run: Run, device: torch.device) -> pd.DataFrame:
    """Audit all sets of every finished generator whose control classifier is finished too.

    The audit uses the validation images on which the generator's snapshot was not selected, or all
    validation images of classes too small for two halves; it never uses the test split. Audits of
    the same generator with the same classifier are read from disk.

    Returns:
        One row per set and class: family (the name of the set), label, fold, seed, lesions, then
        the columns of `audit_class`.
    """
    chosen = [
        (job, planned, control)
        for job in run.jobs.generators
        if run.is_done(job.key) and (control := control_job(run, job)) is not None
        for planned in job.sets
    ]
    tables = []
    with counting_bar("auditing synthetic images", "sets") as progress:
        for done, (job, planned, control) in enumerate(chosen, start=1):
            tables.append(_audit_set(run, job, planned, control, device).numbers)
            progress(done, len(chosen))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def control_job(run: Run, job: GeneratorJob) -> ClassifierJob | None:
    """The finished classifier that audits a generator; None without one.

    It is the classifier of the generator's fold with the first model and the first seed, from the
    arm that differs from the family's first arm only in its synthetic images, so that it was
    trained on the same real images and no others.
    """
    arm = control_of_family(run.experiment, job.family)
    for trial in run.jobs.classifiers:
        wanted = (arm.name, job.fold, job.lesions) if arm is not None else None
        if (trial.arm, trial.fold, trial.lesions) == wanted:
            return trial if run.is_done(trial.key) else None
    return None


def control_of_family(experiment: Experiment, family: str) -> Arm | None:
    """The arm like a family's first synthetic one but without the images, or any real arm."""
    real = [arm for arm in experiment.arms if arm.is_reference]
    for arm in experiment.arms:
        if arm.synthetic is not None and arm.synthetic.source == family:
            alike = [other for other in real if without_dose(other) == without_dose(arm)]
            policy = [other for other in real if other.policy == arm.policy]
            return next(iter(alike or policy or real), None)
    return next(iter(real), None)


def read_audit(folder: Path, translation: Translation | None = None) -> StoredAudit | None:
    """The audit of a set of a generator, by default of that from noise; None where there is none.

    Raises:
        DermaugError: The file is damaged, or is the audit of another generator or set.
    """
    files = JobFolder(folder)
    path = files.audit_of(translation)
    if not path.exists():
        return None
    record, generator = AuditRecord.read(path), GeneratorRecord.read(files.record)
    named = {row.family for row in record.numbers}
    if record.generator != generator.digest or named != {set_name(generator.family, translation)}:
        raise DermaugError(
            f"{path}: expected the audit of the generator beside it, found that of another "
            "one; files were exchanged after they were written: put them back, or delete this one "
            "and run the study again"
        )
    return _tables(record)


def write_audit(path: Path, key: str, generator: str, audit: StoredAudit) -> StoredAudit:
    """Write an audit beside its generator and return it as `read_audit` would.

    `key` is a digest of everything that the audit depends on, `generator` that of the checkpoint.
    """
    numbers = (AuditRow.model_validate(row) for row in audit.numbers.to_dict("records"))
    pairs = (AuditPair.model_validate(row) for row in audit.pairs.to_dict("records"))
    record = AuditRecord(key=key, generator=generator, numbers=tuple(numbers), pairs=tuple(pairs))
    record.write(path)
    return _tables(record)


def _tables(record: AuditRecord) -> StoredAudit:
    pairs = pd.DataFrame(
        [dict(pair) for pair in record.pairs], columns=list(AuditPair.model_fields)
    )
    return StoredAudit(pd.DataFrame([dict(row) for row in record.numbers]), pairs)


def class_rows(synthetic: SyntheticSet, label: str) -> np.ndarray:
    """Rows of a synthetic set that have a label."""
    return np.flatnonzero(np.asarray(synthetic.labels) == label)


def _audit_set(
    run: Run, job: GeneratorJob, planned: PlannedSet, control: ClassifierJob, device: torch.device
) -> StoredAudit:
    files, how = run.job(job.key), planned.translation
    checkpoint = recorded_checkpoint(run.job(control.key).classifier)
    synthetic, path = drawn_set(files, how), files.audit_of(how)
    parts: list[Any] = [VERSION, synthetic.provenance.generator, synthetic.provenance.fold_key]
    parts += network_digests(run.files, [control.key]).values()
    parts += [len(synthetic.labels), run.fingerprint, *([how.note] if how else [])]
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    if path.exists() and (stored := AuditRecord.read(path)).key == key:
        return _tables(stored)
    judge = classifier_judge(checkpoint, device)
    rows, pairs = [], []
    drawn = [label for label, number in zip(job.classes, planned.numbers, strict=True) if number]
    for label in drawn:
        audited = audit_class(_subjects(run, job, synthetic, label), judge, job.seed)
        place = {"family": set_name(job.family, how), "label": label, "fold": job.fold}
        where = {"seed": job.seed, "lesions": job.lesions}
        rows.append(place | where | dict(audited.numbers))
        pairs.append(audited.pairs.assign(label=label))
    table = pd.concat(pairs, ignore_index=True)[["label", *PAIR_COLUMNS]]
    digest = synthetic.provenance.generator
    return write_audit(path, key, digest, StoredAudit(pd.DataFrame(rows), table))


def judging_of(run: Run, fold: Fold, synthetic: SyntheticSet, label: str) -> Judging:
    """The validation images of a class with which its synthetic images are compared."""
    found = np.sort(run.catalog.rows(fold.validation))
    kept = found[run.catalog.table["label"].to_numpy()[found] == label]
    return judging(kept, run.catalog.image_ids, run.groups, synthetic.provenance)


def _subjects(run: Run, job: GeneratorJob, synthetic: SyntheticSet, label: str) -> Subjects:
    found = np.sort(run.catalog.rows(synthetic.provenance.training_images))
    seen = found[run.catalog.table["label"].to_numpy()[found] == label]
    kept = judging_of(run, run.fold(job.fold), synthetic, label)
    drawn = synthetic.images[class_rows(synthetic, label)]
    started_from = synthetic.provenance.started_from
    return Subjects.of(label, drawn, run.store, seen, kept, started_from)
