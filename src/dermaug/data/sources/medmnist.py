"""DermaMNIST (Yang et al., Scientific Data 10, 41, 2023): HAM10000's pixels in one npz file."""

import zipfile
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from dermaug.data.catalog import Catalog
from dermaug.data.containers import is_folder
from dermaug.data.image_folders import file_names
from dermaug.data.sources.descriptors import HAM10000
from dermaug.data.sources.plain_catalog import labels_alone
from dermaug.data.sources.split_folders import pooled_note, split_name, with_splits
from dermaug.errors import DermaugError

LOOKS_FOR = "dermamnist*.npz with train_images, train_labels, val_*, test_*"
SHOWN = 10
"""Labels that an error shows."""
SPLITS = ("train", "val", "test")
NOTE = (
    "The file names no lesions: images of one lesion may lie in different splits, of a run as of "
    "the given ones."
)


def recognises(path: Path) -> bool:
    """Whether `path` is a dermamnist*.npz file or a folder with one."""
    return bool(_files(path))


def read(path: Path) -> Catalog:
    """Read the three splits of the file as one data set.

    Args:
        path: The file, or its folder.

    Raises:
        DermaugError: Several files, or arrays other than DermaMNIST's.
    """
    files = _files(path)
    if len(files) > 1:
        raise DermaugError(
            f"{path}: expected one dermamnist*.npz, found {len(files)}; pass the one you want",
            list(map(str, files)),
        )
    images, codes = _arrays(files[0])
    labels = [HAM10000[code] for split in SPLITS for code in codes[split]]
    numbers = {split: len(codes[split]) for split in SPLITS}
    ids = [f"{split}_{row:05d}" for split, number in numbers.items() for row in range(number)]
    table = labels_alone(ids, labels)
    table = with_splits(table, [split_name(name) for name in numbers for _ in codes[name]])
    return Catalog(
        name="DermaMNIST",
        root=files[0].parent,
        table=table,
        classes=tuple(sorted(set(labels))),
        grouped=False,
        embedded=np.concatenate([images[split] for split in SPLITS]),
        notes=(NOTE, pooled_note(numbers)),
    )


def _files(path: Path) -> list[Path]:
    paths = [path] if not is_folder(path) else [path / name for name in file_names(path)]
    return [file for file in paths if fnmatch(file.name.lower(), "dermamnist*.npz")]


def _arrays(
    path: Path,
) -> tuple[dict[str, UInt8[np.ndarray, "n side side 3"]], dict[str, np.ndarray]]:
    """Pixels and label codes of each split; nothing is unpickled."""
    if not zipfile.is_zipfile(path):
        raise DermaugError(f"{path}: expected an npz file, found another kind; download it again")
    try:
        with np.load(path, allow_pickle=False) as stored:
            images = {split: stored[f"{split}_images"] for split in SPLITS}
            codes = {split: stored[f"{split}_labels"].reshape(-1) for split in SPLITS}
    except Exception as error:  # of numpy, zipfile or zlib
        raise DermaugError(
            f"{path}: expected the arrays train_images, train_labels, val_* and test_*; {error}; "
            "download it again"
        ) from None
    for split, pixels in images.items():
        labels, number = codes[split], len(HAM10000)
        squares = pixels.ndim == 4 and pixels.shape[1:] == (*images["train"].shape[1:3], 3)
        coded = labels.dtype.kind in "iu" and np.isin(labels, np.arange(number)).all()
        if pixels.dtype != np.uint8 or not squares or not coded or len(labels) != len(pixels):
            raise DermaugError(
                f"{path}: expected {split}_images (n, side, side, 3) of uint8 and as many "
                f"{split}_labels from 0 to {number - 1}, found {pixels.dtype} {pixels.shape} and "
                f"{labels.dtype} {labels.shape}, {', '.join(map(str, np.unique(labels)[:SHOWN]))}; "
                "is it another MedMNIST data set?"
            )
    return images, codes
