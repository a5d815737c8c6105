"""A synthetic set is a folder: images (one array or PNG files), metadata.csv and a manifest."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Literal, Self

import numpy as np
import pandas as pd
from jaxtyping import Int, UInt8
from pydantic import Field

from dermaug.aside import folder_written_aside
from dermaug.data.image_files import decode_whole
from dermaug.data.safe_names import safe_join
from dermaug.errors import DermaugError
from dermaug.files import Record, known_sha256, sha256
from dermaug.synthesis.png_files import write_pngs

ARRAY = "images.npy"
MANIFEST = "manifest.json"
METADATA = "metadata.csv"
Layout = Literal["array", "png"]
SCHEMA: Literal[2] = 2
AGAIN = "delete the folder and generate it again"
SEALED: dict[Layout, tuple[str, ...]] = {"array": (METADATA, ARRAY), "png": (METADATA,)}
"""Files whose digests are in the manifest; those of PNG files are a column of the metadata."""


@dataclass(frozen=True)
class Provenance:
    """Provenance of synthetic images, which the leakage check reads.

    Args:
        family: Generator family.
        generator: Digest of the generator's checkpoint.
        seed: Seed of the latents.
        fold_key: Key of the fold on whose training split the generator was trained.
        training_images: Ids of its training images.
        validation_images: Ids of the images on which its snapshot was selected; None if unknown.
        note: How the images were chosen or drawn, unless they are those of the first latents.
        started_from: Ids of the training images from which translated images start.
    """

    family: str
    generator: str
    seed: int
    fold_key: str
    training_images: tuple[str, ...]
    validation_images: tuple[str, ...] | None = ()
    note: str = ""
    started_from: tuple[str, ...] = ()


class SyntheticRecord(Record):
    """`manifest.json` of a set, with digests of the files beside it."""

    schema_: Literal[2] = Field(default=SCHEMA, alias="schema")
    layout: Layout
    number: int
    size: int
    counts: dict[str, int]
    """Label -> number of images."""
    family: str
    """This entry and the next ones are as in `Provenance`."""
    generator: str
    seed: int
    fold_key: str
    training_images: tuple[str, ...]
    validation_images: tuple[str, ...] | None
    note: str = ""
    started_from: tuple[str, ...] = ()
    sha256: dict[str, str]
    """Digests of the files in `SEALED`."""

    @property
    def provenance(self) -> Provenance:
        """Provenance of the images."""
        return Provenance(**{each.name: getattr(self, each.name) for each in fields(Provenance)})


@dataclass(frozen=True, eq=False)
class SyntheticSet:
    """Images drawn by one generator.

    Args:
        images: uint8 (n, size, size, 3); memory-mapped if read from an array on disk.
        labels: Label of each image.
        provenance: Where they come from.
        latents: Name of the latent of each image; () numbers those of each class.
    """

    images: UInt8[np.ndarray, "n h w 3"]
    labels: tuple[str, ...]
    provenance: Provenance
    latents: tuple[str, ...] = ()

    def take(self, rows: Int[np.ndarray, " m"]) -> Self:
        """The images of some rows, in their order."""
        labels, latents = (
            tuple(given[row] for row in rows) for given in (self.labels, self.latents)
        )
        return replace(self, images=self.images[rows], labels=labels, latents=latents)


def write_synthetic_set(folder: Path, synthetic: SyntheticSet, layout: Layout = "array") -> None:
    """Write a set atomically.

    Args:
        folder: Folder to appear.
        synthetic: The set.
        layout: `array` is one `images.npy`, as runs keep it, in place of an earlier set; `png` is
            one file per image under `images/`, as `datasets.load_dataset("imagefolder")` opens it.
            Digests of all files are written with them, so that changes are detected.
    """
    if layout == "png":
        write_png_set(
            folder, [synthetic.images], synthetic.labels, synthetic.provenance, synthetic.latents
        )
        return
    with folder_written_aside(folder, replaces=True) as aside:
        np.save(aside / ARRAY, synthetic.images)
        table = _metadata(synthetic.labels, synthetic.provenance, synthetic.latents)
        side = int(synthetic.images.shape[1])
        _write_tables(aside, table, synthetic.provenance, layout="array", side=side)


def write_png_set(
    folder: Path,
    batches: Iterable[UInt8[np.ndarray, "batch h w 3"]],
    labels: Sequence[str],
    provenance: Provenance,
    latents: Sequence[str] = (),
) -> None:
    """Write a set of PNG files atomically, while its images are still being drawn.

    Args:
        folder: Folder to appear.
        batches: The images, in the order of `labels`; only a few batches are in memory at a time.
        labels: Label of each image.
        provenance: Where they come from.
        latents: As for `SyntheticSet`.
    """
    names = [f"images/{label}_{row:06d}.png" for row, label in enumerate(labels)]
    with folder_written_aside(folder) as aside:
        (aside / "images").mkdir()
        side, digests = write_pngs([aside / name for name in names], batches)
        table = _metadata(labels, provenance, latents)
        table.insert(0, "file_name", names)
        table["sha256"] = digests
        _write_tables(aside, table, provenance, layout="png", side=side)


def _metadata(
    labels: Sequence[str], provenance: Provenance, latents: Sequence[str]
) -> pd.DataFrame:
    places = pd.Series(labels).groupby(list(labels)).cumcount()
    return pd.DataFrame(
        {
            "label": labels,
            "latent": list(latents) or [f"{provenance.seed}-{row}" for row in places],
            "generator": provenance.generator[:16],
            "family": provenance.family,
        }
    )


def _write_tables(
    folder: Path, table: pd.DataFrame, provenance: Provenance, *, layout: Layout, side: int
) -> None:
    """Write the metadata, and the manifest with digests of the files beside it."""
    table.to_csv(folder / METADATA, index=False)
    labels = table["label"].tolist()
    record = SyntheticRecord(
        layout=layout,
        number=len(table),
        size=side,
        counts={label: labels.count(label) for label in sorted(set(labels))},
        sha256={name: sha256(folder / name) for name in SEALED[layout]},
        **asdict(provenance),
    )
    record.write(folder / MANIFEST)


def read_synthetic_set(folder: Path, remedy: str = AGAIN) -> SyntheticSet:
    """Read a set written by `write_synthetic_set`.

    Args:
        folder: Folder of the set.
        remedy: Advice in errors for a set that is incomplete or was changed.

    Raises:
        DermaugError: The folder is not a synthetic set, or its files do not agree.
    """
    if not (folder / MANIFEST).is_file():
        raise DermaugError(
            f"{folder}: expected a synthetic set, found no {MANIFEST} in it; {remedy}"
        )
    record = SyntheticRecord.read(folder / MANIFEST)
    labels, latents, images = _read_parts(folder, record, remedy)
    number, size = record.number, record.size
    if not len(images) == len(labels) == number or images.shape[1:] != (size, size, 3):
        raise DermaugError(
            f"{folder}: {len(images)} images {images.shape[1:]}, {len(labels)} rows of {METADATA} "
            f"and {number} images of {size} px in the manifest do not agree; {remedy}"
        )
    return SyntheticSet(images, labels, record.provenance, latents)


def _read_parts(
    folder: Path, record: SyntheticRecord, remedy: str
) -> tuple[tuple[str, ...], tuple[str, ...], UInt8[np.ndarray, "n h w 3"]]:
    """Labels, latents and images of the folder, after a check that no file has changed."""
    try:
        for name in SEALED[record.layout]:
            path, noted = folder / name, record.sha256.get(name)
            _refuse_changed(path, known_sha256(path), noted, remedy)
        table = pd.read_csv(folder / METADATA, dtype=str, keep_default_na=False)
        labels, latents = tuple(table["label"]), tuple(table["latent"])
        if record.layout == "array":
            images = np.load(folder / ARRAY, mmap_mode="r", allow_pickle=False)
        else:
            files = [safe_join(folder, name) for name in table["file_name"]]
            for file, digest in zip(files, table["sha256"], strict=True):
                _refuse_changed(file, sha256(file), digest, remedy)
            images = np.stack([np.asarray(decode_whole(file)) for file in files])
    except (OSError, EOFError, ValueError, KeyError) as error:  # pandas raises ValueErrors
        raise DermaugError(f"{folder}: incomplete synthetic set ({error}); {remedy}") from None
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.ndim != 4:
        raise DermaugError(f"{folder / ARRAY}: expected pixels (n, height, width, 3) in 8 bits")
    return labels, latents, images


def _refuse_changed(path: Path, found: str, expected: str | None, remedy: str) -> None:
    if found != expected:
        raise DermaugError(
            f"{path}: its content has changed since it was drawn (SHA-256 {found[:16]}, expected "
            f"{str(expected)[:16]}); {remedy}"
        )


def pixel_digests(images: UInt8[np.ndarray, "n h w 3"]) -> list[str]:
    """SHA-256 of the pixels of each image, by which images are found again in another set."""
    return [hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest() for image in images]


def refuse_leakage(
    provenance: Provenance, fold_key: str, training_images: Sequence[str], origin: str
) -> None:
    """Raise unless the generator was trained only on the training split of this fold.

    Raises:
        DermaugError: The fold differs, or the generator was trained on an image outside of it, or
            drew from one.
    """
    if provenance.fold_key != fold_key:
        raise DermaugError(
            f"{origin}: made for fold {provenance.fold_key}, used in {fold_key}; its generator was "
            "trained on lesions that this fold tests on; generate images from the training split "
            "of this fold"
        )
    used = {
        "its generator was trained on": provenance.training_images,
        "it was translated from": provenance.started_from,
    }
    for words, ids in used.items():
        if outside := set(ids) - set(training_images):
            raise DermaugError(
                f"{origin}: {words} {len(outside)} images outside the training split, for example "
                f"{min(outside)}; generate images from the training split of this fold"
            )
