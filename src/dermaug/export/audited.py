"""What the audit of a run says of the images of a set: that of the set in which they were drawn."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool

from dermaug.experiment.run.artefacts import drawn_set, generator_of, translation_of
from dermaug.experiment.run.layout import run_above
from dermaug.inspection.audit_class import examined
from dermaug.inspection.audit_run import StoredAudit, class_rows, read_audit
from dermaug.synthesis.synthetic_set import SyntheticSet, pixel_digests

Key = tuple[str, str]
"""Label of an image, and SHA-256 of its pixels."""


@dataclass(frozen=True, eq=False)
class AuditedSet:
    """The images of a set in the audit of those that its generator drew in the same way.

    Args:
        numbers: The audit, one row per class, with the columns of `AuditRow`.
        total: Number of images that the generator drew for the run.
        drawn: Which images of the set are among these, pixel for pixel.
        examined: Which of them the audit examined for copies.
        copies: Which of them it counted as copies.
    """

    numbers: pd.DataFrame
    total: int
    drawn: Bool[np.ndarray, " n"]
    examined: Bool[np.ndarray, " n"]
    copies: Bool[np.ndarray, " n"]


def audited_by_run(source: Path, synthetic: SyntheticSet) -> AuditedSet | None:
    """Find the images of a set in the audit of the run in whose folder it lies.

    It may be what a generator drew for the run, a choice of these images, or other images by the
    same generator. The generator is known by the digest of its checkpoint, and a set drawn from
    training images by its note.

    Args:
        source: Folder of the set.
        synthetic: The set.

    Returns:
        None if the set lies in no run, its generator is none of that run's, or has no audit.

    Raises:
        DermaugError: A file of the generator is damaged, or belongs to another one.
    """
    run = run_above(source)
    job = None if run is None else generator_of(run, synthetic.provenance.generator)
    if job is None:
        return None
    how = translation_of(job, synthetic.provenance.note)
    if (audit := read_audit(job.path, how)) is None:
        return None
    whole = drawn_set(job, how)
    keys, known = _keys(synthetic), _keys(whole)
    marks = (np.ones(len(known), dtype=bool), *_counted(whole, audit))
    drawn, looked, copied = (_among(keys, itertools.compress(known, each)) for each in marks)
    return AuditedSet(audit.numbers, len(whole.labels), drawn, looked, copied)


def _keys(synthetic: SyntheticSet) -> list[Key]:
    return list(zip(synthetic.labels, pixel_digests(synthetic.images), strict=True))


def _among(keys: list[Key], wanted: Iterable[Key]) -> Bool[np.ndarray, " n"]:
    found = set(wanted)
    return np.array([key in found for key in keys], dtype=bool)


def _counted(
    whole: SyntheticSet, audit: StoredAudit
) -> tuple[Bool[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """Which images an audit examined for copies, and which it counted as copies."""
    looked, copied = (np.zeros(len(whole.labels), dtype=bool) for _ in range(2))
    for row in audit.numbers.dropna(subset=["copies"]).to_dict("records"):
        own = class_rows(whole, row["label"])
        looked[own[examined(row["label"], len(own), int(row["seed"]))]] = True
    for label, pairs in audit.pairs[audit.pairs["score"] < 1.0].groupby("label"):
        copied[class_rows(whole, str(label))[pairs["synthetic"].astype(int)]] = True
    return looked, copied
