"""Export a synthetic set: another layout, a card, and metadata for catalogues."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from dermaug.errors import DermaugError
from dermaug.experiment.run.artefacts import recorded_set
from dermaug.experiment.run.layout import JobFolder, run_above
from dermaug.experiment.run.records import RunRecord
from dermaug.export.cards import CARD, audit_words, card, size_category
from dermaug.export.croissant import FILE, croissant
from dermaug.export.layouts import LAYOUTS
from dermaug.export.licences import licence_of
from dermaug.files import folder_written_aside, require_new_folder, require_writable, write_json
from dermaug.inspection.audit_run import StoredAudit, class_rows, read_audit
from dermaug.synthesis.synthetic_set import MANIFEST, SyntheticSet


def export_synthetic(source: Path, output: Path, layout: str) -> list[str]:
    """Write a synthetic set in another layout, with README.md and croissant.json.

    Images that the audit of the run counted as copies of training images are left out.

    Args:
        source: A set of dermaug: the folder `synthetic` of a run's generator, or one written by
            `dermaug generate`.
        output: Folder to create.
        layout: Key of `LAYOUTS`.

    Returns:
        Remarks, one sentence each.

    Raises:
        DermaugError: The folder is not such a set, or the output is in use.
    """
    if not (source / MANIFEST).is_file():
        raise DermaugError(
            f"{source}: expected a synthetic set with {MANIFEST}, as `dermaug generate` writes it "
            "or a run has it in GENERATOR/synthetic; found none"
        )
    require_new_folder(output)
    require_writable(output.parent)
    source = source.resolve()
    run = run_above(source)
    is_of_run = run is not None and JobFolder(source.parent).synthetic == source
    synthetic = recorded_set(source)
    audit = read_audit(source.parent) if is_of_run else None
    copies = _copies(synthetic, audit)
    kept = np.setdiff1d(np.arange(len(synthetic.labels)), copies)
    labels = [synthetic.labels[row] for row in kept]
    images = np.asarray(synthetic.images[kept])
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
            audit=audit_words(None if audit is None else audit.numbers),
            copies=len(copies),
        )
        (aside / CARD).write_text(text, encoding="utf-8")
        told = f"{len(labels)} synthetic images of skin lesions, drawn by dermaug"
        day = datetime.now(UTC).date().isoformat()
        write_json(aside / FILE, croissant(aside, written, name, told, licence, day))
    return _remarks(audit, len(copies), licence.key)


def _copies(synthetic: SyntheticSet, audit: StoredAudit | None) -> np.ndarray:
    """Rows of the images that an audit counted as copies."""
    if audit is None or audit.pairs.empty:
        return np.zeros(0, dtype=np.int64)
    found = audit.pairs[audit.pairs["score"] < 1.0]
    rows = [
        class_rows(synthetic, str(label))[part["synthetic"].astype(int)]
        for label, part in found.groupby("label")
    ]
    return np.concatenate([np.zeros(0, dtype=np.int64), *rows])


def _remarks(audit: StoredAudit | None, copies: int, licence: str) -> list[str]:
    remarks = []
    if audit is None:
        remarks.append("the set has no audit: run `dermaug audit` before you pass it on")
    if copies:
        found = "1 image" if copies == 1 else f"{copies:,} images"
        remarks.append(f"left out, because the audit counted them as copies: {found}")
    if licence == "other":
        remarks.append("the licence is unknown: complete README.md before you pass the set on")
    return remarks
