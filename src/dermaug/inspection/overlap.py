"""Images and lesions that two data sets share, counted."""

from pathlib import Path

import numpy as np

from dermaug.config import DataConfig
from dermaug.data.check import Checked, check_catalog
from dermaug.data.dataset import open_other
from dermaug.data.parallel import Progress
from dermaug.experiment.run.contents import Remembered
from dermaug.experiment.run.known import counted, match_images

LISTED = 10


def overlap(
    checked: Checked,
    names: tuple[str, str],
    other: Path,
    config: DataConfig,
    progress: Progress | None = None,
) -> list[str]:
    """Compare a data set with another by pixels, as near-duplicates and by global id.

    Args:
        checked: The data set whose images are counted, for example a test split, decoded.
        names: What the two are called.
        other: The other, for example the training split.
        config: How labels and columns of the first are read; the other may lack them.
        progress: Called with (done, total) while the other's images are decoded.

    Returns:
        What was left out of the other, a sentence that can be quoted, one on the lesions or
        patients, and some pairs of images.

    Raises:
        DermaugError: The other cannot be read as a data set.
    """
    second = check_catalog(open_other(config, other), progress=progress)
    told = [f"{names[1]}: {note}" for note in second.catalog.left_out]
    return [*told, *shared_lines(checked, second, names)]


def split_overlap(checked: Checked) -> list[str]:
    """What the given splits of a data set, if there are any, share with its training split."""
    if "split" not in checked.catalog.table:
        return []
    parts = {name: _part(checked, name) for name in ("train", "validation", "test")}
    train, lines = parts.pop("train"), list[str]()
    for name, part in parts.items():
        if len(part.catalog):
            lines += shared_lines(part, train, (f"the {name} split", "the training split"))
            lines += _shared_groups(part, train, name)
    return lines


def _shared_groups(part: Checked, train: Checked, name: str) -> list[str]:
    """Lesions or patients of a given split that the training split has, too, by their ids."""
    catalog = part.catalog
    if not (catalog.grouped or catalog.unit == "patient"):
        return []
    groups = set(catalog.groups)
    shared = len(groups & set(train.catalog.groups))
    share = f"{shared:,}" if shared else "None"
    return [
        f"{share} of the {len(groups):,} {catalog.unit}s of the {name} split, by id, "
        f"{'are' if shared != 1 else 'is'} in the training split."
    ]


def _part(checked: Checked, split: str) -> Checked:
    """The images of one given split; an image of several splits is in each of them."""
    splits = checked.catalog.table["split"].str.split("+")
    rows = np.flatnonzero([split in names for names in splits])
    return Checked((), checked.catalog.take(rows), checked.contents.take(rows))


def shared_lines(first: Checked, second: Checked, names: tuple[str, str]) -> list[str]:
    """How many images of the first data set are in the second, in sentences with their `names`."""
    table = second.catalog.table.assign(pixels=second.contents.pixels)
    matches = match_images(first, Remembered(table, second.contents.details))
    reasons = matches.reasons(set(second.catalog.image_ids))
    found = matches.found.drop_duplicates(["row", "image_id"])
    known = np.zeros(len(reasons), dtype=bool)
    known[found["row"].to_numpy(dtype=np.int64)] = True
    total, unit = len(known), first.catalog.unit
    if not total or not known.any():
        return [f"None of the {total:,} images of {names[0]} are in {names[1]}."]
    groups = first.catalog.groups
    shared, number = len(set(groups[known])), len(set(groups))
    ids = zip(
        first.catalog.image_ids[found["row"]], found["image_id"], found["reason"], strict=True
    )
    pairs = [f"{one} is {other} ({reason})" for one, other, reason in ids]
    more = len(pairs) - LISTED
    lines = [
        f"{100 * known.mean():.1f} % of the images of {names[0]} are in {names[1]}: "
        f"{int(known.sum()):,} of {total:,} ({counted(reasons[known])}), which are "
        f"{found['image_id'].nunique():,} of its {len(second.catalog):,} images."
    ]
    if first.catalog.grouped or unit == "patient":
        lines.append(
            f"{shared:,} of the {number:,} {unit}s of {names[0]} have an image in {names[1]}."
        )
    return [*lines, *pairs[:LISTED], *([f"and {more:,} more pairs"] if more > 0 else [])]
