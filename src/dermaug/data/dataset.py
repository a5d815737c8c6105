"""The data set that an experiment names: opened, or drawn on first use, then selected."""

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

    Phantom lesions are drawn into the cache folder when they are asked for the first time.

    Args:
        config: The experiment's data section.
        grouping: The experiment's `splits.group`.

    Raises:
        DermaugError: The source is not recognised, is damaged, lacks a class that is asked for, or
            names no patient and is to be grouped by patient.
    """
    phantoms = config.source == PHANTOM
    path = _phantoms(config) if phantoms else expanded(config.source, "data.source")
    return select(open_catalog(path).grouped_by(grouping), config)


def open_labelled(config: DataConfig, path: Path, classes: tuple[str, ...]) -> PixelStore:
    """Decode another data set as the first was, under the same labels.

    Args:
        config: How the first data set was cut and its labels merged.
        path: The other data set, or `phantom`.
        classes: Labels that a classifier knows, in the order of its outputs.

    Raises:
        DermaugError: It has a label that is not among them.
    """
    return read_pixels(open_other(config, path, classes), _moved(config, path))


def open_other(config: DataConfig, path: str | Path, classes: tuple[str, ...]) -> Catalog:
    """Open another data set as the first was, under the same labels; no image is decoded.

    Args:
        config: As for `open_labelled`.
        path: As for `open_labelled`.
        classes: As for `open_labelled`.

    Raises:
        DermaugError: It has a label that is not among them.
    """
    catalog = open_dataset(_moved(config, path))
    if unknown := sorted(set(catalog.classes) - set(classes)):
        raise DermaugError(
            f"{path} has labels that the classifiers do not know: {', '.join(unknown)}; "
            f"they were trained on {', '.join(classes)}"
        )
    return replace(catalog, classes=classes)


def read_pixels(catalog: Catalog, config: DataConfig) -> PixelStore:
    """Decode a catalog, with a progress bar, or map what was decoded before.

    Raises:
        DermaugError: Lists the files that cannot be decoded, unless `config.on_bad` is `skip`.
    """
    with counting_bar("decoding") as progress:
        return load_pixels(catalog, config, progress=progress)


def _moved(config: DataConfig, path: str | Path) -> DataConfig:
    return config.model_copy(update={"source": str(path), "classes": (), "limit": 0})


def _phantoms(config: DataConfig) -> Path:
    asked = config.phantom
    kind = "balanced" if asked.balanced else "prevalent"
    name = f"v{DRAWING_VERSION}-{kind}-{asked.number}-{asked.seed}-{config.size}px"
    folder = default_cache() / "phantoms" / name
    if not folder.exists():
        console.print(f"drawing {asked.number:,} phantom lesions at {config.size} px")
        write_phantoms(folder, asked, config.size)
    return folder
