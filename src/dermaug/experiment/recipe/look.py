"""What a plan knows of a data set and of the machine."""

import shlex
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from dermaug.config import DataConfig, Grouping
from dermaug.data.catalog import Catalog
from dermaug.data.dataset import PHANTOM, open_dataset, open_other, read_pixels
from dermaug.data.image_sizes import short_sides
from dermaug.data.selection import keep_classes
from dermaug.data.sources import recognised_as
from dermaug.data.unread_files import unread_sentence
from dermaug.data.workers import BadFile
from dermaug.errors import DermaugError
from dermaug.experiment.recipe import rules
from dermaug.experiment.run.data import joined, twins_of
from dermaug.experiment.run.machine import machine
from dermaug.experiment.run.records import Machine
from dermaug.training.timm_networks import hub_id
from dermaug.training.weight_packages import packaged_file
from dermaug.training.weights import in_hub_cache


@dataclass(frozen=True)
class ClassCount:
    """One class: its label, its images, and its groups (lesions or patients)."""

    label: str
    images: int
    groups: int


@dataclass(frozen=True, eq=False)
class Look:
    """A data set as a run would use it, and the machine.

    Args:
        catalog: The usable images, near-duplicates and equal images in one group.
        too_few: The classes that are left out, because they have too few lesions.
        short_sides: Smallest, median and largest short side of the files, in pixels.
        kinds: File ending -> number of files.
        unusable: The files that cannot be used.
        device: Device of the trainings, for example cpu.
        weights: Where `rules.PRETRAINED` finds its weights: `package`, `hub`, or "" for nowhere.
        read_as: What the data were recognised as, and by which columns, as a sentence.
        unread: Which of its files were not read, as a sentence; "" if none is left.
    """

    catalog: Catalog
    classes: tuple[ClassCount, ...]
    too_few: tuple[ClassCount, ...]
    short_sides: tuple[int, int, int]
    kinds: dict[str, int]
    unusable: tuple[BadFile, ...]
    machine: Machine
    device: str
    weights: str = ""
    read_as: str = ""
    unread: str = ""

    @property
    def imbalance(self) -> float:
        """Images of the most frequent class per image of the rarest one."""
        numbers = [each.images for each in self.classes]
        return max(numbers) / min(numbers)


def look_at(data: DataConfig, grouping: Grouping, device: str) -> Look:
    """Open and decode a data set, and find its duplicates, as a run does.

    Raises:
        DermaugError: The path is no data set, or fewer than two classes have enough lesions.
    """
    asked = data.model_copy(update={"size": rules.RUNGS[0].side, "on_bad": "skip"})
    try:
        store = read_pixels(open_dataset(asked, grouping), asked)
        catalog = joined(store, twins_of(store, None)).catalog
    except DermaugError as error:
        command = shlex.join(["dermaug", "data", "check", data.source, *data.as_options])
        hint = f"`{command}` lists all that a run would refuse, and the options that mend it"
        hints = [hint] if _can_be_read(data) else []
        raise DermaugError(error.message, (*error.details, *hints)) from None
    counts = _counts(catalog)
    kept = tuple(each for each in counts if each.groups >= rules.FEWEST_LESIONS)
    if len(kept) < 2:
        told = ", ".join(f"{each.label} {each.groups}" for each in counts) or "none"
        raise DermaugError(
            f"{catalog.name}: expected at least two classes with {rules.FEWEST_LESIONS} or more "
            f"{catalog.unit}s each, found {told}; add images, or merge classes with --labels "
            "LABEL=CLASS"
        )
    if len(kept) < len(counts):
        catalog = keep_classes(catalog, tuple(each.label for each in kept))
    read_as = "" if data.source == PHANTOM else recognised_as(Path(data.source), data.columns)
    unread = "" if data.source == PHANTOM else unread_sentence(catalog, (read_as, *catalog.notes))
    files = [str(path) for path in catalog.table["path"] if path]
    return Look(
        catalog=catalog,
        classes=kept,
        too_few=tuple(each for each in counts if each not in kept),
        short_sides=short_sides(catalog),
        kinds=dict(Counter(Path(path).suffix.lower().lstrip(".") for path in files)),
        unusable=store.skipped,
        machine=machine(),
        device=device,
        weights=_weights(str(rules.PRETRAINED["model"])),
        read_as=read_as,
        unread=unread,
    )


def _can_be_read(data: DataConfig) -> bool:
    """Whether the table of a data set is sound, so that what is refused is found in a check."""
    try:
        open_other(data, data.source)
    except DermaugError:
        return False
    return True


def _counts(catalog: Catalog) -> tuple[ClassCount, ...]:
    labels = catalog.table["label"].to_numpy()
    return tuple(
        ClassCount(label, int(of_class.sum()), len(set(catalog.groups[of_class])))
        for label in catalog.classes
        for of_class in [labels == label]
    )


def _weights(model: str) -> str:
    """Where the weights of a network are, without asking the net."""
    if packaged_file(model) is not None:
        return "package"
    return "hub" if in_hub_cache(hub_id(model)) else ""
