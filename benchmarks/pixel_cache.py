"""Image cache: its first call, which decodes on all cores, and its second, against a loop of PIL.

The loop is what a script would write: open, centred square, resize, stack. The first call also
hashes every file and writes the cache to disk; the second checks the cache and maps it.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from joblib.externals.loky import get_reusable_executor
from PIL import Image
from rounds import (
    Data,
    Images,
    Rounds,
    Way,
    new_folder,
    open_images,
    print_rates,
    start,
    time_in_turn,
)

from dermaug.config import DataConfig
from dermaug.data.catalog import Catalog
from dermaug.data.pixels import load_pixels

SIZE = 64


def pil_loop(catalog: Catalog) -> np.ndarray:
    squares = []
    for path in catalog.table["path"]:
        image = Image.open(path).convert("RGB")
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        square = image.crop((left, top, left + side, top + side)).resize((SIZE, SIZE))
        squares.append(np.asarray(square))
    return np.stack(squares)


def rate_of(call: Callable[[], np.ndarray]) -> float:
    begin = time.perf_counter()
    images = call()
    return len(images) / (time.perf_counter() - begin)


def ways(catalog: Catalog, folder: Path) -> dict[str, Way]:
    config = DataConfig(size=SIZE)
    filled = new_folder(folder)

    def first_call() -> float:
        # A newcomer's first call also starts the worker processes.
        get_reusable_executor().shutdown(wait=True)
        empty = new_folder(folder)
        return rate_of(lambda: load_pixels(catalog, config, cache=empty).images)

    def second_call() -> float:
        load_pixels(catalog, config, cache=filled)
        return rate_of(lambda: load_pixels(catalog, config, cache=filled).images)

    return {
        "PIL loop": lambda: rate_of(lambda: pil_loop(catalog)),
        "dermaug, first call": first_call,
        "dermaug, second call": second_call,
    }


def main(data: Data = None, images: Images = 2_000, rounds: Rounds = 5) -> None:
    """Decode images to 64-pixel squares in three ways."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        catalog = open_images(data, images, folder)
        rates = time_in_turn(ways(catalog, folder), rounds)
        print_rates(f"{len(catalog):,} files to {SIZE} px", rates, ["PIL loop"])


if __name__ == "__main__":
    start(main)
