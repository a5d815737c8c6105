"""What the benchmarks of trainings share: the same images for the textbook and for dermaug."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rounds import Way, as_image_folder, open_images
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision.datasets import ImageFolder
from torchvision.transforms import Compose

from dermaug.config import DataConfig
from dermaug.data.catalog import Catalog
from dermaug.data.pixels import load_pixels

SIZE = 64
FLOAT32, BFLOAT16 = "float32", "bfloat16"
"""As tutorials have it, in float32 and NCHW; and as a careful user, by autocast, channels last."""
USUAL = f"{FLOAT32}, 2 workers"
Step = Callable[[Tensor, Tensor], object]
"""One training step on a batch of images and labels; waits for the device."""


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
        pixels = np.asarray(store.images).copy()  # the cache is mapped read-only
        files = as_image_folder(catalog, folder / "by class")
        yield Prepared(folder, catalog, pixels, files, min(64, len(catalog)))


class InMemory(Dataset[tuple[Tensor, int]]):
    """Squares that have been decoded before, each transformed when it is asked for."""

    def __init__(self, given: Prepared, transform: Compose) -> None:
        self.pixels, self.labels, self.transform = given.pixels, given.catalog.labels, transform

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, row: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.pixels[row])), int(self.labels[row])


def computed_in(kind: str, device: torch.device) -> torch.autocast:
    """The context of forward passes in a setting."""
    return torch.autocast(device.type, torch.bfloat16, enabled=kind == BFLOAT16)


def laid_out(kind: str, network: nn.Module) -> nn.Module:
    """A network in the memory layout of a setting."""
    return network.to(memory_format=torch.channels_last) if kind == BFLOAT16 else network


def textbook_ways(given: Prepared, transform: Compose, steps: Mapping[str, Step]) -> dict[str, Way]:
    """Epochs of a DataLoader: of files with 0 and 2 workers, and of images in memory.

    Args:
        given: The images.
        transform: What the textbook does to each picture.
        steps: The step in float32 and in bfloat16.
    """
    files, memory = ImageFolder(str(given.files), transform), InMemory(given, transform)

    def way(kind: str, images: Dataset[tuple[Tensor, int]], workers: int) -> Way:
        loader = DataLoader(images, given.batch, shuffle=True, num_workers=workers, drop_last=True)
        step = steps[kind]

        def epoch() -> float:
            begin = time.perf_counter()
            for batch_images, labels in loader:
                step(batch_images, labels)
            return len(loader) * given.batch / (time.perf_counter() - begin)

        return epoch

    return {
        "float32, 0 workers": way(FLOAT32, files, 0),
        USUAL: way(FLOAT32, files, 2),
        "bfloat16, 2 workers": way(BFLOAT16, files, 2),
        "bfloat16, in memory": way(BFLOAT16, memory, 0),
    }


def compared(rates: Mapping[str, np.ndarray], ways: Mapping[str, Way]) -> list[str]:
    """The textbook's settings with which dermaug is compared: the usual one, and the best here."""
    best = max(ways, key=lambda name: float(np.median(rates[name])))
    return [USUAL, best] if best != USUAL else [USUAL]
