"""Labels as the data write them, and the classes that they are read as."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from dermaug.data.catalog import Catalog

DROPPED = ""
"""Class of a label whose images are left out."""
LISTED = 20
"""Labels that a note names."""


def relabel(catalog: Catalog, wanted: Mapping[str, str]) -> Catalog:
    """Map the labels of a catalog, and leave out the images of some.

    Args:
        catalog: The data set as read.
        wanted: Label -> class, or `DROPPED`; other labels stay, labels that it lacks are ignored.
    """
    written = {label: wanted.get(label, label) for label in catalog.classes}
    counts = Counter(catalog.table["label"])
    notes = label_notes(written, counts)
    labels = catalog.table["label"].map(written)
    kept = catalog.take(np.flatnonzero(labels != DROPPED))
    table = kept.table.assign(label=kept.table["label"].map(written))
    classes = tuple(sorted({label for label in written.values() if label != DROPPED}))
    return replace(
        kept, table=table, classes=classes, written=written, notes=(*catalog.notes, *notes)
    )


def label_notes(written: Mapping[str, str], images: Counter[str]) -> list[str]:
    """Sentences on the labels that were changed or left out.

    Args:
        written: Label -> class, or `DROPPED`.
        images: Number of images of each label.
    """
    changed = [
        f"{text} = {label}" for text, label in sorted(written.items()) if label not in (text, "")
    ]
    dropped = Counter({text: images[text] for text, label in written.items() if label == DROPPED})
    notes = [f"Label map: {', '.join(changed)}."] if changed else []
    if number := dropped.total():
        noun = "image" if number == 1 else "images"
        notes.append(f"Left out {number:,} {noun} by label: {counted(dropped)}.")
    return notes


def counted(counts: Counter[str]) -> str:
    """Names with their counts, the most frequent first, at most `LISTED` of them.

    Example:
        >>> counted(Counter({"SCC": 2, "": 1}))
        'SCC (2), no label (1)'
    """
    shown = [
        f"{name[:60] or 'no label'} ({number:,})" for name, number in counts.most_common(LISTED)
    ]
    more = f" and {len(counts) - LISTED} more" if len(counts) > LISTED else ""
    return ", ".join(shown) + more
