"""A synthetic set is a folder: images (one array or PNG files), metadata.csv and a manifest."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from PIL import Image

from dermaug.data.cells import safe_join
from dermaug.data.image_files import decode_whole
from dermaug.errors import DermaugError
from dermaug.files import folder_written_aside, read_record, write_json

ARRAY = "images.npy"
MANIFEST = "manifest.json"
METADATA = "metadata.csv"
SCHEMA = 1


@dataclass(frozen=True)
class Provenance:
    """Where synthetic images come from; what the leakage guard reads.

    Args:
        family: Generator family.
        generator: Digest of the generator's checkpoint.
        seed: Seed of the latents.
        fold_key: Key of the fold whose training part the generator saw.
        training_images: Ids of the images it saw.
    """

    family: str
    generator: str
    seed: int
    fold_key: str
    training_images: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class SyntheticSet:
    """Images made by one generator.

    Args:
        images: uint8 (n, size, size, 3); from an array on disk, memory-mapped.
        labels: Label of each image.
        provenance: Where they come from.
    """

    images: UInt8[np.ndarray, "n h w 3"]
    labels: tuple[str, ...]
    provenance: Provenance


def write_synthetic_set(
    folder: Path, synthetic: SyntheticSet, layout: Literal["array", "png"] = "array"
) -> None:
    """Write a set, whole or not at all.

    Args:
        folder: Folder to appear.
        synthetic: What to write.
        layout: `array` is one `images.npy`; `png` is one file an image under `images/`, as
            `datasets.load_dataset("imagefolder")` opens it.
    """
    names = [f"images/{label}_{row:06d}.png" for row, label in enumerate(synthetic.labels)]
    latents = pd.Series(synthetic.labels).groupby(list(synthetic.labels)).cumcount()
    table = pd.DataFrame(
        {
            "file_name": names,
            "label": synthetic.labels,
            "latent": [f"{synthetic.provenance.seed}-{row}" for row in latents],
            "generator": synthetic.provenance.generator[:16],
            "family": synthetic.provenance.family,
        }
    )
    manifest = {
        "schema": SCHEMA,
        "layout": layout,
        "number": len(synthetic.labels),
        "size": int(synthetic.images.shape[1]),
        "counts": table["label"].value_counts().sort_index().to_dict(),
        **asdict(synthetic.provenance),
    }
    with folder_written_aside(folder) as aside:
        if layout == "array":
            np.save(aside / ARRAY, synthetic.images)
            table = table.drop(columns="file_name")
        else:
            _write_pngs(aside, names, synthetic.images)
        table.to_csv(aside / METADATA, index=False)
        write_json(aside / MANIFEST, manifest)


def read_synthetic_set(folder: Path) -> SyntheticSet:
    """Read a set that `write_synthetic_set` wrote.

    Raises:
        DermaugError: The folder is none, or its parts do not agree.
    """
    manifest = read_record(folder / MANIFEST)
    if manifest.get("schema") != SCHEMA:
        raise DermaugError(f"{folder / MANIFEST}: expected a synthetic set's manifest, schema 1")
    try:
        provenance = Provenance(
            manifest["family"],
            manifest["generator"],
            manifest["seed"],
            manifest["fold_key"],
            tuple(manifest["training_images"]),
        )
        number, size, layout = manifest["number"], manifest["size"], manifest["layout"]
    except (KeyError, TypeError) as error:
        raise DermaugError(f"{folder / MANIFEST}: not whole ({error}); delete the folder") from None
    labels, images = _read_parts(folder, layout)
    if not len(images) == len(labels) == number or images.shape[1:] != (size, size, 3):
        raise DermaugError(
            f"{folder}: {len(images)} images {images.shape[1:]}, {len(labels)} rows of {METADATA} "
            f"and {number} images of {size} px in the manifest do not agree; delete the folder"
        )
    return SyntheticSet(images, labels, provenance)


def _read_parts(folder: Path, layout: str) -> tuple[tuple[str, ...], UInt8[np.ndarray, "n h w 3"]]:
    """Labels and images as they lie in the folder."""
    try:
        table = pd.read_csv(folder / METADATA, dtype=str, keep_default_na=False)
        labels = tuple(table["label"])
        if layout == "array":
            images = np.load(folder / ARRAY, mmap_mode="r", allow_pickle=False)
        else:
            files = [safe_join(folder, name) for name in table["file_name"]]
            images = np.stack([np.asarray(decode_whole(file)) for file in files])
    except (OSError, EOFError, ValueError, KeyError) as error:  # pandas raises ValueErrors
        raise DermaugError(
            f"{folder}: not a whole synthetic set ({error}); delete the folder and draw it anew"
        ) from None
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.ndim != 4:
        raise DermaugError(f"{folder / ARRAY}: expected pixels (n, height, width, 3) in 8 bits")
    return labels, images


def refuse_leakage(
    provenance: Provenance, fold_key: str, training_images: Sequence[str], origin: str
) -> None:
    """Raise unless the generator saw nothing but the training part of this very fold.

    Args:
        provenance: Of the synthetic set.
        fold_key: Key of the fold it is to be used in.
        training_images: Ids of that fold's training part.
        origin: Names the set in the error.

    Raises:
        DermaugError: The fold is another one, or the generator saw an image outside of it.
    """
    if provenance.fold_key != fold_key:
        raise DermaugError(
            f"{origin}: made for fold {provenance.fold_key}, used in {fold_key}; its generator "
            "saw lesions that this fold tests on; generate again from this fold's training part"
        )
    if outside := set(provenance.training_images) - set(training_images):
        raise DermaugError(
            f"{origin}: its generator saw {len(outside)} images outside the training part, "
            f"for example {min(outside)}; generate again from this fold's training part"
        )


def _write_pngs(folder: Path, names: list[str], images: UInt8[np.ndarray, "n h w 3"]) -> None:
    (folder / "images").mkdir()
    with ThreadPoolExecutor() as pool:
        list(
            pool.map(
                lambda item: Image.fromarray(item[1]).save(folder / item[0]),
                zip(names, images, strict=True),
            )
        )
