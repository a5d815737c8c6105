"""A synthetic set in the layouts that other tools read."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from PIL import Image

from dermaug.csv_files import write_csv
from dermaug.data.sources.descriptors import HAM10000

Images = UInt8[np.ndarray, "n h w 3"]
QUALITY = 95
"""Of the JPEG files of HAM10000's layout, without subsampling of colours."""


@dataclass(frozen=True)
class Layout:
    """What a layout consists of, for the card and the metadata.

    Args:
        words: Its description, with the library call that reads it.
        main: File that holds labels, or everything.
        encoding: Media type of `main`.
        columns: Columns of `main` if it is a CSV file: file or image id, then label.
        images: Pattern of the image files; "" if they are in `main`.
        image_type: Media type of these files.
    """

    words: str
    main: str
    encoding: str
    columns: tuple[str, ...] = ()
    images: str = ""
    image_type: str = "image/png"


def imagefolder(folder: Path, images: Images, labels: Sequence[str]) -> Layout:
    """PNG files and `metadata.csv`, as Hugging Face's `imagefolder` reads them."""
    names = [f"images/{row:06d}.png" for row in range(len(labels))]
    _write_images([folder / name for name in names], images)
    write_csv(folder / "metadata.csv", pd.DataFrame({"file_name": names, "label": labels}))
    words = 'PNG files and a table; `datasets.load_dataset("imagefolder", data_dir=...)` reads them'
    return Layout(words, "metadata.csv", "text/csv", ("file_name", "label"), "images/*.png")


def ham10000(folder: Path, images: Images, labels: Sequence[str]) -> Layout:
    """JPEG files and `HAM10000_metadata.csv`; each image counts as a lesion of its own."""
    ids = [f"SYN_{row:07d}" for row in range(len(labels))]
    paths = [folder / "HAM10000_images" / f"{name}.jpg" for name in ids]
    _write_images(paths, images, quality=QUALITY, subsampling=0)
    table = pd.DataFrame({"lesion_id": ids, "image_id": ids, "dx": labels, "dx_type": "synthetic"})
    table = table.assign(age="", sex="unknown", localization="unknown")
    write_csv(folder / "HAM10000_metadata.csv", table)
    words = f"JPEG files (quality {QUALITY}) and a table, as in HAM10000"
    columns = ("image_id", "dx")
    pattern = "HAM10000_images/*.jpg"
    return Layout(words, "HAM10000_metadata.csv", "text/csv", columns, pattern, "image/jpeg")


def medmnist(folder: Path, images: Images, labels: Sequence[str]) -> Layout:
    """One npz file as MedMNIST's, all images in its training split, with DermaMNIST's codes."""
    codes = label_codes(labels)
    name = "dermamnist_synthetic.npz" if set(labels) <= set(HAM10000) else "medmnist_synthetic.npz"
    numbers = np.array([[codes[label]] for label in labels], dtype=np.uint8)
    arrays = {"train_images": np.asarray(images), "train_labels": numbers}
    for split in ("val", "test"):
        arrays |= {f"{split}_images": arrays["train_images"][:0], f"{split}_labels": numbers[:0]}
    np.savez_compressed(folder / name, **arrays)  # type: ignore[arg-type]
    words = f"one npz file as in MedMNIST, all images in its training split; {_coded(codes)}"
    return Layout(words, name, "application/octet-stream")


def stylegan(folder: Path, images: Images, labels: Sequence[str]) -> Layout:
    """PNG files and `dataset.json`, as StyleGAN2-ADA, StyleGAN3 and EDM read them."""
    codes = label_codes(labels)
    names = [f"{row // 1000:05d}/img{row:08d}.png" for row in range(len(labels))]
    _write_images([folder / name for name in names], images, compress_level=0)
    pairs = [[name, codes[label]] for name, label in zip(names, labels, strict=True)]
    (folder / "dataset.json").write_text(json.dumps({"labels": pairs}), encoding="utf-8")
    words = f"PNG files and dataset.json, as in StyleGAN2-ADA, StyleGAN3 and EDM; {_coded(codes)}"
    return Layout(words, "dataset.json", "application/json", images="*/*.png")


def label_codes(labels: Sequence[str]) -> dict[str, int]:
    """Label -> number: HAM10000's if all labels are among its seven, else by name.

    Example:
        >>> label_codes(["nv", "mel"]), label_codes(["wart", "nv"])
        ({'mel': 4, 'nv': 5}, {'nv': 0, 'wart': 1})
    """
    known = sorted(set(labels))
    order = list(HAM10000) if set(known) <= set(HAM10000) else known
    return {label: order.index(label) for label in known}


LAYOUTS: Mapping[str, Callable[[Path, Images, Sequence[str]], Layout]] = {
    "imagefolder": imagefolder,
    "ham10000": ham10000,
    "medmnist": medmnist,
    "stylegan": stylegan,
}
"""Name of a layout -> function that writes images and labels into an empty folder."""


def _coded(codes: Mapping[str, int]) -> str:
    return "labels are " + ", ".join(f"{code} {label}" for label, code in codes.items())


def _write_images(paths: Sequence[Path], images: Images, **options: Any) -> None:  # noqa: ANN401
    for folder in {path.parent for path in paths}:
        folder.mkdir(parents=True, exist_ok=True)
    for path, pixels in zip(paths, images, strict=True):
        Image.fromarray(np.asarray(pixels)).save(path, **options)
