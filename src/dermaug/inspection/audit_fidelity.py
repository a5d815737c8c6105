"""Distance of synthetic images to real images unseen by the generator, compared with a floor."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float, Int

from dermaug.evaluation.fidelity import fid, fid_caution, kid, one_of_each
from dermaug.evaluation.manifold import fewest_of_others, manifold

OVERLAPS = ("precision", "recall", "density", "coverage")
DEEPEST = 5
"""Number of neighbours that define density and coverage."""


@dataclass(frozen=True, eq=False)
class Cloud:
    """Features of some images of one class.

    Args:
        features: One row per image.
        lesions: Lesion of each image; None for generated images, which each count as one.
    """

    features: Float[np.ndarray, "n d"]
    lesions: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.features)

    @property
    def groups(self) -> np.ndarray:
        """Lesion of each image, as a name or a number."""
        return np.arange(len(self)) if self.lesions is None else self.lesions

    @property
    def num_lesions(self) -> int:
        """Number of lesions."""
        return len(np.unique(self.groups))

    def take(self, rows: Int[np.ndarray, " m"]) -> Self:
        """Select some of the images."""
        return type(self)(self.features[rows], None if self.lesions is None else self.lesions[rows])


def compare_clouds(validation: Cloud, drawn: Cloud, floor: Cloud, seed: int) -> dict[str, object]:
    """Compute distances and overlaps of generated images, and of training images in their place.

    KID and the overlaps leave out pairs of images of one lesion. FID has no pairs to leave out and
    uses one image of each lesion.

    Returns:
        kid, kid_low, kid_high; fid, fid_flag; precision, recall, density, coverage; the same with
        `_floor`. NaN where there are too few lesions.
    """
    if min(cloud.num_lesions for cloud in (validation, drawn, floor)) < 2:
        return dict.fromkeys(_names(), np.nan) | {"fid_flag": "too few lesions"}
    random = np.random.default_rng(seed)
    apart, floor_apart = (
        cloud.take(one_of_each(cloud.groups, random)) for cloud in (validation, floor)
    )
    # FID and overlaps depend on the number of images, so all samples have equally many.
    most, most_apart = min(len(floor), len(drawn)), min(len(floor_apart), len(drawn))
    numbers: dict[str, object] = {
        "fid_flag": fid_caution(len(apart), most_apart, validation.features.shape[1])
    }
    for ending, sample, sample_apart in (("", drawn, drawn), ("_floor", floor, floor_apart)):
        some = sample_apart.take(random.permutation(len(sample_apart))[:most_apart])
        distance = kid(
            validation.features, sample.features, validation.lesions, sample.lesions, seed=seed
        )
        ends = {f"kid{ending}_low": distance.low, f"kid{ending}_high": distance.high}
        numbers |= {f"kid{ending}": distance.value} | ends
        numbers[f"fid{ending}"] = fid(apart.features, some.features)
        some = sample.take(random.permutation(len(sample))[:most])
        numbers |= _overlaps(validation, some, ending)
    return numbers


def _overlaps(validation: Cloud, sample: Cloud, ending: str) -> dict[str, object]:
    if min(fewest_of_others(cloud.groups) for cloud in (validation, sample)) < DEEPEST:
        return {f"{name}{ending}": np.nan for name in OVERLAPS}
    found = manifold(
        validation.features, sample.features, validation.lesions, sample.lesions, k_density=DEEPEST
    )
    return {f"{name}{ending}": getattr(found, name) for name in OVERLAPS}


def _names() -> list[str]:
    names = ("kid", "fid", *OVERLAPS)
    both = [f"{name}{ending}" for ending in ("", "_floor") for name in names]
    return [*both, "kid_low", "kid_high", "kid_floor_low", "kid_floor_high"]
