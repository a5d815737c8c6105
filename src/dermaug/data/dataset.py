"""The data set that an experiment names: opened, or drawn on first use, then selected."""

from pathlib import Path

from dermaug.config import DataConfig
from dermaug.console import console, counting_bar
from dermaug.data.catalog import Catalog
from dermaug.data.pixels import PixelStore, default_cache, load_pixels
from dermaug.data.selection import select
from dermaug.data.sources import open_catalog
from dermaug.data.sources.phantom import DRAWING_VERSION, write_phantoms

PHANTOM = "phantom"


def open_dataset(config: DataConfig) -> Catalog:
    """Open `config.source` and apply its groups, classes and limit.

    Phantom lesions are drawn into the cache folder when they are asked for the first time.

    Raises:
        DermaugError: The source is not recognised, is damaged, or lacks a class that is asked for.
    """
    if config.source == PHANTOM:
        return select(open_catalog(_phantoms(config)), config)
    return select(open_catalog(Path(config.source).expanduser()), config)


def read_pixels(catalog: Catalog, config: DataConfig) -> PixelStore:
    """Decode a catalog, with a progress bar, or map what was decoded before.

    Raises:
        DermaugError: Lists the files that cannot be decoded, unless `config.on_bad` is `skip`.
    """
    with counting_bar("decoding") as progress:
        return load_pixels(catalog, config, progress=progress)


def _phantoms(config: DataConfig) -> Path:
    asked = config.phantom
    kind = "balanced" if asked.balanced else "prevalent"
    name = f"v{DRAWING_VERSION}-{kind}-{asked.number}-{asked.seed}-{config.size}px"
    folder = default_cache() / "phantoms" / name
    if not folder.exists():
        console.print(f"drawing {asked.number:,} phantom lesions at {config.size} px")
        write_phantoms(folder, asked, config.size)
    return folder
