"""Open the data set of an experiment, or draw it on first use, and apply the selection."""

from collections.abc import Collection, Sequence
from pathlib import Path

from dermaug.config import DataConfig, Grouping
from dermaug.config.data import Reading
from dermaug.console import console, counting_bar
from dermaug.data.cache_files import PHANTOMS
from dermaug.data.catalog import Catalog
from dermaug.data.pixels import PixelStore, default_cache, load_pixels
from dermaug.data.selection import require_asked, select, select_alike
from dermaug.data.sources import open_catalog
from dermaug.data.sources.named_columns import named_tables, names_there
from dermaug.data.sources.own_tables import REQUIRED
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


def open_alike(
    config: DataConfig,
    path: str | Path,
    classes: Sequence[str] | None = None,
    asked: Collection[str] = (),
) -> Catalog:
    """Open another data set with the labels of an experiment.

    Args:
        config: The experiment's data section: how labels are mapped, left out and merged.
        path: The other data set, or `phantom`.
        classes: Classes that a network knows, in the order of its outputs; None keeps all.
        asked: Labels that the user names for this data set, each of which it must have.

    Raises:
        DermaugError: It has labels that are neither known nor left out by the experiment, or lacks
            one that is asked for.
    """
    catalog = open_other(config, path)
    require_asked(catalog, asked)
    return select_alike(catalog, config, classes)


def refuse_other_labels(config: DataConfig, classes: Sequence[str]) -> None:
    """Read the tables of the external test sets of an experiment, but no image.

    Raises:
        DermaugError: One cannot be read, or has labels that are not among these classes.
    """
    for path in config.external_test:
        open_alike(config, path, classes)


def open_other(config: DataConfig, path: str | Path) -> Catalog:
    """Read another data set with the label map of an experiment, whatever its labels.

    Columns that the experiment names are those of the other as well, if its table has them.
    """
    other = config.model_copy(update={"source": str(path)})
    if config.columns:
        there = names_there(expanded(str(path), "data"), config.columns, REQUIRED)
        other = other.with_columns(there)
    return _open_source(other)


def read_otherwise(config: DataConfig, path: Path, reading: Reading) -> DataConfig:
    """The section of an experiment, to read another data set by.

    Args:
        config: The experiment's data section.
        path: The other data set.
        reading: What the user says of it; columns that are named replace those of the experiment,
            and what is unclear is left out only if the user says so here.

    Raises:
        DermaugError: No table has the columns.
    """
    if reading.columns:
        named_tables(path, list(reading.columns.values()))
        config = config.with_columns({})
    return config.read_as(reading).model_copy(update={"unclear": reading.unclear})


def open_labelled(
    config: DataConfig, path: str | Path, classes: tuple[str, ...], asked: Collection[str] = ()
) -> PixelStore:
    """Open another data set as `open_alike` does, and decode it in the same way as the first."""
    other = config.model_copy(update={"source": str(path)})
    return read_pixels(open_alike(config, path, classes, asked), other)


def read_pixels(catalog: Catalog, config: DataConfig) -> PixelStore:
    """Decode a catalog, with a progress bar, or map its cached pixels.

    Raises:
        DermaugError: Lists the files that cannot be used, unless `config.on_bad` is `skip`.
    """
    with counting_bar("decoding") as progress:
        return load_pixels(catalog, config, progress=progress)


def _open_source(config: DataConfig) -> Catalog:
    phantoms = config.source == PHANTOM
    path = _phantoms(config) if phantoms else expanded(config.source, "data.source")
    return open_catalog(path, Reading(config.label_map) if phantoms else config.reading)


def _phantoms(config: DataConfig) -> Path:
    asked = config.phantom
    kind = "balanced" if asked.balanced else "prevalent"
    name = f"v{DRAWING_VERSION}-{kind}-{asked.number}-{asked.seed}-{config.size}px"
    folder = default_cache() / PHANTOMS / name
    if not folder.exists():
        console.print(f"drawing {asked.number:,} phantom lesions at {config.size} px")
        try:
            write_phantoms(folder, asked, config.size)
        except DermaugError as error:
            raise DermaugError(
                "phantoms are drawn into the cache, whose folder DERMAUG_CACHE names: "
                f"{error.message}"
            ) from None
    return folder
