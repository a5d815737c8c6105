"""The choice of generated images by hand: what is excluded, and the set without it."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np

from dermaug.app.opened import Opened, synthetic_set
from dermaug.app.safety import new_folder
from dermaug.data.class_names import class_words
from dermaug.errors import DermaugError
from dermaug.experiment.run.results import GeneratorResult
from dermaug.files import Record
from dermaug.output_places import require_writable
from dermaug.report.formats import counted
from dermaug.synthesis.synthetic_set import write_synthetic_set

FILE = "excluded.json"
"""In the folder of the sets that are written: one choice for all windows and visits."""
MOST_NAMED = 12
"""Excluded images of a class that are named by their numbers; more are counted."""


class Excluded(Record):
    """What was excluded by hand."""

    rows: dict[str, tuple[int, ...]]
    """Digest of a network -> rows of its set, of all its classes."""

    @classmethod
    def of(cls, opened: Opened) -> Self:
        """What is excluded at the moment."""
        path = opened.output / FILE
        return cls.read(path) if path.exists() else cls(rows={})


def rows_excluded(opened: Opened, generator: GeneratorResult) -> frozenset[int]:
    """Rows that are excluded from the set of a generator, of all its classes."""
    return frozenset(Excluded.of(opened).rows.get(generator.record.digest, ()))


def flip(
    opened: Opened, generator: GeneratorResult, rows: Collection[int], seen: Collection[int]
) -> frozenset[int]:
    """Exclude rows of a generator's set, or take them back.

    Args:
        opened: The run.
        generator: The generator.
        rows: The rows; they are taken back if all of them were seen to be excluded.
        seen: Rows that a window shows as excluded. Another window may have excluded more, which
            stays so.

    Returns:
        The rows that are excluded now.

    Raises:
        DermaugError: The choice cannot be written.
    """
    require_writable(opened.output)
    before = Excluded.of(opened)
    own = frozenset(before.rows.get(generator.record.digest, ()))
    after = own - set(rows) if set(seen).issuperset(rows) else own | set(rows)
    changed = before.rows | {generator.record.digest: tuple(sorted(after))}
    Excluded(rows=changed).write(opened.output / FILE)
    return after


def choice_words(generator: GeneratorResult, excluded: Collection[int]) -> str:
    """What the set would hold: its images and classes, and what is excluded by class."""
    labels = np.asarray(synthetic_set(generator).labels)
    out = np.isin(np.arange(len(labels)), list(excluded))
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
    opened: Opened, generator: GeneratorResult, excluded: Collection[int], name: str | None
) -> Path:
    """Write what a generator has drawn, of all its classes, without what was excluded by hand.

    Returns:
        The folder: PNG files, metadata and a manifest, as `dermaug generate` writes them.

    Raises:
        DermaugError: The name is a path, the folder is in use, or no image is left.
    """
    folder, synthetic = new_folder(opened.output, name), synthetic_set(generator)
    kept = [row for row in range(len(synthetic.labels)) if row not in excluded]
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
    return f"image{'s' * (len(rows) != 1)} {', '.join(map(str, rows))}"
