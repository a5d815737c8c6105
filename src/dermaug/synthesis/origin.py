"""The origin of exported images, which names no training image, so that an audit knows it."""

from pathlib import Path
from typing import Self

import numpy as np
from jaxtyping import UInt8

from dermaug.files import Record
from dermaug.synthesis.synthetic_set import SyntheticSet, pixel_digests

ORIGIN = "dermaug-origin.json"


class OriginRecord(Record):
    """`dermaug-origin.json` beside exported images."""

    family: str
    """This entry and the next ones are as in `Provenance`."""
    generator: str
    seed: int
    fold_key: str
    note: str
    latents: tuple[str, ...]
    """Name of the latent of each image."""
    pixels: tuple[str, ...]
    """SHA-256 of the pixels of each image, as drawn."""

    @classmethod
    def of(cls, synthetic: SyntheticSet) -> Self:
        """The origin of a set."""
        told = synthetic.provenance
        return cls(
            family=told.family,
            generator=told.generator,
            seed=told.seed,
            fold_key=told.fold_key,
            note=told.note,
            latents=synthetic.latents,
            pixels=tuple(pixel_digests(synthetic.images)),
        )

    def holds(self, images: UInt8[np.ndarray, "n h w 3"]) -> bool:
        """Whether each image is one of these, pixel for pixel."""
        return set(pixel_digests(images)) <= set(self.pixels)


def read_origin(folder: Path) -> OriginRecord | None:
    """The origin of the images of an exported folder; None for another folder.

    Raises:
        DermaugError: The file was changed.
    """
    path = folder / ORIGIN
    return OriginRecord.read(path) if path.is_file() else None
