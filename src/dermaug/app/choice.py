"""The choice of generated images by hand: what is excluded, and the set without it."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from dermaug.app.opened import Opened, synthetic_set
from dermaug.app.safety import new_folder
from dermaug.data.class_names import class_words
from dermaug.errors import DermaugError
from dermaug.experiment.run.results import GeneratorResult
from dermaug.output_places import require_writable
from dermaug.report.formats import counted
from dermaug.synthesis.synthetic_set import write_synthetic_set

Excluded = Mapping[str, Collection[int]]
"""Digest of a network -> rows of its set that were excluded, of all its classes."""
MOST_NAMED = 12
"""Excluded images of a class that are named by their numbers; more are counted."""


def rows_excluded(generator: GeneratorResult, excluded: Excluded) -> set[int]:
    """Rows that were excluded from the set of a generator, whichever class was shown."""
    return set(excluded.get(generator.record.digest, ()))


def with_flipped(
    generator: GeneratorResult, rows: Collection[int], excluded: Excluded
) -> dict[str, list[int]]:
    """Exclude rows of a generator's set, or take them back if all of them are excluded."""
    before = rows_excluded(generator, excluded)
    after = before - set(rows) if before.issuperset(rows) else before | set(rows)
    return {
        **{key: list(own) for key, own in excluded.items()},
        generator.record.digest: sorted(after),
    }


def choice_words(generator: GeneratorResult, excluded: Excluded) -> str:
    """What the set would hold: its images and classes, and what is excluded by class."""
    labels = np.asarray(synthetic_set(generator).labels)
    out = np.isin(np.arange(len(labels)), list(rows_excluded(generator, excluded)))
    classes = len(np.unique(labels[~out]))
    named = [
        f"{class_words(label)}: {_rows(np.flatnonzero(out & (labels == label)))}"
        for label in dict.fromkeys(labels.tolist())
        if (out & (labels == label)).any()
    ]
    which = f" ({'; '.join(named)})" if named else ""
    kept = f"{counted(int((~out).sum()), 'image')} of {counted(classes, 'class', 'classes')}"
    return f"{kept}, {out.sum():,} excluded{which}"


def write_chosen(
    opened: Opened, generator: GeneratorResult, excluded: Excluded, name: str | None
) -> Path:
    """Write what a generator has drawn, of all its classes, without what was excluded by hand.

    Returns:
        The folder: PNG files, metadata and a manifest, as `dermaug generate` writes them.

    Raises:
        DermaugError: The name is a path, the folder is in use, or no image is left.
    """
    folder, synthetic = new_folder(opened.output, name), synthetic_set(generator)
    out = rows_excluded(generator, excluded)
    kept = [row for row in range(len(synthetic.labels)) if row not in out]
    if not kept:
        raise DermaugError("expected at least one image that is not excluded")
    require_writable(opened.output)
    dropped = len(synthetic.labels) - len(kept)
    note = (
        f"chosen by hand: {dropped:,} of {len(synthetic.labels):,} images were excluded in dermaug "
        "app; which of the others somebody looked at is not known"
    )
    chosen = synthetic.take(np.array(kept))
    chosen = replace(chosen, provenance=replace(chosen.provenance, note=note))
    write_synthetic_set(folder, chosen, "png")
    return folder


def _rows(rows: np.ndarray) -> str:
    if len(rows) > MOST_NAMED:
        return f"{len(rows):,} images"
    return ", ".join(str(row) for row in rows)
