"""Open the data set of an experiment, or draw it on first use, and apply the selection."""

from dataclasses import replace
from pathlib import Path

from dermaug.config import DataConfig, Grouping
from dermaug.console import console, counting_bar
from dermaug.data.catalog import Catalog
from dermaug.data.pixels import PixelStore, default_cache, load_pixels
from dermaug.data.selection import select
from dermaug.data.sources import open_catalog
from dermaug.data.sources.phantom import DRAWING_VERSION, write_phantoms
from dermaug.errors import DermaugError
from dermaug.files import expanded

PHANTOM = "phantom"


def open_dataset(config: DataConfig, grouping: Grouping = "auto") -> Catalog:
    """Open `config.source` and apply its groups of labels, classes and limit.

    Phantom lesions are drawn into the cache folder when they are first used.

    Args:
        config: The experiment's data section.
        grouping: The experiment's `splits.group`.

    Raises:
        DermaugError: The source is not recognised, is damaged, lacks a requested class, or
            names no patients although grouping by patient is requested.
    """
    return select(_open_source(config).grouped_by(grouping), config)


def open_labelled(config: DataConfig, path: str | Path, classes: tuple[str, ...]) -> PixelStore:
    """Decode another data set in the same way as the first, with the same labels.

    Args:
        config: How the first data set was cut and its labels merged; labels that the other one does
            not have need no merging.
        path: The other data set, or `phantom`.
        classes: Labels that a classifier knows, in the order of its outputs.

    Raises:
        DermaugError: It has a label that is not among them.
    """
    changed = {"source": str(path), "classes": (), "limit": 0, "exclude": ()}
    other = config.model_copy(update=changed)
    read = _open_source(other)
    present = {
        name: tuple(label for label in labels if label in read.classes)
        for name, labels in config.groups.items()
    }
    groups = {name: labels for name, labels in present.items() if labels}
    catalog = select(read, other.model_copy(update={"groups": groups}))
    if unknown := sorted(set(catalog.classes) - set(classes)):
        raise DermaugError(
            f"{path} has labels that the classifiers were not trained on: {', '.join(unknown)}; "
            f"they were trained on {', '.join(classes)}"
        )
    return read_pixels(replace(catalog, classes=classes), other)


def read_pixels(catalog: Catalog, config: DataConfig) -> PixelStore:
    """Decode a catalog, with a progress bar, or map its cached pixels.

    Raises:
        DermaugError: Lists the files that cannot be decoded, unless `config.on_bad` is `skip`.
    """
    with counting_bar("decoding") as progress:
        return load_pixels(catalog, config, progress=progress)


def _open_source(config: DataConfig) -> Catalog:
    phantoms = config.source == PHANTOM
    return open_catalog(_phantoms(config) if phantoms else expanded(config.source, "data.source"))


def _phantoms(config: DataConfig) -> Path:
    asked = config.phantom
    kind = "balanced" if asked.balanced else "prevalent"
    name = f"v{DRAWING_VERSION}-{kind}-{asked.number}-{asked.seed}-{config.size}px"
    folder = default_cache() / "phantoms" / name
    if not folder.exists():
        console.print(f"drawing {asked.number:,} phantom lesions at {config.size} px")
        write_phantoms(folder, asked, config.size)
    return folder
