"""What the benchmarks of trainings share: the same images for the textbook and for dermaug."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rounds import Way, as_image_folder, open_images
from torch import Tensor
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import Compose

from dermaug.config import DataConfig
from dermaug.data.catalog import Catalog
from dermaug.data.pixels import load_pixels

SIZE = 64


@dataclass(frozen=True, eq=False)
class Prepared:
    """Images at hand in both ways.

    Args:
        folder: For what a benchmark writes; gone afterwards.
        catalog: The images.
        pixels: Their squares, uint8 (n, SIZE, SIZE, 3), for dermaug.
        files: As ImageFolder wants them, for the textbook.
        batch: Images a step.
    """

    folder: Path
    catalog: Catalog
    pixels: np.ndarray
    files: Path
    batch: int


@contextmanager
def prepared(data: Path | None, images: int) -> Iterator[Prepared]:
    """So many images of a data set, or phantoms; see `open_images`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        catalog = open_images(data, images, folder)
        store = load_pixels(catalog, DataConfig(size=SIZE), cache=folder / "cache")
        pixels = store.images.copy()  # the cache is mapped read-only
        files = as_image_folder(catalog, folder / "by class")
        yield Prepared(folder, catalog, pixels, files, min(64, len(catalog)))


def textbook_ways(
    given: Prepared, transform: Compose, step: Callable[[Tensor, Tensor], object]
) -> dict[str, Way]:
    """An epoch of ImageFolder and a DataLoader, with 0 and with 2 workers.

    Args:
        given: The images.
        transform: What the textbook does to each picture.
        step: One training step on a batch of images and labels; waits for the device.
    """
    images = ImageFolder(str(given.files), transform)

    def way(workers: int) -> Way:
        loader = DataLoader(images, given.batch, shuffle=True, num_workers=workers, drop_last=True)

        def epoch() -> float:
            begin = time.perf_counter()
            for batch_images, labels in loader:
                step(batch_images, labels)
            return len(loader) * given.batch / (time.perf_counter() - begin)

        return epoch

    return {f"textbook, {workers} workers": way(workers) for workers in (0, 2)}
