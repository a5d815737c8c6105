"""Export a synthetic set: another layout, a card, and metadata for catalogues."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from dermaug.aside import folder_written_aside
from dermaug.errors import DermaugError
from dermaug.experiment.run.artefacts import recorded_set
from dermaug.experiment.run.layout import run_above
from dermaug.experiment.run.records import RunRecord
from dermaug.export.audited import AuditedSet, audited_by_run
from dermaug.export.cards import CARD, card, set_words, size_category
from dermaug.export.croissant import FILE, croissant
from dermaug.export.layouts import LAYOUTS
from dermaug.export.licences import licence_of, skin_words
from dermaug.files import write_json
from dermaug.output_places import require_new_folder, require_outside
from dermaug.synthesis.origin import ORIGIN, OriginRecord
from dermaug.synthesis.synthetic_set import MANIFEST, SyntheticSet


def export_synthetic(source: Path, output: Path, layout: str) -> list[str]:
    """Write a synthetic set in another layout, with README.md and croissant.json.

    Images that the audit of the run counted as copies of training images are left out, from a set
    that was chosen among a generator's images as well.

    Args:
        source: A set of dermaug: the folder `synthetic` of a run's generator or one that it drew
            from training images, or one written by `dermaug generate` or chosen in `dermaug app`.
        output: Folder to create.
        layout: Key of `LAYOUTS`.

    Returns:
        Remarks, one sentence each.

    Raises:
        DermaugError: There is no such layout, the folder is not such a set, the output is in use or
            lies in it, or all images are copies.
    """
    if layout not in LAYOUTS:
        raise DermaugError(f"--format {layout}: expected one of {', '.join(LAYOUTS)}")
    _require_set(source)
    require_new_folder(output)
    require_outside(output, source)
    source = source.resolve()
    run, whole = run_above(source), recorded_set(source)
    found = audited_by_run(source, whole)
    synthetic = whole if found is None else _without_copies(source, whole, found)
    labels, images = synthetic.labels, np.asarray(synthetic.images)
    data = RunRecord.read(run.record).data.name if run is not None else ""
    licence, name = licence_of(data), f"{output.resolve().name} (synthetic skin lesions)"
    with folder_written_aside(output) as aside:
        written = LAYOUTS[layout](aside, images, labels)
        front = {
            "pretty_name": json.dumps(name, ensure_ascii=False),
            "task_categories": "[image-classification]",
            "size_categories": f"[{size_category(len(labels))}]",
        }
        text = card(
            "dataset",
            name,
            licence,
            front,
            counts=dict(sorted(Counter(labels).items())),
            total=len(labels),
            size=int(images.shape[1]),
            provenance=synthetic.provenance,
            layout=written,
            audit=set_words(found),
            copies=len(whole.labels) - len(labels),
            origin=ORIGIN,
            skin=skin_words(data),
        )
        OriginRecord.of(synthetic).write(aside / ORIGIN)
        (aside / CARD).write_text(text, encoding="utf-8")
        told = f"{len(labels)} synthetic images of skin lesions, drawn by dermaug"
        day = datetime.now(UTC).date().isoformat()
        write_json(aside / FILE, croissant(aside, written, name, told, licence, day))
    return _remarks(found, licence.key)


def _without_copies(source: Path, whole: SyntheticSet, found: AuditedSet) -> SyntheticSet:
    if found.copies.all():
        raise DermaugError(
            f"{source}: the audit counted each of its images as a copy of a training image; there "
            "is nothing to export"
        )
    return whole.take(np.flatnonzero(~found.copies))


def _require_set(source: Path) -> None:
    if not (source / MANIFEST).is_file():
        raise DermaugError(
            f"{source}: expected a synthetic set with {MANIFEST}, as `dermaug generate` writes it "
            "or a run has it in GENERATOR/synthetic; found none"
        )


def _remarks(found: AuditedSet | None, licence: str) -> list[str]:
    remarks = []
    if found is None:
        remarks.append("the set has no audit: run `dermaug audit` before you pass it on")
    elif unseen := int((~found.examined).sum()):
        remarks.append(
            f"not examined for copies: {unseen:,} of {len(found.examined):,} images; run `dermaug "
            "audit` before you pass them on"
        )
    if found is not None and (copies := int(found.copies.sum())):
        words = "1 image" if copies == 1 else f"{copies:,} images"
        remarks.append(f"left out, because the audit counted them as copies: {words}")
    if licence == "other":
        remarks.append("the licence is unknown: complete README.md before you pass the set on")
    return remarks
