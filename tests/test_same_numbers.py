"""Numbers of a small study that no other way of storing or searching images may change.

Each was computed before pixels lay in shards, and when every training held a copy of its images. A
change of one of them changes folds, orders or batches of studies that have been started.
"""

from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from dermaug.config import DataConfig, SplitConfig
from dermaug.data.catalog import COLUMNS, Catalog
from dermaug.data.image_bank import ImageBank, channel_statistics
from dermaug.data.pixels import PixelStore, load_pixels
from dermaug.data.splits import make_folds
from dermaug.evaluation.duplicates import near_pairs
from dermaug.training.order import Order

NUMBER = 300


def digest(values: np.ndarray) -> str:
    return sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:16]


@pytest.fixture(scope="module")
def store() -> PixelStore:
    random = np.random.default_rng(0)
    lesions = random.integers(0, 200, NUMBER)
    table = pd.DataFrame("", index=range(NUMBER), columns=list(COLUMNS))
    table["image_id"] = [f"image{row:03d}" for row in random.permutation(NUMBER)]
    table["lesion_id"] = [f"lesion{lesion:03d}" for lesion in lesions]
    table["label"] = np.array(["bcc", "mel", "nv"])[lesions % 3]
    pixels = random.integers(0, 256, (NUMBER, 16, 16, 3), dtype=np.uint8)
    catalog = Catalog("Small", Path(), table, ("bcc", "mel", "nv"), embedded=pixels)
    return load_pixels(catalog, DataConfig(size=16))


def test_fingerprint_and_folds(store: PixelStore) -> None:
    folds = make_folds(store.catalog, SplitConfig(folds=5), store.fingerprint)
    assert store.fingerprint == "6de15a1be458f3ab"
    assert [fold.key for fold in folds] == [
        "db2c587b8290e1a6",
        "eca0f0bfd28c565a",
        "764f1dab0087e9b9",
        "0b74ffd2b9001f56",
        "e811a23a013c42ab",
    ]


def test_order_and_batches(store: PixelStore) -> None:
    (fold, *_) = make_folds(store.catalog, SplitConfig(folds=5), store.fingerprint)
    rows = store.catalog.rows(fold.train)
    bank = ImageBank.of(store.images[rows], store.catalog.labels[rows], torch.device("cpu"))
    order = Order(len(rows), seed=7).batch(100, 500)
    images, labels = bank.batch(order)
    assert digest(order) == "39681d5dfd988e31"
    assert (digest(images.numpy()), digest(labels.numpy())) == (
        "9da79d13bfa742cc",
        "6c6dbc7437ed9b9a",
    )
    means, deviations = channel_statistics(store.images[rows])
    assert means == pytest.approx(
        (0.4979370164119569, 0.49853406742599, 0.49979980656478284), rel=1e-12
    )
    assert deviations == pytest.approx(
        (0.2893337024436489, 0.2899894390278574, 0.28900956832855157), rel=1e-12
    )


def test_near_duplicates() -> None:
    random = np.random.default_rng(0)
    details = random.integers(-60, 61, (NUMBER, 32, 32)).astype(np.int8)
    again = np.rot90(details[:20], axes=(1, 2)) + random.integers(-12, 13, (20, 32, 32))
    found = near_pairs(np.concatenate([details, again.astype(np.int8)]), np.arange(NUMBER + 20))
    assert digest(np.stack([found.first, found.second, found.orientations])) == "fa6c91e838584297"
    assert digest(found.correlations) == "eedeea14ca4a118c"
