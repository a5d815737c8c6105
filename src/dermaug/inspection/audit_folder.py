"""The audit of one synthetic set against a data set; the set may come from another tool."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from dermaug.config.data import AS_IT_IS, Reading
from dermaug.data.orientations import oriented
from dermaug.data.pixels import PixelStore
from dermaug.errors import DermaugError
from dermaug.experiment.run.artefacts import (
    StoredClassifier,
    drawn_set,
    generator_of,
    run_of,
    translation_of,
)
from dermaug.experiment.run.layout import RunFolder
from dermaug.experiment.run.records import GeneratorRecord
from dermaug.experiment.stages.judges import Judge
from dermaug.inspection.audit_class import PAIR_COLUMNS, PAIRS_KEPT, Subjects, audit_class
from dermaug.inspection.audit_halves import judging
from dermaug.inspection.audit_instances import instance_table
from dermaug.inspection.audit_parts import fold_of, part_images
from dermaug.inspection.audit_run import StoredAudit
from dermaug.inspection.subject import GivenImages, read_given, real_images
from dermaug.synthesis.origin import read_origin
from dermaug.synthesis.synthetic_set import Provenance

BY_NAME = (
    "images were matched with the training images by name, because the run that stores their "
    "content is not available"
)
SEED = 0
"""Of subsets and resampling."""


@dataclass(frozen=True, eq=False)
class FolderAudit:
    """The audit of a synthetic set.

    Args:
        audit: Numbers (one row per class) and worst pairs.
        notes: Remarks on the method of this audit, one sentence each.
        pictures: Label -> synthetic images of the pairs, rotated to fit, and training images.
        instances: One row per examined image: `instance_table`.
    """

    audit: StoredAudit
    notes: tuple[str, ...]
    pictures: dict[str, tuple[np.ndarray, np.ndarray]]
    instances: pd.DataFrame


def audit_folder(
    synthetic: Path,
    data: Path,
    judge: Judge,
    *,
    stored: StoredClassifier | None = None,
    size: int | None = None,
    label: str = "",
    reading: Reading = AS_IT_IS,
) -> FolderAudit:
    """Audit every class of a synthetic set.

    Args:
        synthetic: A synthetic set of dermaug, or images in any layout of data sets.
        data: The real images.
        judge: Network that assesses the images.
        stored: The judge on disk, if it is a classifier of a run.
        size: Side of the images in pixels; None takes that of the judge, of the set, or 64.
        label: Class of all images of a folder without a layout.
        reading: How the table of the real images is read; its labels, besides those of the judge's
            training, are those of the synthetic images, too.

    Raises:
        DermaugError: A path is not a data set, the data lack a label, or a class has no real
            images for comparison.
    """
    if size and judge.size not in (None, size):
        raise DermaugError(
            f"--size {size}: the network was trained on images of {judge.size} px, and the images "
            "are compared at that size; leave it out"
        )
    given = read_given(synthetic, judge.size or size, reading.labels, label)
    run = run_of(synthetic, *([stored.path] if stored else []))
    given = replace(given, provenance=given.provenance or _exported(synthetic, given, run))
    store = real_images(data, given, stored, run, reading)
    fold = fold_of(run, given.provenance, stored)
    training, validation, notes = part_images(store.catalog, given.provenance, stored, fold)
    notes += _about_drawing(given.provenance)
    if run is None and (given.provenance or stored):
        notes.append(BY_NAME)
    notes += [f"Real images: {note}" for note in store.catalog.left_out]
    if store.uncropped:
        notes.append(f"{store.uncropped:,} real images have no segmentation and are not cropped")
    rows, pairs, instances, pictures = [], [], [], {}
    for name in sorted(set(given.labels)):
        subjects = _subjects(given, store, name, training, validation)
        found = audit_class(subjects, judge, SEED)
        family = given.provenance.family if given.provenance else synthetic.name
        rows.append({"family": family, "label": name} | dict(found.numbers))
        pairs.append(found.pairs.assign(label=name))
        names = given.names[given.labels == name]
        instances.append(instance_table(subjects, names, judge, SEED))
        pictures[name] = _pictures(subjects, store, found.pairs.head(PAIRS_KEPT))
    table = pd.concat(pairs, ignore_index=True)[["label", *PAIR_COLUMNS]]
    single = pd.concat(instances, ignore_index=True)
    return FolderAudit(StoredAudit(pd.DataFrame(rows), table), tuple(notes), pictures, single)


def _about_drawing(provenance: Provenance | None) -> Iterator[str]:
    """What the manifest says of how the images were drawn, other than from noise alone."""
    if provenance is not None and provenance.note:
        yield f"how the images were drawn or chosen: {provenance.note}"
    if provenance is not None and (number := len(provenance.started_from)):
        yield f"copies were searched among the {number:,} images that were translated, too"


def _exported(synthetic: Path, given: GivenImages, run: RunFolder | None) -> Provenance | None:
    """Provenance of images that dermaug has exported, from the run of their generator.

    None where the run is not that of the generator, or where an image is not one of those exported
    as they were drawn: JPEG files, images that are scaled, or others that were put beside them.
    """
    origin = read_origin(synthetic)
    if origin is None or run is None or not origin.holds(given.images):
        return None
    job = generator_of(run, origin.generator)
    if job is None or origin.fold_key != GeneratorRecord.read(job.record).fold_key:
        return None
    return drawn_set(job, translation_of(job, origin.note)).provenance


def _subjects(
    given: GivenImages, store: PixelStore, label: str, training: np.ndarray, validation: np.ndarray
) -> Subjects:
    of_class = store.catalog.table["label"].to_numpy() == label
    rows, found = (np.flatnonzero(of_class & part) for part in (training, validation))
    ids = store.catalog.image_ids
    kept = judging(found, ids, store.catalog.groups, given.provenance)
    started_from = given.provenance.started_from if given.provenance else ()
    drawn = given.images[given.labels == label]
    subjects = Subjects.of(label, drawn, store, rows, kept, started_from)
    if given.provenance is not None:
        return subjects
    # The generator's training images are unknown, so a copy of any real image counts.
    everything = np.flatnonzero(of_class)
    return replace(subjects, searched=(np.asarray(store.images[everything]), ids[everything]))


def _pictures(
    subjects: Subjects, store: PixelStore, pairs: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    drawn = [
        oriented(subjects.synthetic[[row["synthetic"]]], int(row["orientation"]))
        for _, row in pairs.iterrows()
    ]
    if not drawn:
        empty = np.empty((0, *store.images.shape[1:]), np.uint8)
        return empty, empty
    real = store.images[store.catalog.rows(pairs["training_image"].tolist())]
    return np.concatenate(drawn), np.asarray(real)
